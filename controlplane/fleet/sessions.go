package fleet

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"switchboard/auth"
	"switchboard/hostagent/protocol"
)

// Session is one agent in one terminal on one host, as its host last said.
type Session struct {
	protocol.Session
	Handle     string // a name that a person can say: web-app_x7y8
	Host       protocol.HostID
	HostName   string
	HostOnline bool      // false: everything here is as last known
	HostAway   time.Time // since when, if not online
	CreatedBy  auth.UserID
	Creator    string
	Open       []Prompt // prompts that are not settled, oldest first

	StateSeq  uint64     // the event up to which State is known
	MessageAt *time.Time // when a message was last heard of that an idle State does not reflect yet; nil: there is none
	Expecting bool       // such a message is on its way: the session is idle for the moment only
	Access    Access     // of the caller who asked
}

// SessionFilter narrows a listing.
type SessionFilter struct {
	Host   string // id or name
	State  protocol.State
	Recent bool // leave out what ended more than a day ago, unless State asks for what has ended
	Cursor string
	Limit  int // 0: 50
}

// SessionPage is one page of a listing, those that live first, then newest first.
type SessionPage struct {
	Sessions []Session
	Next     string // cursor of the next page; empty at the end
	LeftOut  int    // at the end: how many were left out, since they ended too long ago
}

// SessionStore keeps sessions.
type SessionStore interface {
	// VisibleSessions are those on hosts that the person owns or shares, with their open prompts, those that live
	// first, then newest first. HostOnline is whether the host has not been found to be away, and HostAway since
	// when it is away or, if it is not, when it was last heard of. Expecting is left to judge. LeftOut counts those
	// that q.Since leaves out.
	VisibleSessions(ctx context.Context, user auth.UserID, q SessionQuery) (sessions []Session, leftOut int, err error)
	// ResolveSession finds those among the person's that have this id, handle or name, in any case of letters.
	ResolveSession(ctx context.Context, user auth.UserID, ref string) ([]Session, error)
	// SessionsByID returns those of the named that the person may see, without an order.
	SessionsByID(ctx context.Context, user auth.UserID, ids []protocol.SessionID) ([]Session, error)
	// InsertSession keeps a session that its host does not have yet, unless its creator used the same key before:
	// then first is that session, and fresh is false, unless it is certain that it was never started. ErrConflict: the
	// key belonged to another request; ErrHandleTaken.
	InsertSession(ctx context.Context, s Session, key string, request []byte) (first protocol.SessionID, fresh bool, err error)
	// HostOwner is whose a host is, if anybody's, that speaks of a session; known: the session is there already.
	// ErrNotFound: the host is removed, or the session is another host's.
	HostOwner(ctx context.Context, host protocol.HostID, id protocol.SessionID) (owner auth.UserID, name string, known bool, err error)
	// RemoveSession forgets one that was never started, and so has never been reported; if it has messages, it is lost.
	RemoveSession(ctx context.Context, id protocol.SessionID) error
	// ProjectSession stores what a host says of its session, unless something newer is known already.
	ProjectSession(ctx context.Context, host protocol.HostID, s protocol.Session) error
}

// SessionQuery narrows VisibleSessions.
type SessionQuery struct {
	Host  protocol.HostID
	State protocol.State
	Since time.Time     // leaves out those that ended before; zero: none
	After *SessionPlace // the last of the page before
	Limit int
}

// SessionPlace is a session's place in a listing.
type SessionPlace struct {
	Exited    bool
	StartedAt time.Time
	ID        protocol.SessionID
}

// ErrHandleTaken says that another session has this handle.
var ErrHandleTaken = errors.New("handle is taken")

// The lengths of a page of sessions.
const (
	defaultSessions = 50
	maxSessions     = 200
)

var states = []protocol.State{
	protocol.StateStarting, protocol.StateWorking, protocol.StateWaiting,
	protocol.StateIdle, protocol.StateExited, protocol.StateUncertain,
}

// ListSessions returns one page of the sessions that the caller may see.
func (f *Fleet) ListSessions(ctx context.Context, c auth.Caller, filter SessionFilter) (SessionPage, error) {
	if err := f.anywhere(ctx, c, deed{scope: auth.ScopeSessionsRead}); err != nil {
		return SessionPage{}, err
	}
	query, err := f.sessionQuery(ctx, c, filter)
	if err != nil {
		return SessionPage{}, err
	}
	limit := query.Limit
	query.Limit++ // one more than is shown tells whether there is a next page
	sessions, leftOut, err := f.Store.VisibleSessions(ctx, c.User, query)
	if err != nil {
		return SessionPage{}, err
	}
	f.judge(sessions)
	if len(sessions) <= limit {
		return SessionPage{Sessions: sessions, LeftOut: leftOut}, nil
	}
	return SessionPage{Sessions: sessions[:limit], Next: sessions[limit-1].place().String()}, nil
}

// recentEnd is how long ago a session may have ended to be among the recent ones.
const recentEnd = 24 * time.Hour

func (f *Fleet) sessionQuery(ctx context.Context, c auth.Caller, filter SessionFilter) (SessionQuery, error) {
	query := SessionQuery{State: filter.State, Limit: filter.Limit}
	if filter.State != "" && !slices.Contains(states, filter.State) {
		return query, refuse(ErrInvalid, "state %.40q: want one of %v", filter.State, states)
	}
	if filter.Limit < 0 || filter.Limit > maxSessions {
		return query, refuse(ErrInvalid, "limit %d: want 1 to %d", filter.Limit, maxSessions)
	}
	if filter.Limit == 0 {
		query.Limit = defaultSessions
	}
	if filter.Recent && filter.State == "" {
		query.Since = f.Now().Add(-recentEnd)
	}
	if filter.Cursor != "" {
		place, err := parsePlace(filter.Cursor)
		if err != nil {
			return query, err
		}
		query.After = &place
	}
	if filter.Host == "" {
		return query, nil
	}
	host, err := f.seeHost(ctx, c, filter.Host)
	query.Host = host.ID
	return query, err
}

// Session returns one session.
func (f *Fleet) Session(ctx context.Context, c auth.Caller, ref string) (Session, error) {
	return f.session(ctx, c, deed{scope: auth.ScopeSessionsRead, need: AccessViewer}, ref)
}

// messageGrace is how long an idle agent may take to begin with a message: the host waits some seconds for whoever
// is typing at the terminal, and 10 s for the agent's receipt. One that takes longer keeps nobody waiting.
const messageGrace = time.Minute

// judge decides what the time says of sessions that the store returned: a host that is silent for too long is away,
// and a message that is not taken up for too long is expected no more.
func (f *Fleet) judge(sessions []Session) {
	for i := range sessions {
		s := &sessions[i]
		s.HostOnline = s.HostOnline && f.Now().Sub(s.HostAway) < protocol.OfflineAfter
		if s.HostOnline {
			s.HostAway = time.Time{}
		}
		s.Expecting = s.MessageAt != nil &&
			(f.Now().Sub(*s.MessageAt) < messageGrace || f.Now().Sub(s.StateAt) < messageGrace)
	}
}

// stateWords says what a session does, and whether that is known.
func (s Session) stateWords() string {
	if s.HostOnline || s.State == protocol.StateExited {
		return string(s.State)
	}
	return "last known as " + string(s.State)
}

func (s Session) place() SessionPlace {
	return SessionPlace{Exited: s.State == protocol.StateExited, StartedAt: s.StartedAt, ID: s.ID}
}

// String is the place as a cursor.
func (p SessionPlace) String() string {
	// A bool, a time and a string always marshal.
	text, _ := json.Marshal(p)
	return base64.RawURLEncoding.EncodeToString(text)
}

func parsePlace(cursor string) (SessionPlace, error) {
	wrong := refuse(ErrInvalid, "cursor %.40q is not one that a listing gave", cursor)
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return SessionPlace{}, wrong
	}
	var place SessionPlace
	if err := json.Unmarshal(text, &place); err != nil {
		return SessionPlace{}, wrong
	}
	if _, err := protocol.ParseSessionID(string(place.ID)); err != nil {
		return SessionPlace{}, wrong
	}
	return place, nil
}
