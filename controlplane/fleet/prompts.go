package fleet

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"switchboard/auth"
	"switchboard/hostagent/protocol"
)

// Prompt is a question that an agent waits on, and what has become of it.
type Prompt struct {
	protocol.Prompt
	Handle     string // of its session
	Host       protocol.HostID
	HostName   string
	Status     protocol.PromptStatus
	AnsweredBy auth.UserID // whose answer was handed over
	Answerer   string      // his name
	AnsweredAt *time.Time
	Answer     *protocol.Answer
	Settlement *protocol.Settlement
}

// PromptStore keeps prompts.
type PromptStore interface {
	Prompt(ctx context.Context, id protocol.PromptID) (Prompt, error)
	// OpenPrompts are those of live sessions that the person may see, oldest first; host and session narrow them.
	OpenPrompts(ctx context.Context, user auth.UserID, host protocol.HostID, session protocol.SessionID) ([]Prompt, error)
	// LastPrompt is the one that was settled last in a session. ErrNotFound: none was.
	LastPrompt(ctx context.Context, session protocol.SessionID) (Prompt, error)
	// ClaimPrompt makes an answer the one that counts, and returns the command that carries it. ErrConflict: another
	// answer counts already, or the prompt is not the one that was read.
	ClaimPrompt(ctx context.Context, claim Claim) (protocol.CommandID, error)
	// ReleasePrompt takes a claim back, since nothing was done with it.
	ReleasePrompt(ctx context.Context, claim Claim) error
}

// Claim is one answer's attempt to be the first.
type Claim struct {
	Prompt  protocol.PromptID
	Digest  string // of the prompt that was read
	By      auth.UserID
	At      time.Time
	Answer  protocol.Answer
	Command protocol.CommandID
	// Stale is before when a claim of the same person with the same answer may be made again, because its outcome is
	// unknown. It keeps its command id, on which the host acts once.
	Stale time.Time
}

// Prompts returns the open prompts that the caller may see, narrowed to a host or a session.
func (f *Fleet) Prompts(ctx context.Context, c auth.Caller, host, session string) ([]Prompt, error) {
	if err := f.anywhere(ctx, c, deed{scope: auth.ScopeSessionsRead}); err != nil {
		return nil, err
	}
	var hostID protocol.HostID
	if host != "" {
		h, err := f.seeHost(ctx, c, host)
		if err != nil {
			return nil, err
		}
		hostID = h.ID
	}
	var sessionID protocol.SessionID
	if session != "" {
		s, err := f.seeSession(ctx, c, session)
		if err != nil {
			return nil, err
		}
		sessionID = s.ID
	}
	return f.Store.OpenPrompts(ctx, c.User, hostID, sessionID)
}

// Prompt returns one prompt, open or settled.
func (f *Fleet) Prompt(ctx context.Context, c auth.Caller, id protocol.PromptID) (Prompt, error) {
	if err := f.anywhere(ctx, c, deed{scope: auth.ScopeSessionsRead}); err != nil {
		return Prompt{}, err
	}
	prompt, _, err := f.seePrompt(ctx, c, string(id))
	return prompt, err
}

// seePrompt finds a prompt by its id, if the caller may see its session.
func (f *Fleet) seePrompt(ctx context.Context, c auth.Caller, id string) (Prompt, Session, error) {
	unseen := refuse(auth.ErrNotFound, "no prompt %.80q that you can see", id)
	if !plausible(id) {
		return Prompt{}, Session{}, unseen
	}
	prompt, err := f.Store.Prompt(ctx, protocol.PromptID(id))
	if err != nil {
		return Prompt{}, Session{}, unlessFound(err, unseen)
	}
	session, err := f.seeSession(ctx, c, string(prompt.Session))
	if err != nil {
		return Prompt{}, Session{}, unlessFound(err, unseen)
	}
	return prompt, session, nil
}

// AnswerPrompt answers a prompt, named by its id or by a session that has exactly one open. The first answer wins,
// wherever it comes from. What is returned is on its way to the agent; a settlement follows when there is evidence.
func (f *Fleet) AnswerPrompt(ctx context.Context, c auth.Caller, ref, response string) (Prompt, error) {
	command := protocol.CommandID(protocol.NewID())
	prompt, session, err := f.prompt(ctx, c, deed{
		action: "prompt.answer", scope: auth.ScopePromptsAnswer, need: AccessOperator, command: command,
	}, ref)
	if err != nil {
		return Prompt{}, err
	}
	answer, err := readResponse(prompt.Prompt, response)
	if err != nil {
		return Prompt{}, err
	}
	if session.State == protocol.StateExited {
		return Prompt{}, refuse(ErrConflict, "session %s has ended, and its prompt with it", session.Handle)
	}
	if strings.TrimSpace(ref) != string(prompt.ID) {
		if err := f.checkRepeat(ctx, c, session, prompt, answer); err != nil {
			return Prompt{}, err
		}
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	return f.answer(ctx, c, session, Claim{
		Prompt: prompt.ID, Digest: prompt.Digest, By: c.User, At: f.Now(), Answer: answer, Command: command,
		Stale: f.Now().Add(-actTimeout),
	})
}

// prompt is the gate to one prompt.
func (f *Fleet) prompt(ctx context.Context, c auth.Caller, d deed, ref string) (Prompt, Session, error) {
	if !c.Scopes.Has(d.scope) {
		return Prompt{}, Session{}, f.record(ctx, c, d.at(ref), &auth.ScopeError{Needed: d.scope})
	}
	prompt, session, err := f.meantPrompt(ctx, c, strings.TrimSpace(ref))
	if err != nil {
		return Prompt{}, Session{}, f.record(ctx, c, d.at(ref), err)
	}
	d.target = string(prompt.ID)
	d.detail = map[string]string{"digest": prompt.Digest}
	return prompt, session, f.enterSession(ctx, c, d, session)
}

// meantPrompt finds the prompt with this id, or the only open one of the session with this name.
func (f *Fleet) meantPrompt(ctx context.Context, c auth.Caller, ref string) (Prompt, Session, error) {
	prompt, session, err := f.seePrompt(ctx, c, ref)
	if err == nil || !errors.Is(err, auth.ErrNotFound) {
		return prompt, session, err
	}
	session, err = f.seeSession(ctx, c, ref)
	if errors.Is(err, auth.ErrNotFound) {
		return Prompt{}, Session{}, refuse(auth.ErrNotFound, "no prompt or session %.80q that you can see", ref)
	}
	var which *Question
	if errors.As(err, &which) { // a choice among names is no answer to a prompt that nobody has read
		return Prompt{}, Session{}, which.said
	}
	if err != nil {
		return Prompt{}, Session{}, err
	}
	if len(session.Open) == 0 {
		return Prompt{}, Session{}, f.noPrompt(ctx, session)
	}
	prompt, err = session.onlyPrompt()
	return prompt, session, err
}

// justSettled is how long ago a prompt may have been settled that is still meant by who names only its session.
const justSettled = 10 * time.Minute

// noPrompt says that a session has no open prompt, and what became of the one that was probably meant.
func (f *Fleet) noPrompt(ctx context.Context, session Session) error {
	last, err := f.Store.LastPrompt(ctx, session.ID)
	switch {
	case errors.Is(err, auth.ErrNotFound):
	case err != nil:
		return err
	case last.Settlement != nil && f.Now().Sub(last.Settlement.At) < justSettled:
		return refuse(ErrConflict, "session %s has no open prompt; %s", session.Handle, settledWords(last))
	}
	return refuse(ErrConflict, "session %s has no open prompt", session.Handle)
}

// onlyPrompt is the prompt that is meant when only its session is named, and it has some. One that nobody has
// answered yet goes before one whose answer is on its way.
func (s Session) onlyPrompt() (Prompt, error) {
	open := s.Open
	asked := slices.DeleteFunc(slices.Clone(open), func(p Prompt) bool { return p.Status != protocol.PromptAsked })
	if len(asked) > 0 {
		open = asked
	}
	if len(open) == 1 {
		return open[0], nil
	}
	var words []string
	for _, p := range open {
		words = append(words, fmt.Sprintf("%s (%s)", p.ID, p.Title))
	}
	return Prompt{}, refuse(ErrInvalid, "session %s has several open prompts; say which one by its id: %s",
		s.Handle, strings.Join(words, ", "))
}

// repeatTime is how long a client may take to send a call again of which it missed the answer.
const repeatTime = 2 * time.Minute

// checkRepeat refuses an answer that names only its session, if the same person has just said the same to another
// prompt there: a call that is sent again must not allow the next command, which nobody may have read.
func (f *Fleet) checkRepeat(ctx context.Context, c auth.Caller, session Session, prompt Prompt, answer protocol.Answer) error {
	before := slices.Clone(session.Open)
	last, err := f.Store.LastPrompt(ctx, session.ID)
	if err == nil {
		before = append(before, last)
	}
	if err != nil && !errors.Is(err, auth.ErrNotFound) {
		return err
	}
	for _, p := range before {
		if p.ID != prompt.ID && p.saidBy(c.User, answer, f.Now().Add(-repeatTime)) {
			return refuse(ErrConflict, "your answer went to the prompt before (%s); session %s now asks something else: %s. To answer that, name it by its id, %s",
				p.Title, session.Handle, prompt.Title, prompt.ID)
		}
	}
	return nil
}

// saidBy reports whether it is the person's answer, given after a time, that counts for the prompt.
func (p Prompt) saidBy(user auth.UserID, answer protocol.Answer, after time.Time) bool {
	return p.AnsweredBy == user && p.Answer != nil && p.AnsweredAt != nil && p.AnsweredAt.After(after) &&
		reflect.DeepEqual(*p.Answer, answer)
}

// answer makes the claim and, if it is the first, hands the answer to the host.
func (f *Fleet) answer(ctx context.Context, c auth.Caller, session Session, claim Claim) (Prompt, error) {
	command, err := f.Store.ClaimPrompt(ctx, claim)
	if errors.Is(err, ErrConflict) {
		return Prompt{}, f.tooLate(ctx, claim.Prompt)
	}
	if err != nil {
		return Prompt{}, err
	}
	again := command != claim.Command // the same answer was sent before, and nobody knows whether that one arrived
	claim.Command = command
	f.Changes.Publish(session.Host, session.ID)
	_, err = tell(ctx, f, session.peer(), protocol.AnswerPrompt, protocol.AnswerPromptRequest{
		Act: f.act(c, command), Session: session.ID, Prompt: claim.Prompt, Digest: claim.Digest, Answer: claim.Answer,
	})
	if err == nil {
		return f.Store.Prompt(ctx, claim.Prompt)
	}
	if nothingDone(err) && again {
		return Prompt{}, f.tooLate(ctx, claim.Prompt) // Reconcile finds out
	}
	if nothingDone(err) {
		if err := f.Store.ReleasePrompt(ctx, claim); err != nil {
			f.Log.WarnContext(ctx, "prompt whose answer did not arrive is still taken", "prompt", claim.Prompt, "err", err)
		}
		f.Changes.Publish(session.Host, session.ID)
	}
	return Prompt{}, err
}

// tooLate says whose answer was first.
func (f *Fleet) tooLate(ctx context.Context, id protocol.PromptID) error {
	prompt, err := f.Store.Prompt(ctx, id)
	if err != nil {
		return err
	}
	if prompt.Settlement != nil {
		return refuse(ErrConflict, "%s", settledWords(prompt))
	}
	if prompt.Answer == nil || prompt.AnsweredAt == nil {
		return refuse(ErrConflict, "prompt %s has changed since it was read; read it again", id)
	}
	return refuse(ErrConflict, "prompt %s was answered by %s at %s with %s; whether that took effect is not known yet",
		id, prompt.Answerer, prompt.AnsweredAt.UTC().Format(time.RFC3339), answerWords(*prompt.Answer))
}
