package fleet

import (
	"context"
	"time"

	"switchboard/auth"
	"switchboard/auth/audit"
	"switchboard/hostagent/protocol"
)

func (f *Fleet) ListHosts(ctx context.Context, c auth.Caller) ([]Host, error) {
	return nil, ErrUnavailable
}
func (f *Fleet) Host(ctx context.Context, c auth.Caller, ref string) (Host, error) {
	return Host{}, ErrUnavailable
}
func (f *Fleet) Shares(ctx context.Context, c auth.Caller, ref string) ([]Share, error) {
	return nil, ErrUnavailable
}
func (f *Fleet) ShareHost(ctx context.Context, c auth.Caller, ref string, user auth.UserID, access Access) error {
	return ErrUnavailable
}
func (f *Fleet) CreateJoinToken(ctx context.Context, c auth.Caller, hostName string) (JoinToken, error) {
	return JoinToken{}, ErrUnavailable
}
func (f *Fleet) RemoveHost(ctx context.Context, c auth.Caller, ref string) error {
	return ErrUnavailable
}
func (f *Fleet) NewLocalJoinToken(ctx context.Context, hostName string) (JoinToken, error) {
	return JoinToken{}, ErrUnavailable
}
func (f *Fleet) Enrol(ctx context.Context, e Enrolment, addr string) (Host, error) {
	return Host{}, ErrUnavailable
}
func (f *Fleet) HostByKey(ctx context.Context, nkey string) (Host, error) {
	return Host{}, ErrUnavailable
}
func (f *Fleet) AdoptHosts(ctx context.Context, first auth.UserID) error { return ErrUnavailable }
func (f *Fleet) RecordHello(ctx context.Context, host protocol.HostID, r protocol.HelloRequest) (protocol.HelloReply, error) {
	return protocol.HelloReply{}, ErrUnavailable
}
func (f *Fleet) RecordHeartbeat(ctx context.Context, host protocol.HostID, r protocol.HeartbeatRequest) (protocol.Nothing, error) {
	return protocol.Nothing{}, ErrUnavailable
}
func (f *Fleet) RecordLeaving(ctx context.Context, host protocol.HostID, r protocol.Nothing) (protocol.Nothing, error) {
	return protocol.Nothing{}, ErrUnavailable
}
func (f *Fleet) RecordEvents(ctx context.Context, host protocol.HostID, r protocol.EventsRequest) (protocol.EventsReply, error) {
	return protocol.EventsReply{}, ErrUnavailable
}
func (f *Fleet) RecordAway(ctx context.Context, host protocol.HostID) error { return ErrUnavailable }
func (f *Fleet) ListSessions(ctx context.Context, c auth.Caller, filter SessionFilter) (SessionPage, error) {
	return SessionPage{}, ErrUnavailable
}
func (f *Fleet) Session(ctx context.Context, c auth.Caller, ref string) (Session, error) {
	return Session{}, ErrUnavailable
}
func (f *Fleet) CreateSession(ctx context.Context, c auth.Caller, n NewSession) (Session, error) {
	return Session{}, ErrUnavailable
}
func (f *Fleet) TerminateSession(ctx context.Context, c auth.Caller, ref string, force bool) (Session, error) {
	return Session{}, ErrUnavailable
}
func (f *Fleet) InterruptSession(ctx context.Context, c auth.Caller, ref string) (Session, error) {
	return Session{}, ErrUnavailable
}
func (f *Fleet) ResumeSession(ctx context.Context, c auth.Caller, ref string) (Session, error) {
	return Session{}, ErrUnavailable
}
func (f *Fleet) SendMessage(ctx context.Context, c auth.Caller, ref, text, key string) (Message, error) {
	return Message{}, ErrUnavailable
}
func (f *Fleet) Message(ctx context.Context, c auth.Caller, id protocol.MessageID) (Message, error) {
	return Message{}, ErrUnavailable
}
func (f *Fleet) Prompts(ctx context.Context, c auth.Caller, host, session string) ([]Prompt, error) {
	return nil, ErrUnavailable
}
func (f *Fleet) Prompt(ctx context.Context, c auth.Caller, id protocol.PromptID) (Prompt, error) {
	return Prompt{}, ErrUnavailable
}
func (f *Fleet) AnswerPrompt(ctx context.Context, c auth.Caller, ref, response string) (Prompt, error) {
	return Prompt{}, ErrUnavailable
}

// TranscriptEntry is one entry of a session's transcript with its place.
type TranscriptEntry struct {
	Seq uint64
	At  time.Time
	protocol.Entry
}

// TranscriptPage is a run of a session's transcript.
type TranscriptPage struct {
	Session Session
	Entries []TranscriptEntry
	Cursor  string // goes on after the last entry
	More    bool   // there are entries after the last
}

func (f *Fleet) Transcript(ctx context.Context, c auth.Caller, ref, cursor string, limit int) (TranscriptPage, error) {
	return TranscriptPage{}, ErrUnavailable
}
func (f *Fleet) Screen(ctx context.Context, c auth.Caller, ref string) (Session, protocol.ReadScreenReply, error) {
	return Session{}, protocol.ReadScreenReply{}, ErrUnavailable
}
func (f *Fleet) Terminal(ctx context.Context, c auth.Caller, ref string, lines int) (Session, protocol.ReadTerminalReply, error) {
	return Session{}, protocol.ReadTerminalReply{}, ErrUnavailable
}
func (f *Fleet) SessionChanges(ctx context.Context, c auth.Caller, ref, path string) (Session, protocol.ReadChangesReply, error) {
	return Session{}, protocol.ReadChangesReply{}, ErrUnavailable
}

// WaitFor is what a caller waits for.
type WaitFor struct {
	Session string // ref; empty: any that the caller may see
	Until   Until
	Timeout time.Duration // at most MaxWait
	Cursor  string
}

// Until is the kind of news that ends a wait.
type Until string

// The kinds of news.
const (
	UntilChange    Until = "change"    // anything new after the cursor
	UntilAttention Until = "attention" // a prompt is open, or it went idle or exited
	UntilIdle      Until = "idle"
	UntilPrompt    Until = "prompt"
	UntilExited    Until = "exited"
)

// Waited is how a wait ended.
type Waited struct {
	Reached  bool // false: the time is over
	Sessions []Session
	Entries  []TranscriptEntry // of one named session, new since the cursor
	Cursor   string
}

func (f *Fleet) WaitForSession(ctx context.Context, c auth.Caller, w WaitFor) (Waited, error) {
	return Waited{}, ErrUnavailable
}
func (f *Fleet) WaitForMessage(ctx context.Context, c auth.Caller, id protocol.MessageID, timeout time.Duration) (Message, error) {
	return Message{}, ErrUnavailable
}

// Found is one thing that a search found.
type Found struct{ ID, Title, URL, Snippet string }

// Document is what stands behind a search's result.
type Document struct {
	ID, Title, Text, URL string
	Metadata             map[string]string
}

func (f *Fleet) Search(ctx context.Context, c auth.Caller, query string) ([]Found, error) {
	return nil, ErrUnavailable
}
func (f *Fleet) Fetch(ctx context.Context, c auth.Caller, id string) (Document, error) {
	return Document{}, ErrUnavailable
}
func (f *Fleet) Templates(ctx context.Context, c auth.Caller) ([]Template, error) {
	return nil, ErrUnavailable
}
func (f *Fleet) SaveTemplate(ctx context.Context, c auth.Caller, t Template) error {
	return ErrUnavailable
}
func (f *Fleet) RemoveTemplate(ctx context.Context, c auth.Caller, name string) error {
	return ErrUnavailable
}
func (f *Fleet) AuditLog(ctx context.Context, c auth.Caller, before int64, limit int) ([]audit.Event, error) {
	return nil, ErrUnavailable
}
