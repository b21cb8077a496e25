package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// Answer hands an answer to the agent, if it is the first one and for exactly the prompt that was read.
func (m *Manager) Answer(ctx context.Context, r protocol.AnswerPromptRequest) (protocol.AnswerPromptReply, error) {
	s, err := m.begin(r.Session, r.Act)
	if err != nil {
		return protocol.AnswerPromptReply{}, err
	}
	free, err := s.acting.take(ctx, whileActing)
	if err != nil {
		return protocol.AnswerPromptReply{}, err
	}
	defer free()
	if err := s.notWithdrawn(r.Command); err != nil {
		return protocol.AnswerPromptReply{}, err
	}
	asked, payload, repeated, err := s.answerable(r)
	if err != nil {
		return protocol.AnswerPromptReply{}, err
	}
	if repeated {
		return protocol.AnswerPromptReply{Status: asked.status}, nil
	}
	if err := s.may(featureOf[asked.Kind], "answer this prompt at the terminal"); err != nil {
		return protocol.AnswerPromptReply{}, err
	}
	if asked.AtTerminal() {
		return protocol.AnswerPromptReply{}, protocol.Errorf(protocol.CodeInvalid, "this prompt can be answered at the terminal only")
	}
	if err := m.allowedOption(s.kind, payload, r.Answer); err != nil {
		return protocol.AnswerPromptReply{}, err
	}
	client, err := s.dial(ctx)
	if err != nil {
		return protocol.AnswerPromptReply{}, s.cannotReach(err)
	}
	defer client.Close()
	note := answerNote{Prompt: r.Prompt, Command: r.Command, Actor: outgoingLine(r.Actor), Answer: r.Answer}
	switch {
	case asked.Kind == protocol.PromptElicitation:
		err = s.answerForm(ctx, client, asked.Prompt, payload, note)
	case payload == nil:
		err = s.answerDialog(ctx, client, asked.Prompt, note)
	default:
		err = s.answerHook(ctx, client, payload, note)
	}
	if err != nil {
		return protocol.AnswerPromptReply{}, s.answerFailed(r.Prompt, err)
	}
	return protocol.AnswerPromptReply{Status: protocol.PromptAnswering}, nil
}

// askedPrompt is a prompt as it was when somebody answered.
type askedPrompt struct {
	protocol.Prompt
	status protocol.PromptStatus
}

// answerable checks that this answer may be given: the prompt is open, and it is the one that was read.
func (s *session) answerable(r protocol.AnswerPromptRequest) (asked askedPrompt, payload []byte, repeated bool, err error) {
	s.view(func(f *fold) {
		p := f.prompts[r.Prompt]
		if p == nil {
			err = protocol.Errorf(protocol.CodeNotFound, "the session has no prompt %.60q", r.Prompt)
			return
		}
		asked, payload = askedPrompt{p.Prompt, p.status()}, p.payload
		handed := p.handed() && (p.payload != nil || s.now().Sub(p.handedAt) < dialogStuck)
		repeated = p.answer != nil && p.answer.Command == r.Command && (handed || p.settlement != nil)
		switch {
		case repeated:
		case p.settlement != nil:
			err = protocol.Errorf(protocol.CodeSettled, "%s", p.settledWords())
		case handed:
			err = protocol.Errorf(protocol.CodeSettled, "%s has answered this prompt already; the agent is taking that in", p.answer.Actor)
		case p.closing != nil:
			err = protocol.Errorf(protocol.CodeSettled, "this prompt is no longer open at the terminal (%s)", p.closing.evidence)
		case r.Digest != p.Digest:
			err = protocol.Errorf(protocol.CodeConflict, "the prompt is not the one that was read; read it again")
		}
	})
	return asked, payload, repeated, err
}

// dialogStuck is how long after its keys a dialog that is still on the screen may be answered again.
const dialogStuck = 3 * time.Second

func (p *prompt) status() protocol.PromptStatus {
	switch {
	case p.settlement != nil:
		return protocol.PromptSettled
	case p.handed():
		return protocol.PromptAnswering
	}
	return protocol.PromptAsked
}

// settledWords says who settled a prompt and how, for whoever comes too late.
func (p *prompt) settledWords() string {
	settled := p.settlement
	who := map[protocol.Where]string{
		protocol.WhereRemote:   settled.Actor,
		protocol.WhereTerminal: "somebody at the terminal",
		protocol.WhereRule:     "a rule on the host",
		protocol.WhereNobody:   "nobody",
	}[settled.Where]
	words := fmt.Sprintf("this prompt is settled: %s by %s at %s", settled.Outcome, who, settled.At.Format(time.TimeOnly))
	if settled.Answer != "" {
		words += fmt.Sprintf(" (%s)", settled.Answer)
	}
	return words
}

// allowedOption keeps a remote answer from switching to a permission mode that the host's owner does not allow.
func (m *Manager) allowedOption(kind agentkind.Kind, payload []byte, answer protocol.Answer) error {
	if payload == nil {
		return nil
	}
	ask, err := kind.ReadAsk(payload)
	if err != nil {
		return protocol.Errorf(protocol.CodeInternal, "%v", err)
	}
	for _, option := range ask.Options {
		if option.ID == answer.Option && option.Mode != "" {
			if err := m.rules().Mode(option.Mode); err != nil {
				return fromPolicy(err)
			}
		}
	}
	return nil
}

func (s *session) answerHook(ctx context.Context, client *holder.Client, payload []byte, note answerNote) error {
	reply, err := s.kind.Reply(payload, agentkind.Answer{
		Actor: note.Actor, Option: note.Answer.Option, Text: outgoing(note.Answer.Text), Choices: note.Answer.Choices,
	})
	if err != nil {
		return protocol.Errorf(protocol.CodeInvalid, "%v", err)
	}
	if err := s.note(ctx, client, noteAnswer, note); err != nil {
		return err
	}
	if err := client.Answer(ctx, holder.HookID(note.Prompt), reply); err != nil {
		return err
	}
	return s.until(ctx, func(f *fold) bool {
		p := f.prompts[note.Prompt]
		return p.handed() || p.settlement != nil
	})
}

// answerFailed says what is known when an answer could not be handed over.
func (s *session) answerFailed(id protocol.PromptID, err error) error {
	if known := (*protocol.Error)(nil); errors.As(err, &known) {
		return known
	}
	if !errors.Is(err, holder.ErrHookGone) {
		return protocol.Errorf(protocol.CodeInternal, "handing the answer over: %v", err)
	}
	words := "this prompt is no longer open at the terminal"
	s.view(func(f *fold) {
		if p := f.prompts[id]; p != nil && p.settlement != nil {
			words = p.settledWords()
		}
	})
	return protocol.Errorf(protocol.CodeSettled, "%s", words)
}
