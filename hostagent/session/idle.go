package session

import (
	"context"
	"time"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// idlePatience is how long a message for an idle agent waits for the deliverer, which may just look at the terminal.
const idlePatience = 3 * time.Second

// takeIfIdle has a message typed at once, if the agent is idle, and notes it only then.
func (s *session) takeIfIdle(ctx context.Context, note messageNote) error {
	tooLong := time.After(idlePatience)
	said := make(chan taken, 1)
	for {
		why, changed := s.busy()
		if why != "" {
			return notIdle(why)
		}
		select {
		case s.handed <- handed{note: note, ifIdle: true, taken: said}:
			t := tells(ctx, said)
			if t.hindered != hinderedByScreen {
				return s.takenIfIdle(t)
			}
			select {
			case <-time.After(lookEvery): // an agent says that it is idle before it has drawn
			case <-tooLong:
				return s.takenIfIdle(t)
			}
		case <-changed:
		case <-tooLong:
			return protocol.Errorf(protocol.CodeUnavailable, "the session's terminal could not be looked at in time; nothing was typed")
		case <-ctx.Done():
			return unavailable("typing the message", ctx.Err())
		}
	}
}

func (s *session) takenIfIdle(t taken) error {
	if t.err != nil {
		return protocol.Errorf(protocol.CodeInternal, "typing the message: %v", t.err)
	}
	if t.later {
		return notIdle(t.hindered)
	}
	s.noted = t.noted
	return nil
}

// notIdle says what to do instead.
func notIdle(why string) error {
	return protocol.Errorf(protocol.CodeConflict,
		"the message was to be refused if the session is not idle, and nothing was typed: %s; send it when the session is idle, or let it be queued", why)
}

// typeIdle types a message that is not in the journal yet, or says what hinders that.
func (s *session) typeIdle(ctx context.Context, client *holder.Client, note messageNote) (delivery *holder.Delivery, hindered string, err error) {
	notes, err := newNotes(note)
	if err != nil {
		return nil, "", err
	}
	return s.typeSeen(ctx, client, notes, func() (text, hindered string) {
		hindered, _ = s.busy()
		s.view(func(f *fold) {
			if f.withdrawn[note.Command] {
				hindered = "it was taken back"
			}
		})
		return note.Text, hindered
	})
}

// busy says why the agent would not deal with a message at once; empty if it would.
func (s *session) busy() (why string, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch deaf := s.fold.deaf(); {
	case deaf != "":
		why = deaf
	case !s.fold.idle():
		why = "the agent works"
	case len(s.fold.queue) > 0:
		why = "a message before it is on its way to the agent"
	}
	return why, s.changed
}
