package fleet

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/dispatch"
	"switchboard/hostagent/protocol"
)

// NewSession is what a caller asks for. Empty fields take the template's value, then the host's default.
type NewSession struct {
	Name           string
	Host           string // id or name; may be left out by who can use only one
	WorkingDir     string
	Template       string
	Agent          string
	PermissionMode string
	Message        string // sent when the agent is ready
	IdempotencyKey string
}

// CreateSession starts a session on a host. With a key, a repeat returns the first session and starts nothing, unless it
// is certain that none was started. If the session is there and only its first message was not sent, it returns the
// session and the error.
func (f *Fleet) CreateSession(ctx context.Context, c auth.Caller, n NewSession) (Session, error) {
	id, command := protocol.NewSessionID(), protocol.CommandID(protocol.NewID())
	d := deed{
		action: "session.create", scope: auth.ScopeSessionsWrite, need: AccessOperator,
		command: command, session: id,
	}
	host, filled, err := f.place(ctx, c, d, n)
	if err != nil {
		return Session{}, err
	}
	if err := filled.check(); err != nil {
		return Session{}, err
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	first, fresh, err := f.insertSession(ctx, newSession(c, host, id, filled, f.Now()), n.IdempotencyKey, n.sum())
	if err != nil {
		return Session{}, err
	}
	if !fresh {
		return f.awaitStart(ctx, c, first)
	}
	return f.start(ctx, c, host, filled, protocol.CreateSessionRequest{
		Act: f.act(c, command), Session: id, Name: sessionName(filled), Agent: filled.Agent,
		WorkingDir: filled.WorkingDir, PermissionMode: filled.PermissionMode,
	})
}

// place is CreateSession's gate: it finds the host, and what n leaves out, before the right is judged.
func (f *Fleet) place(ctx context.Context, c auth.Caller, d deed, n NewSession) (Host, NewSession, error) {
	if !c.Scopes.Has(d.scope) {
		return Host{}, n, f.record(ctx, c, d.at(n.Host), &auth.ScopeError{Needed: d.scope})
	}
	filled, err := f.fill(ctx, c, n)
	if err != nil {
		return Host{}, n, f.record(ctx, c, d.at(cmp.Or(n.Template, n.Host)), err)
	}
	host, err := f.host(ctx, c, d, filled.Host)
	return host, filled, err
}

// fill takes what n leaves out from its template and, for the host, from there being only one.
func (f *Fleet) fill(ctx context.Context, c auth.Caller, n NewSession) (NewSession, error) {
	if n.Template != "" {
		template, err := f.seeTemplate(ctx, c, n.Template)
		if err != nil {
			return n, err
		}
		n = n.with(template)
	}
	if n.Host != "" {
		return n, nil
	}
	host, err := f.onlyHost(ctx, c)
	n.Host = string(host.ID)
	return n, err
}

func (n NewSession) with(t Template) NewSession {
	n.Host = cmp.Or(n.Host, string(t.Host))
	n.WorkingDir = cmp.Or(n.WorkingDir, t.WorkingDir)
	n.Agent = cmp.Or(n.Agent, t.Agent)
	n.PermissionMode = cmp.Or(n.PermissionMode, t.PermissionMode)
	n.Message = cmp.Or(n.Message, t.Message)
	n.Name = cmp.Or(n.Name, t.Name)
	return n
}

// onlyHost is the host that a caller means who names none: the only one on which he may run sessions.
func (f *Fleet) onlyHost(ctx context.Context, c auth.Caller) (Host, error) {
	visible, err := f.Store.VisibleHosts(ctx, c, "")
	if err != nil {
		return Host{}, err
	}
	var usable []Host
	var names []string
	for _, h := range visible {
		if h.Access >= AccessOperator {
			usable = append(usable, h)
			names = append(names, fmt.Sprintf("%s (%s)", h.Name, h.onlineWords(f.Now())))
		}
	}
	switch len(usable) {
	case 0:
		return Host{}, refuse(ErrInvalid, "host: there is none on which you may start sessions; register one on %s/hosts", f.PublicURL)
	case 1:
		return usable[0], nil
	}
	return Host{}, refuse(ErrInvalid, "host: say which one of %s", strings.Join(names, ", "))
}

// Bounds of what a session is asked for with, in bytes.
const (
	maxKindName = 40   // of an agent or a permission mode
	maxPath     = 4096 // PATH_MAX of Linux; macOS takes less
)

// check refuses what no host could take. What this host's owner allows is for the host to say.
func (n NewSession) check() error {
	if err := checkKey(n.IdempotencyKey); err != nil {
		return err
	}
	if err := checkLine("name", n.Name, maxName); err != nil {
		return err
	}
	if err := checkLine("working_dir", n.WorkingDir, maxPath); err != nil {
		return err
	}
	if d := n.WorkingDir; d != "" && d != "~" && !strings.HasPrefix(d, "/") && !strings.HasPrefix(d, "~/") {
		return refuse(ErrInvalid, "working_dir %.80q: want a path that begins with / or ~/", d)
	}
	if err := checkLine("agent", n.Agent, maxKindName); err != nil {
		return err
	}
	if err := checkLine("permission_mode", n.PermissionMode, maxKindName); err != nil {
		return err
	}
	if n.Message == "" {
		return nil
	}
	return checkText(n.Message)
}

// sum tells two requests under one idempotency key apart.
func (n NewSession) sum() []byte {
	text, _ := json.Marshal(n) // strings always marshal
	sum := sha256.Sum256(text)
	return sum[:]
}

// requested is the evidence of a session of which its host has said nothing.
const requested = "requested"

func newSession(c auth.Caller, host Host, id protocol.SessionID, n NewSession, now time.Time) Session {
	return Session{
		Session: protocol.Session{
			ID: id, Name: sessionName(n), Agent: n.Agent, WorkingDir: n.WorkingDir, PermissionMode: n.PermissionMode,
			State: protocol.StateStarting, Evidence: requested, StateAt: now, StartedAt: now,
		},
		Host: host.ID, CreatedBy: c.User,
	}
}

// handleTries is how many handles are tried before giving up. There are 900,000 for each name.
const handleTries = 5

// insertSession commits the session's row under a handle of its own.
func (f *Fleet) insertSession(ctx context.Context, s Session, key string, request []byte) (protocol.SessionID, bool, error) {
	var err error
	for range handleTries {
		s.Handle = strings.ToLower(s.Name) + "_" + handleSuffix()
		var first protocol.SessionID
		var fresh bool
		first, fresh, err = f.Store.InsertSession(ctx, s, key, request)
		if errors.Is(err, ErrHandleTaken) {
			continue
		}
		if errors.Is(err, ErrConflict) {
			return "", false, refuse(ErrConflict, "idempotency_key %.40q was used for another session", key)
		}
		return first, fresh, err
	}
	return "", false, err
}

// start has the host start the session whose row is committed, and sends its first message.
func (f *Fleet) start(ctx context.Context, c auth.Caller, host Host, n NewSession, r protocol.CreateSessionRequest) (Session, error) {
	reply, err := tell(ctx, f, host.peer(), protocol.CreateSession, r)
	if err != nil {
		return Session{}, f.notStarted(ctx, c, r.Session, err)
	}
	session, err := f.project(ctx, c, host.ID, r.Session, reply.Session)
	if err != nil || n.Message == "" {
		return session, err
	}
	if err := f.sendFirst(ctx, c, session, n.Message); err != nil {
		return session, fmt.Errorf("session %s is started, but its first message was not sent: %w", session.Handle, err)
	}
	return session, nil
}

// awaitStart returns the session of a key once its host has said something of it: the call that starts it may still be
// under way, elsewhere.
func (f *Fleet) awaitStart(ctx context.Context, c auth.Caller, id protocol.SessionID) (Session, error) {
	changed, stop, err := f.Changes.Watch(id)
	if err != nil {
		return Session{}, err
	}
	defer stop()
	giveUp := time.After(dispatch.CallTimeout)
	again := time.NewTicker(backstop)
	defer again.Stop()
	for {
		session, err := f.seeSession(ctx, c, string(id))
		switch {
		case errors.Is(err, auth.ErrNotFound): // as the other call is told
			return Session{}, refuse(ErrUnavailable, "the session was not started; nothing was done")
		case err != nil || !session.unheard():
			return session, err
		}
		select {
		case <-changed:
		case <-again.C:
		case <-giveUp:
			return Session{}, fmt.Errorf("session %s: %w", session.Handle, session.peer().explain(dispatch.ErrNoAnswer))
		case <-ctx.Done():
			return Session{}, ctx.Err()
		}
	}
}

// unheard reports whether the host has said nothing of the session yet.
func (s Session) unheard() bool { return s.State == protocol.StateStarting && s.Evidence == requested }

// notStarted settles the row of a session whose host did not say that it started it.
func (f *Fleet) notStarted(ctx context.Context, c auth.Caller, id protocol.SessionID, cause error) error {
	if nothingDone(cause) {
		if err := f.Store.RemoveSession(ctx, id); err != nil {
			f.Log.WarnContext(ctx, "session that was not started is still listed", "session", id, "err", err)
		}
		return fmt.Errorf("session not started: %w", cause)
	}
	session, err := f.seeSession(ctx, c, string(id))
	if err != nil {
		return errors.Join(cause, err)
	}
	return fmt.Errorf("session %s: %w", session.Handle, cause)
}

// project stores what a host answered about its session, tells who waits, and returns the session as it is now.
func (f *Fleet) project(ctx context.Context, c auth.Caller, host protocol.HostID, id protocol.SessionID, said protocol.Session) (Session, error) {
	said.ID = id // whatever the host says: this is what it was asked about
	if err := f.Store.ProjectSession(ctx, host, known(said)); err != nil {
		return Session{}, fmt.Errorf("store what the host answered: %w", err)
	}
	f.Changes.Publish(host, id)
	return f.seeSession(ctx, c, string(id))
}

// known replaces a state that this version does not know, and times that were not given.
func known(s protocol.Session) protocol.Session {
	if !slices.Contains(states, s.State) {
		s.Evidence = fmt.Sprintf("host says %.40q", s.State)
		s.State, s.Confidence = protocol.StateUncertain, protocol.ConfidenceLow
	}
	if s.StateAt.IsZero() {
		s.StateAt = time.Unix(0, 0)
	}
	s.StateAt, s.StartedAt = cleanTime(s.StateAt), cleanTime(s.StartedAt)
	if s.ExitedAt != nil {
		at := cleanTime(*s.ExitedAt)
		s.ExitedAt = &at
	}
	if s.Usage != nil {
		usage := cleanUsage(*s.Usage)
		s.Usage = &usage
	}
	return s
}
