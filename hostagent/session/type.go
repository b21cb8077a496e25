package session

import (
	"context"
	"fmt"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

const (
	// looksAgain is how often a message is tried to be typed while something comes over the terminal after each look.
	looksAgain = 3
	// takingIn is how long an agent may take for each byte that is typed, on a busy machine.
	takingIn = 200 * time.Microsecond
)

// handed is a message that is given to the deliverer before it is noted, to be noted and typed in one go.
type handed struct {
	note   messageNote
	ifIdle bool         // it is typed at once, whatever that takes, or not at all
	taken  chan<- taken // gets one value
}

// taken says what has become of a handed message.
type taken struct {
	noted    uint64 // N of its last note
	later    bool   // it can not be typed at once, and was not noted
	hindered string // why, of one that is typed at once or not at all
	err      error
}

// hand gives the message to the deliverer, if that has nothing else to do.
func (s *session) hand(ctx context.Context, note messageNote) taken {
	said := make(chan taken, 1)
	select {
	case s.handed <- handed{note: note, taken: said}:
		return tells(ctx, said)
	default:
		return taken{later: true}
	}
}

// tells waits for the deliverer's word on what it was handed.
func tells(ctx context.Context, said <-chan taken) taken {
	select {
	case t := <-said:
		return t
	case <-ctx.Done():
		return taken{err: ctx.Err()}
	}
}

// typeHanded types a message at once, or leaves it to be queued.
func (s *session) typeHanded(ctx context.Context, client *holder.Client, h handed) error {
	typedAt := s.now()
	typed, err := s.typeNew(ctx, client, h)
	if err != nil || !typed {
		return err
	}
	return s.awaitReceipt(ctx, client, h.note.ID, &typedAt)
}

// typeNew types and submits a message that is not in the journal yet.
func (s *session) typeNew(ctx context.Context, client *holder.Client, h handed) (typed bool, err error) {
	free, err := s.typing.wait(ctx)
	if err != nil {
		h.taken <- taken{err: err}
		return false, err
	}
	defer free()
	var delivery *holder.Delivery
	var hindered string
	if h.ifIdle {
		delivery, hindered, err = s.typeIdle(ctx, client, h.note)
	} else {
		delivery, err = s.typeUnnoted(ctx, client, h.note)
	}
	if err != nil || delivery == nil {
		h.taken <- taken{later: err == nil, hindered: hindered, err: err}
		return false, err
	}
	h.taken <- taken{noted: delivery.Noted}
	return true, s.submit(ctx, client, delivery, h.note)
}

// typeUnnoted types a message that is not in the journal yet. It returns nil if now is not the time.
func (s *session) typeUnnoted(ctx context.Context, client *holder.Client, note messageNote) (*holder.Delivery, error) {
	notes, err := newNotes(note)
	if err != nil {
		return nil, err
	}
	look := s.looked.look
	for range looksAgain {
		var free bool
		s.view(func(f *fold) { free = f.idle() && len(f.queue) == 0 && !f.withdrawn[note.Command] })
		if !free || s.hinders(look) != "" {
			return nil, nil
		}
		delivery, err := client.Type(ctx, holder.Typing{
			Notes: notes, Keys: s.kind.TypeMessage(note.Text), Seen: look.Seen,
		})
		if err != nil || delivery.Typed {
			return delivery, err
		}
		delivery.End()
		if look, err = client.Look(ctx, settled, lookPatience); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// newNotes are the notes of a message that is typed as it comes.
func newNotes(note messageNote) ([]holder.Note, error) {
	message, err := holder.NewNote(noteMessage, note)
	if err != nil {
		return nil, err
	}
	typing, err := holder.NewNote(noteTyping, messageStep{ID: note.ID})
	return []holder.Note{message, typing}, err
}

// typeNow types a queued message and submits it, or says what hinders it.
func (s *session) typeNow(ctx context.Context, client *holder.Client, id protocol.MessageID) (hindered string, err error) {
	free, err := s.typing.wait(ctx)
	if err != nil {
		return "", err
	}
	defer free()
	typing, err := holder.NewNote(noteTyping, messageStep{ID: id})
	if err != nil {
		return "", err
	}
	var note messageNote
	delivery, hindered, err := s.typeSeen(ctx, client, []holder.Note{typing}, func() (text, hindered string) {
		note, hindered = s.mayType(id)
		return note.Text, hindered
	})
	if err != nil || hindered != "" {
		return hindered, err
	}
	return "", s.submit(ctx, client, delivery, note)
}

// typeSeen types a text into an empty input box, with its notes, or says what hinders it. Until it is typed, may can
// still say so.
func (s *session) typeSeen(ctx context.Context, client *holder.Client, notes []holder.Note, may func() (text, hindered string)) (
	delivery *holder.Delivery, hindered string, err error,
) {
	for try := 1; ; try++ {
		look, hindered, err := s.clearBox(ctx, client)
		if err != nil || hindered != "" {
			return nil, hindered, err
		}
		look.Seen.AnyOutput = try > looksAgain // it draws all the time
		delivery, hindered, err = s.decide(ctx, client, holder.Typing{Notes: notes, Seen: look.Seen}, may)
		if err != nil || hindered != "" || delivery.Typed {
			return delivery, hindered, err
		}
		delivery.End()
	}
}

// decide types a text unless something hinders it. It returns when its notes are on disk, and nobody takes it back in
// between.
func (s *session) decide(ctx context.Context, client *holder.Client, t holder.Typing, may func() (text, hindered string)) (
	delivery *holder.Delivery, hindered string, err error,
) {
	free, err := s.deciding.wait(ctx)
	if err != nil {
		return nil, "", err
	}
	defer free()
	text, hindered := may()
	if hindered != "" {
		return nil, hindered, nil
	}
	t.Keys = s.kind.TypeMessage(text)
	delivery, err = client.Type(ctx, t)
	return delivery, "", err
}

// mayType is the last look before a message is typed. What was typed once, by whatever process, is not typed again.
func (s *session) mayType(id protocol.MessageID) (note messageNote, hindered string) {
	s.view(func(f *fold) {
		m := f.messages[id]
		note, hindered = m.messageNote, f.deaf()
		if m.typing || m.state.Status.Final() {
			hindered = "it was typed before"
		}
	})
	return note, hindered
}

// submit submits what is typed, once the agent has taken it in.
func (s *session) submit(ctx context.Context, client *holder.Client, delivery *holder.Delivery, note messageNote) error {
	defer delivery.End()
	if err := delivery.Wait(); err != nil {
		return err
	}
	if err := s.takenIn(ctx, client, len(note.Text)); err != nil {
		return err
	}
	submitted, err := delivery.Submit(s.kind.Submit)
	if err != nil {
		return fmt.Errorf("submitting a message: %w", err)
	}
	if !submitted {
		const detail = "somebody typed at the terminal before it was submitted; it stands unsent in the agent's input box, with what they typed"
		return s.note(ctx, client, noteUnconfirmed, messageStep{ID: note.ID, Detail: detail})
	}
	return s.note(ctx, client, noteSubmitted, messageStep{ID: note.ID})
}

// press types keys by themselves unless something has come over the terminal since it was looked at, and reports whether
// it did. It returns when the session has taken in the notes, which are in the journal before.
func (s *session) press(ctx context.Context, client *holder.Client, keys []byte, seen holder.Seen, notes ...holder.Note) (pressed bool, err error) {
	delivery, err := client.Type(ctx, holder.Typing{Notes: notes, Keys: [][]byte{keys}, Seen: seen})
	if err != nil {
		return false, err
	}
	defer delivery.End()
	if !delivery.Typed {
		return false, nil
	}
	if err := delivery.Wait(); err != nil {
		return true, err
	}
	return true, s.until(ctx, func(f *fold) bool { return f.position.Journal >= delivery.Noted })
}

// takenIn waits until the agent shows what was typed and draws nothing more.
func (s *session) takenIn(ctx context.Context, client *holder.Client, size int) error {
	until := s.now().Add(lookPatience + time.Duration(size)*takingIn)
	for {
		look, err := client.Look(ctx, quietAfterTyping, until.Sub(s.now()))
		if err != nil || s.kind.ReadBox(look.Strong) != agentkind.BoxEmpty || !s.now().Before(until) {
			return err
		}
		if err := sleep(ctx, settled); err != nil {
			return err
		}
	}
}
