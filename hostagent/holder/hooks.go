package holder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"switchboard/hostagent/protocol"
)

// confirmWait is how long a hook's process has for saying that it has written its answer.
const confirmWait = 5 * time.Second

// hooks are the hooks that wait for an answer.
type hooks struct {
	mu     sync.Mutex // guards the fields below
	held   map[HookID]*heldHook
	closed bool           // the session has ended: no hook is taken any more
	group  sync.WaitGroup // the calls of hooks
}

// heldHook is one hook that waits.
type heldHook struct {
	id         HookID
	connection net.Conn
	confirmed  chan struct{} // closed when its process has written the answer
	gone       chan struct{} // closed when its process has gone

	mu    sync.Mutex // guards state; held while the journal is written, so that its order is the true one
	state hookState
}

type hookState uint8

const (
	hookWaiting hookState = iota
	hookAnswered
	hookClosed
)

// maxHeld is how many hooks wait at a time. Each takes one of the session's connections, of which others need some. The
// dialog of a hook beyond that is answered at the terminal.
const maxHeld = maxConnections / 4

// enter reports whether a hook may still call; it is then counted in group.
func (h *hooks) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.group.Add(1)
	return true
}

// add reports whether there was room.
func (h *hooks) add(hook *heldHook) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.held) >= maxHeld {
		return false
	}
	h.held[hook.id] = hook
	return true
}

func (h *hooks) remove(id HookID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.held, id)
}

func (h *hooks) find(id HookID) (*heldHook, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	hook, ok := h.held[id]
	return hook, ok
}

// release lets go of all hooks that still wait, and returns when the journal says so.
func (h *hooks) release() {
	h.mu.Lock()
	h.closed = true
	for _, hook := range h.held {
		_ = hook.connection.SetReadDeadline(time.Unix(1, 0))
	}
	h.mu.Unlock()
	h.group.Wait()
}

// hook serves a hook's process: journal what it says, and hold it if it asks to be held. A hook whose payload
// cannot be journalled is let go: nothing may be answered that is not in the journal.
func (c call) hook() {
	if !c.hooks.enter() {
		return
	}
	defer c.hooks.group.Done()
	payload, err := readData(c.connection)
	if err != nil {
		return
	}
	hook := &heldHook{
		id:         HookID(protocol.NewID()),
		connection: c.connection,
		confirmed:  make(chan struct{}),
		gone:       make(chan struct{}),
	}
	// It must be found by whoever reads of it in the journal.
	hook.mu.Lock()
	if c.request.Hold = c.request.Hold && c.hooks.add(hook); c.request.Hold {
		defer c.hooks.remove(hook.id)
	}
	_, err = c.note(KindHook, Hook{hook.id, c.request.Event, c.request.Hold, asJSON(payload), c.request.Verdict})
	if err != nil {
		hook.state = hookClosed
	}
	_ = c.connection.SetWriteDeadline(time.Now().Add(confirmWait))
	told := writeMessage(c.connection, outcome(err)) // still locked, or an answer could overtake it
	hook.mu.Unlock()
	if err != nil {
		c.log.Error("hook not journalled", "event", c.request.Event, "err", err)
		return
	}
	if told != nil || !c.request.Hold {
		c.closeHook(hook)
		return
	}
	c.holdHook(hook)
}

// holdHook waits until the hook's process has confirmed its answer, or has gone.
func (c call) holdHook(hook *heldHook) {
	_ = c.connection.SetReadDeadline(time.Time{})
	if c.over() {
		_ = c.connection.SetReadDeadline(time.Unix(1, 0)) // release came before this deadline was lifted
	}
	if _, err := readFrame(c.connection); err == nil {
		close(hook.confirmed)
		return
	}
	c.closeHook(hook)
}

func (h *holder) over() bool {
	select {
	case <-h.ended.Done():
		return true
	default:
		return false
	}
}

// closeHook journals that a held hook's process has gone.
func (c call) closeHook(hook *heldHook) {
	defer close(hook.gone)
	if !c.request.Hold {
		return
	}
	hook.mu.Lock()
	defer hook.mu.Unlock()
	if hook.state == hookWaiting {
		hook.state = hookClosed
	}
	if _, err := c.journal.append(KindHookClosed, HookClosed{hook.id}); err != nil {
		c.log.Error("end of a hook not journalled", "hook", hook.id, "err", err)
	}
}

// asJSON is the payload itself, or a JSON string of it.
func asJSON(payload []byte) json.RawMessage {
	if json.Valid(payload) {
		return payload
	}
	text, _ := json.Marshal(string(payload)) // a string always marshals
	return text
}

// answerHook hands the data frame that follows to a held hook.
func (c call) answerHook(ctx context.Context) error {
	answer, err := readData(c.connection)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	hook, ok := c.hooks.find(c.request.Hook)
	if !ok {
		return ErrHookGone
	}
	if err := c.handOver(hook, answer); err != nil {
		return err
	}
	select {
	case <-hook.confirmed:
		return nil
	case <-hook.gone:
		return ErrHookGone
	case <-time.After(confirmWait):
		return errors.New("the hook was given the answer but does not confirm it")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// handOver is where the first answer wins: it is in the journal before the hook gets it.
func (h *holder) handOver(hook *heldHook, answer []byte) error {
	hook.mu.Lock()
	defer hook.mu.Unlock()
	if hook.state != hookWaiting {
		return ErrHookGone
	}
	if _, err := h.journal.append(KindHookAnswered, HookAnswered{hook.id, string(answer)}); err != nil {
		return err
	}
	hook.state = hookAnswered
	_ = hook.connection.SetWriteDeadline(time.Now().Add(confirmWait))
	if err := writeFrame(hook.connection, data, answer); err != nil {
		_ = hook.connection.SetReadDeadline(time.Unix(1, 0)) // the hook's own goroutine journals that it has gone
		return fmt.Errorf("%w: %w", ErrHookGone, err)
	}
	return nil
}

// HookCall is one call of a hook.
type HookCall struct {
	Event   string
	Hold    bool            // wait for the answer
	Verdict json.RawMessage // what was decided about it on the spot, if anything was
	Payload []byte
}

// ReadPayload reads what an agent gives to its hook.
func ReadPayload(payload io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(payload, maxFrame+1))
	if err != nil {
		return nil, fmt.Errorf("read the hook's payload: %w", err)
	}
	if len(text) > maxFrame {
		return nil, fmt.Errorf("the hook's payload is longer than %d bytes", maxFrame)
	}
	return text, nil
}

// SendHook is what `hostagent hook` does: it hands a hook's call to the session's holder and, if it is to be held,
// waits for the answer and writes it to reply. Where no holder is there, or it goes away, it returns nil without
// a word: our absence changes nothing for the agent.
func SendHook(ctx context.Context, dir string, hook HookCall, reply io.Writer) error {
	connection, err := connect(ctx, dir)
	if err != nil {
		return nil
	}
	defer connection.Close()
	stop := context.AfterFunc(ctx, func() { connection.Close() })
	defer stop()
	call := request{Operation: opHook, Event: hook.Event, Hold: hook.Hold, Verdict: hook.Verdict}
	if !accepted(connection, call, hook.Payload) || !hook.Hold {
		return nil
	}
	answer, err := readData(connection)
	if err != nil {
		return nil // released, or the holder went away
	}
	if _, err := reply.Write(answer); err != nil {
		return fmt.Errorf("write the hook's answer: %w", err)
	}
	_ = writeMessage(connection, struct{}{}) // the confirmation; the answer is written, heard or not
	return nil
}

// accepted sends a hook's call and reports whether the holder took it.
func accepted(connection io.ReadWriter, r request, payload []byte) bool {
	if writeMessage(connection, r) != nil || writeFrame(connection, data, payload) != nil {
		return false
	}
	var answer reply
	return readMessage(connection, &answer) == nil && answer.err() == nil
}
