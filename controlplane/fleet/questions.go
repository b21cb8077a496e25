package fleet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"switchboard/auth"
	"switchboard/auth/audit"
	"switchboard/hostagent/protocol"
)

// Question is what only the person himself can say: which session he means, or whether what is lost by an act may be
// lost. It is an error of the operation that has it, which has done nothing. Who can put it to him calls again with
// his Answer; who cannot shows its text, which says what else to do.
type Question struct {
	Which   []Session // he must choose one of these; nil: he must confirm
	Session Session   // what is lost in it is to be confirmed
	Stake   string    // what is to be confirmed, for Answer

	said *refusal
}

func (q *Question) Error() string { return q.said.Error() }

// Unwrap makes it the refusal that it is for those who cannot ask.
func (q *Question) Unwrap() error { return q.said }

// Answer is what the person said to a Question. The zero value is that of one who was not asked.
type Answer struct {
	ID      string    // random; it allows one act, ever
	Expires time.Time // its holder lets nobody use it after that, so that it need not be remembered for longer
	Stake   string    // what he confirmed; empty: nothing
}

// AnswerStore remembers which answers have been used.
type AnswerStore interface {
	// RecordAnswered keeps the audit record of what an answer leads to and, in the same commit, that it is used. If it
	// was used before, the record is kept as that of a refusal, and the error is ErrAnswered.
	RecordAnswered(ctx context.Context, record audit.Event, a Answer) error
	// DeleteAnswers forgets those that had expired at a time.
	DeleteAnswers(ctx context.Context, expired time.Time) error
}

// ErrAnswered says that an answer was used before.
var ErrAnswered = errors.New("the answer was used before")

// errUnconfirmed is the kind of refusal that a question to confirm is.
var errUnconfirmed = errors.New("to be confirmed by the person")

// Acting is Fleet for one call whose client can put questions to its person, or brings his answer. Its own operations
// ask before they act and use the answer up; all others are Fleet's.
type Acting struct {
	*Fleet
	CanAsk bool
	Answer Answer
}

// operate is the deed of one who acts on a session.
func (a Acting) operate(action string, command protocol.CommandID) deed {
	return deed{
		action: action, scope: auth.ScopeSessionsWrite, need: AccessOperator, command: command, answer: a.Answer,
	}
}

// whichSession asks which of several sessions with one name is meant.
func whichSession(ref string, found []Session) *Question {
	return &Question{
		Which: found[:min(len(found), maxCandidates)],
		said:  &refusal{ErrInvalid, fmt.Sprintf("session %q could be any of: %s", ref, candidates(found))},
	}
}

// confirmEnd asks whether what a session's end breaks off may be lost, unless he has confirmed exactly that.
func (a Acting) confirmEnd(s Session) error {
	stake := s.stake()
	if !a.CanAsk || stake == "" || stake == a.Answer.Stake {
		return nil
	}
	return &Question{
		Session: s, Stake: stake,
		said: &refusal{errUnconfirmed, fmt.Sprintf("session %s is %s: that it ends has to be confirmed", s.Handle, s.stateWords())},
	}
}

// stake is a digest of what is lost if a session ends now: the turn that its agent is in, and the prompts that wait
// for an answer. Empty: nothing is, or nobody knows, since its host is away.
func (s Session) stake() string {
	busy := s.State == protocol.StateWorking || s.Expecting || len(s.Open) > 0
	if !busy || !s.HostOnline || s.State == protocol.StateExited {
		return ""
	}
	sum := sha256.New()
	fmt.Fprintln(sum, s.ID, s.State, s.StateAt.UnixMicro(), s.Expecting)
	for _, p := range s.Open {
		fmt.Fprintln(sum, p.ID, p.Digest)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Decline records that the person does not want what he was asked about, and uses the question up: nobody can answer
// it otherwise later.
func (f *Fleet) Decline(ctx context.Context, c auth.Caller, tool string, a Answer) error {
	d := deed{action: "question.decline", target: tool, answer: a}
	return f.recordDeed(ctx, c, d, d.event(), nil)
}

// RefuseAnswer records an answer that does not count, and why, and returns the refusal.
func (f *Fleet) RefuseAnswer(ctx context.Context, c auth.Caller, tool, why string) error {
	refused := refuse(ErrInvalid, "This answer does not count: %s. Nothing was done; call %s again without it.", why, tool)
	event := deed{action: "question.answer", target: tool, detail: map[string]string{"why": why}}.event()
	return f.record(ctx, c, event, refused)
}

// usedBefore is the refusal of an answer that has been used.
func usedBefore() error {
	return refuse(ErrConflict, "This answer was used already, and allows nothing more. Look whether what was asked for is done before you ask for it again.")
}

// answerSlack is how far replicas' clocks may be apart.
const answerSlack = time.Hour
