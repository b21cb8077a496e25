package holder

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"time"
)

// Look is what a terminal shows, and what had come over it by then.
type Look struct {
	Strong    []string  `json:"strong"`     // the screen's lines without what is faint
	LastInput time.Time `json:"last_input"` // as in Status
	Seen      Seen      `json:"seen"`
}

// Seen counts what had come over a terminal when somebody looked, so that he can make sure that nothing has come
// since.
type Seen struct {
	Outputs   uint64 `json:"outputs"`
	Inputs    uint64 `json:"inputs"`
	AnyOutput bool   `json:"any_output,omitempty"` // output may have come: of a child that writes all the time
}

// holds reports whether nothing has come since.
func (s Seen) holds(now Seen) bool {
	return s.Inputs == now.Inputs && (s.AnyOutput || s.Outputs == now.Outputs)
}

// Look looks at the terminal once the child has written nothing for quiet, and nobody has typed, or after patience
// at the latest.
func (c *Client) Look(ctx context.Context, quiet, patience time.Duration) (Look, error) {
	return c.look(ctx, request{Operation: opLook, Quiet: quiet, Patience: patience})
}

// LookAhead is Look, long before the next Type: until that, or until ctx ends, the holder listens for it.
func (c *Client) LookAhead(ctx context.Context, quiet, patience time.Duration) (Look, error) {
	return c.look(ctx, request{Operation: opLook, Quiet: quiet, Patience: patience, Stay: true})
}

func (c *Client) look(ctx context.Context, r request) (Look, error) {
	if c.older.Load() {
		return c.lookOlder(ctx, r.Quiet, r.Patience)
	}
	answer, err := c.call(ctx, r, nil)
	if isUnknown(err) {
		c.older.Store(true)
		return c.lookOlder(ctx, r.Quiet, r.Patience)
	}
	if err == nil && answer.Look == nil {
		err = errFrame
	}
	if err != nil {
		return Look{}, err
	}
	return *answer.Look, nil
}

// Note is an entry of the host agent's own in the journal.
type Note struct {
	Kind string          `json:"kind"`
	Body json.RawMessage `json:"body"`
}

// NewNote makes a note.
func NewNote(kind string, body any) (Note, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return Note{}, fmt.Errorf("note %s: %w", kind, err)
	}
	return Note{kind, text}, nil
}

// Typing is text for the child's input box.
type Typing struct {
	Notes []Note   // for the journal, before the text is typed
	Keys  [][]byte // no part is to be torn
	Seen  Seen     // nothing may have come over the terminal since
}

// Delivery is a text on its way through the input box: typed, and not yet submitted. Until it is, what viewers type
// waits, for at most heldFor, so that it does not mix with the text. End is to be called.
type Delivery struct {
	Typed bool   // false: something has come over the terminal, and nothing was done
	Noted uint64 // N of the last note; they are on disk

	older      *Client // of a holder that knows no deliveries
	ctx        context.Context
	client     *Client
	connection net.Conn
	end        func()
}

// Type types a text unless something has come over the terminal since it was looked at. It returns when the notes are
// on disk, which may be before all is typed. After an error the text may have been typed, with or without its notes.
// An older holder is known by an earlier look, as a rule: it hangs up in the midst of a text that is long.
func (c *Client) Type(ctx context.Context, t Typing) (*Delivery, error) {
	if c.older.Load() {
		return c.typeOlder(ctx, t)
	}
	keys := bytes.Join(t.Keys, nil)
	if len(keys) > maxFrame {
		return nil, fmt.Errorf("type: %d bytes are more than the %d that a holder takes", len(keys), maxFrame)
	}
	r := request{Operation: opType, Notes: t.Notes, Seen: &t.Seen}
	for _, part := range t.Keys {
		r.Parts = append(r.Parts, len(part))
	}
	connection, end, err := c.openReady(ctx, r, keys)
	if err != nil {
		return nil, fmt.Errorf("type: %w", err)
	}
	d := &Delivery{ctx: ctx, client: c, connection: connection, end: end}
	answer, err := d.reply()
	if err != nil {
		end()
	}
	if isUnknown(err) {
		return c.typeOlder(ctx, t)
	}
	d.Typed, d.Noted = !answer.Stale, answer.N
	return d, err
}

// reply waits for the holder's next word.
func (d *Delivery) reply() (reply, error) {
	var answer reply
	if err := readMessage(d.connection, &answer); err != nil {
		return answer, fmt.Errorf("type: %w", d.client.lost(d.ctx, err))
	}
	if err := answer.err(); err != nil {
		return answer, fmt.Errorf("type: %w", err)
	}
	return answer, nil
}

// Wait returns when all is typed. It is to be called once, before Submit.
func (d *Delivery) Wait() error {
	if d.older != nil {
		return nil
	}
	_, err := d.reply()
	return err
}

// Submit types the keys that submit the text, and reports whether it did: not if a viewer has typed since.
func (d *Delivery) Submit(keys []byte) (bool, error) {
	if d.older != nil {
		return true, d.older.Write(d.ctx, keys)
	}
	if err := writeFrame(d.connection, data, keys); err != nil {
		return false, fmt.Errorf("submit: %w", d.client.lost(d.ctx, err))
	}
	answer, err := d.reply()
	return err == nil && !answer.Stale, err
}

// End lets viewers type again.
func (d *Delivery) End() {
	if d.older == nil {
		d.end()
	}
}

// isUnknown reports whether the holder is of a version before the operation.
func isUnknown(err error) bool {
	return err != nil && strings.Contains(err.Error(), unknownOperation)
}

// lookOlder is Look at a holder of a version before 2026-11-29.
func (c *Client) lookOlder(ctx context.Context, quiet, patience time.Duration) (Look, error) {
	status, err := c.Status(ctx)
	if err != nil {
		return Look{}, err
	}
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := c.WaitQuiet(bounded, quiet); err != nil && (ctx.Err() != nil || bounded.Err() == nil) {
		return Look{}, err
	}
	screen, err := c.Screen(ctx)
	return Look{Strong: screen.Strong, LastInput: status.LastInput}, err
}

// typeOlder is Type at such a holder. A key that a person presses in the moment since the look is not noticed.
func (c *Client) typeOlder(ctx context.Context, t Typing) (*Delivery, error) {
	d := &Delivery{Typed: true, older: c, ctx: ctx}
	for _, note := range t.Notes {
		var err error
		if d.Noted, err = c.Append(ctx, note.Kind, note.Body); err != nil {
			return nil, err
		}
	}
	return d, c.Write(ctx, bytes.Join(t.Keys, nil))
}
