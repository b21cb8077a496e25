package session

import (
	"context"
	"errors"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// deliver types the queued messages one after the other. The next is only typed when the agent has confirmed the
// one before, or never will: it would merge two that wait into one.
func (s *session) deliver(ctx context.Context, client *holder.Client) error {
	for {
		id, typed, changed := s.nextMessage()
		var err error
		switch {
		case id == "":
			err = s.awaitMessage(ctx, client, changed)
		case typed:
			err = s.awaitReceipt(ctx, client, id, nil)
		default:
			err = s.typeMessage(ctx, client, id)
		}
		if err := s.retryLater(ctx, "message not typed", err); err != nil {
			return err
		}
	}
}

// awaitMessage waits for a message to come. One that is handed over is typed at once.
func (s *session) awaitMessage(ctx context.Context, client *holder.Client, changed <-chan struct{}) error {
	if err := s.lookAhead(ctx, client); err != nil {
		return err
	}
	select {
	case h := <-s.handed:
		return s.typeHanded(ctx, client, h)
	case <-changed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// retryLater keeps a failed call from ending the run: only the holder's end does that, and receive sees it.
func (s *session) retryLater(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil || err == nil {
		return ctx.Err()
	}
	if !errors.Is(err, holder.ErrGone) && !errors.Is(err, holder.ErrLost) {
		s.logger.Warn(what, "err", err)
	}
	return sleep(ctx, 2*lookEvery)
}

// nextMessage is the oldest that is not final.
func (s *session) nextMessage() (id protocol.MessageID, typed bool, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.fold.queue) == 0 {
		return "", false, s.changed
	}
	id = s.fold.queue[0]
	return id, s.fold.messages[id].typing, s.changed
}

// typeMessage waits until the agent listens and no person is typing, types the message, and waits for its receipt.
func (s *session) typeMessage(ctx context.Context, client *holder.Client, id protocol.MessageID) error {
	var deaf string
	s.view(func(f *fold) { deaf = f.deaf() })
	if deaf != "" {
		if err := s.sayWaiting(ctx, client, id, deaf); err != nil {
			return err
		}
		return s.until(ctx, func(f *fold) bool { return f.deaf() != deaf || f.messages[id].state.Status.Final() })
	}
	typedAt := s.now()
	hindered, err := s.typeNow(ctx, client, id)
	if err != nil {
		return err
	}
	if hindered != "" {
		if err := s.sayWaiting(ctx, client, id, hindered); err != nil {
			return err
		}
		return sleep(ctx, 2*lookEvery)
	}
	return s.awaitReceipt(ctx, client, id, &typedAt)
}

// sayWaiting tells why a message is not typed yet, unless that was the last thing told of it.
func (s *session) sayWaiting(ctx context.Context, client *holder.Client, id protocol.MessageID, why string) error {
	if state, _ := s.messageState(id); state.Status.Final() || state.Detail == outgoingLine(why) {
		return nil
	}
	return s.note(ctx, client, noteWaiting, messageStep{ID: id, Detail: why})
}

// deaf says why what is typed now would not become a message; empty if it would. Nothing is ever typed into a
// dialog.
func (f *fold) deaf() string {
	p := f.openPrompt()
	switch state := f.session.State; {
	case p != nil:
		return "the agent waits for an answer to a prompt: " + p.Title
	case state == protocol.StateWaiting:
		return "the agent waits in a dialog at the terminal"
	case !f.ready || state == protocol.StateStarting:
		return "the agent is starting"
	case state != protocol.StateIdle && state != protocol.StateWorking:
		return "the session is " + string(state)
	case f.keepsMessage():
		return keepsMessageWords
	}
	return ""
}

func wait(ctx context.Context, changed <-chan struct{}) error {
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
