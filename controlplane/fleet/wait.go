package fleet

import (
	"context"
	"fmt"
	"slices"
	"time"

	"switchboard/auth"
	"switchboard/hostagent/protocol"
)

// WaitFor is what a caller waits for.
type WaitFor struct {
	Session string // ref; empty: any that the caller may see
	Until   Until
	Timeout time.Duration   // 0: MaxWait
	Cursor  string          // of what the caller knows already; empty: from now on
	Seen    func([]Session) // is told what is waited for each time somebody looks; nil: nobody is
}

// MaxWait is how long a call may wait: clients and proxies give up after a minute.
const MaxWait = 45 * time.Second

// backstop is how often whoever waits looks by himself, in case that word of a change was lost.
const backstop = 2 * time.Second

// Until is the kind of news that ends a wait.
type Until string

// The kinds of news. Of one session, an open prompt and an exit end a wait at once; that it is idle ends it at once
// only without a cursor, and else when it has become so after it. It is not idle while a message is on its way to
// it, or was accepted since it was last said to be.
const (
	UntilChange    Until = "change"    // anything new; of all sessions: of their states and prompts
	UntilAttention Until = "attention" // a prompt is open, or it is idle or exited
	UntilIdle      Until = "idle"
	UntilPrompt    Until = "prompt"
	UntilExited    Until = "exited"
)

var untils = []Until{UntilChange, UntilAttention, UntilIdle, UntilPrompt, UntilExited}

// Waited is how a wait ended.
type Waited struct {
	Reached  bool // false: the time is over
	Sessions []Session
	Entries  []TranscriptEntry // of one named session, new since the cursor
	Cursor   string
}

// WaitForSession returns when what is waited for has happened or the time is over. It begins to listen before it
// looks, so that nothing falls in between.
func (f *Fleet) WaitForSession(ctx context.Context, c auth.Caller, w WaitFor) (Waited, error) {
	timeout, err := waitTime(w.Timeout)
	if err != nil {
		return Waited{}, err
	}
	if !slices.Contains(untils, w.Until) {
		return Waited{}, refuse(ErrInvalid, "until %.40q: want one of %v", w.Until, untils)
	}
	w.Timeout = timeout
	if w.Session == "" {
		return f.waitForAny(ctx, c, w)
	}
	return f.waitForOne(ctx, c, w)
}

func waitTime(d time.Duration) (time.Duration, error) {
	if d < 0 || d > MaxWait {
		return 0, refuse(ErrInvalid, "timeout %v: want at most %v", d, MaxWait)
	}
	if d == 0 {
		return MaxWait, nil
	}
	return d, nil
}

func (f *Fleet) waitForOne(ctx context.Context, c auth.Caller, w WaitFor) (Waited, error) {
	session, err := f.session(ctx, c, reading("session.wait"), w.Session)
	if err != nil {
		return Waited{}, err
	}
	known := cursor{session.LastSeq, session.look()}
	if w.Cursor != "" {
		if known, err = parseCursor(w.Cursor); err != nil {
			return Waited{}, err
		}
	}
	var reached bool
	err = f.until(ctx, w.Timeout, []protocol.SessionID{session.ID}, func() (bool, error) {
		// By its id, and through the gate's eyes again: a share may end while its holder waits.
		session, err = f.seeSession(ctx, c, string(session.ID))
		if err != nil {
			return false, err
		}
		w.tell(session)
		reached = w.reached(session, known)
		return reached, nil
	})
	if err != nil {
		return Waited{}, err
	}
	page, err := f.transcriptAfter(ctx, session, known.seq, maxEntries)
	return Waited{Reached: reached, Sessions: []Session{session}, Entries: page.Entries, Cursor: page.Cursor}, err
}

// tell passes on what was seen.
func (w WaitFor) tell(seen ...Session) {
	if w.Seen != nil {
		w.Seen(seen)
	}
}

// reached reports whether one session is as the caller waits for it to be.
func (w WaitFor) reached(s Session, known cursor) bool {
	if w.Until == UntilChange {
		return s.LastSeq > known.seq || (known.look != "" && known.look != s.look())
	}
	idleSince := w.Cursor == "" || s.StateSeq > known.seq
	return w.Until.holds(s, idleSince)
}

// holds reports whether a session is as it is waited for. Of a host that is away only an exit can be believed.
func (u Until) holds(s Session, idleCounts bool) bool {
	prompted := s.HostOnline && slices.ContainsFunc(s.Open, func(p Prompt) bool { return p.Status == protocol.PromptAsked })
	idle := s.HostOnline && s.State == protocol.StateIdle && !s.Expecting && idleCounts
	exited := s.State == protocol.StateExited
	switch u {
	case UntilIdle:
		return idle
	case UntilPrompt:
		return prompted
	case UntilExited:
		return exited
	}
	return prompted || idle || exited
}

// waitForAny waits on the sessions that a listing's first page shows.
func (f *Fleet) waitForAny(ctx context.Context, c auth.Caller, w WaitFor) (Waited, error) {
	if err := f.anywhere(ctx, c, deed{scope: auth.ScopeSessionsRead}); err != nil {
		return Waited{}, err
	}
	var known looks
	if w.Cursor != "" {
		var err error
		if known, err = parseLooks(w.Cursor); err != nil {
			return Waited{}, err
		}
	}
	var all, news []Session
	err := f.until(ctx, w.Timeout, nil, func() (bool, error) {
		var err error
		if all, _, err = f.Store.VisibleSessions(ctx, c.User, SessionQuery{Limit: defaultSessions}); err != nil {
			return false, err
		}
		f.judge(all)
		w.tell(all...)
		news = w.news(all, known)
		if known == nil {
			known = looksOf(all)
		}
		return len(news) > 0, nil
	})
	if err != nil {
		return Waited{}, err
	}
	return Waited{Reached: len(news) > 0, Sessions: news, Cursor: looksOf(all).text(all)}, nil
}

// news are the sessions that look otherwise than they did and are as is waited for. Of who knows nothing yet, only
// those that wait for somebody are news.
func (w WaitFor) news(sessions []Session, known looks) []Session {
	until := w.Until
	if known == nil {
		if until != UntilAttention && until != UntilPrompt {
			return nil
		}
		until = UntilPrompt
	}
	var news []Session
	for _, s := range sessions {
		if known[mark(s.ID)] == s.look() {
			continue
		}
		if until == UntilChange || until.holds(s, true) {
			news = append(news, s)
		}
	}
	return news
}

// WaitForMessage returns a message when nothing more can become of it, or as it is when the time is over.
func (f *Fleet) WaitForMessage(ctx context.Context, c auth.Caller, id protocol.MessageID, timeout time.Duration) (Message, error) {
	timeout, err := waitTime(timeout)
	if err != nil {
		return Message{}, err
	}
	message, err := f.Message(ctx, c, id)
	if err != nil || message.Status.Final() {
		return message, err
	}
	err = f.until(ctx, timeout, []protocol.SessionID{message.Session}, func() (bool, error) {
		var err error
		message, err = f.seeMessage(ctx, c, id)
		return message.Status.Final(), err
	})
	return message, err
}

// until looks after each change of the sessions (none: of any), until look says that it is done or the time is over.
func (f *Fleet) until(ctx context.Context, timeout time.Duration, sessions []protocol.SessionID, look func() (bool, error)) error {
	changed, stop, err := f.Changes.Watch(sessions...)
	if err != nil {
		f.Log.WarnContext(ctx, "wait without word of changes", "err", err)
		stop = func() {}
	}
	defer stop()
	over := time.NewTimer(timeout)
	defer over.Stop()
	tick := time.NewTicker(backstop)
	defer tick.Stop()
	for {
		if done, err := look(); done || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-tick.C:
		case <-over.C:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("wait: %w", ctx.Err())
		}
	}
}
