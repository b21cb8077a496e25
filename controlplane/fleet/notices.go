package fleet

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"switchboard/hostagent/protocol"
)

// NoticeKind is a kind of thing that a person may want to hear of while he does something else.
type NoticeKind string

// The kinds.
const (
	NoticeNeedsAnswer NoticeKind = "session.needs_answer" // a prompt was asked
	NoticeFinished    NoticeKind = "session.finished"     // the agent is done with what it was told
	NoticeEnded       NoticeKind = "session.ended"        // the agent has exited
)

// Notice is one of them. It follows from an event, and is committed with it.
type Notice struct {
	Kind   NoticeKind
	Seq    uint64 // of the event
	At     time.Time
	Prompt protocol.PromptID // of NoticeNeedsAnswer
}

// PendingNotice is a notice that somebody has not been told yet, and still should.
type PendingNotice struct {
	Notice
	Session  protocol.SessionID
	Handle   string
	Name     string
	HostName string
	Prompted protocol.PromptKind // of NoticeNeedsAnswer
	Exit     string              // of NoticeEnded: why
	Attempts int                 // that failed
}

// NoticeStore keeps what is to be told. RecordEvents writes it.
type NoticeStore interface {
	// ClaimSubscriptions takes up to limit that have something to tell, and keeps the other replicas off them until
	// the lease ends. Those of people, clients and grants that are out are left alone.
	ClaimSubscriptions(ctx context.Context, now, lease time.Time, limit int) ([]Subscription, error)
	// NextNotice is the oldest of a subscription's, made after since, that its person may still hear of and that is
	// still so. Those before it that are not are dropped. ErrNotFound: there is none, or its client is out meanwhile.
	NextNotice(ctx context.Context, subscription string, since time.Time) (PendingNotice, error)
	// NoticeTold forgets a notice, since it was taken.
	NoticeTold(ctx context.Context, subscription string, n PendingNotice, at time.Time) error
	// NoticeRefused forgets a notice, since it never will be taken, and says why.
	NoticeRefused(ctx context.Context, subscription string, n PendingNotice, why string, at time.Time) error
	// NoticeFailed counts an attempt, and lets the subscription wait until next, or for its client to renew it if
	// active is false.
	NoticeFailed(ctx context.Context, subscription string, n PendingNotice, f Failure) error
	// ReleaseSubscription ends a lease: there is nothing more to tell.
	ReleaseSubscription(ctx context.Context, subscription string, now time.Time) error
	// DeleteStaleSubscriptions removes those that are over, and notices older than since.
	DeleteStaleSubscriptions(ctx context.Context, now, since time.Time) error
}

// Failure is what became of an attempt to tell.
type Failure struct {
	Why    string // one of notify's reasons
	At     time.Time
	Next   time.Time
	Active bool
}

// notices are what follows from an event for who may want to hear of it. Whether a state is news, the store knows,
// which has the state before.
func notices(e protocol.Event, b Batch) []Notice {
	n := Notice{Seq: e.Seq, At: e.At}
	switch {
	case e.Kind == protocol.EventPrompt:
		n.Kind, n.Prompt = NoticeNeedsAnswer, b.Prompts[len(b.Prompts)-1].ID
	case e.Kind == protocol.EventSession && b.State.State == protocol.StateIdle:
		n.Kind = NoticeFinished
	case e.Kind == protocol.EventSession && b.State.State == protocol.StateExited:
		n.Kind = NoticeEnded
	default:
		return nil
	}
	return []Notice{n}
}

// ID is the same at every attempt, and for everyone who is told.
func (n PendingNotice) ID() string {
	return "evt_" + shortHash(string(n.Session), strconv.FormatUint(n.Seq, 10), string(n.Kind))
}

// occurrence is a notice as MCP Events has it ("EventOccurrence").
type occurrence struct {
	EventID   string          `json:"eventId"`
	Name      NoticeKind      `json:"name"`
	Timestamp time.Time       `json:"timestamp"`
	Data      NoticeData      `json:"data"`
	Cursor    json.RawMessage `json:"cursor"` // null: there is no replay
}

// NoticeData is what a notice tells. It holds nothing that the agent wrote: who wants to know looks with a tool,
// which asks again whether he may.
type NoticeData struct {
	SessionID string `json:"session_id" doc:"the session's handle, for the tools"`
	Name      string `json:"name" doc:"what the user calls the session"`
	Host      string `json:"host" doc:"the machine it runs on"`
	URL       string `json:"url" doc:"the session's page"`
	PromptID  string `json:"prompt_id,omitempty" doc:"the question, for respond_to_prompt"`
	Asks      string `json:"asks,omitempty" doc:"the kind of question: permission, choice, plan, trust, elicitation or dialog"`
	Reason    string `json:"reason,omitempty" doc:"why the session ended"`
}

func (f *Fleet) occurrence(n PendingNotice) ([]byte, error) {
	return json.Marshal(occurrence{
		EventID: n.ID(), Name: n.Kind, Timestamp: n.At.UTC(), Cursor: json.RawMessage("null"),
		Data: NoticeData{
			SessionID: n.Handle, Name: n.Name, Host: n.HostName, URL: f.PublicURL + "/sessions/" + string(n.Session),
			PromptID: string(n.Prompt), Asks: string(n.Prompted), Reason: n.Exit,
		},
	})
}

// shortHash is 130 bits of a hash over some words, in small letters and digits.
func shortHash(words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:26])
}

// Sweep deletes what can no longer matter. The program calls it now and then.
func (f *Fleet) Sweep(ctx context.Context) error {
	now := f.Now()
	return errors.Join(
		f.Store.DeleteStaleSubscriptions(ctx, now, now.Add(-noticeLife)),
		f.Store.DeleteAnswers(ctx, now.Add(-answerSlack)),
		f.Store.DeleteSegments(ctx, now.Add(-f.Recordings.Keep)),
	)
}
