package session

import (
	"errors"
	"testing"

	"switchboard/hostagent/protocol"
)

// TestWithdraw: what came after its withdrawal is not done, also by a host agent that was started since; what came
// before is told.
func TestWithdraw(t *testing.T) {
	r := newRig(t)
	id := r.create("manual")
	late := protocol.SendMessageRequest{Act: act(), Session: id, Text: "too late"}
	late.Message = protocol.MessageID(late.Command)
	r.wantWithdrawn(protocol.WithdrawCommandRequest{Session: id, Command: late.Command}, false)
	refused := func() {
		t.Helper()
		_, err := r.Send(t.Context(), late)
		if known := (*protocol.Error)(nil); !errors.As(err, &known) || known.Code != protocol.CodeUnavailable {
			t.Errorf("a message that was taken back: %v, want unavailable", err)
		}
	}
	refused()
	check(t, r.Manager.Close())
	r.Manager = r.newManager()
	check(t, r.Open(t.Context()))
	refused()
	r.wantWithdrawn(protocol.WithdrawCommandRequest{Session: id, Command: late.Command}, false)

	sent := protocol.SendMessageRequest{Act: act(), Session: id, Text: "fake:bash touch x ;; text done"}
	sent.Message = protocol.MessageID(sent.Command)
	_, err := r.Send(t.Context(), sent)
	check(t, err)
	r.await(id, protocol.StateWaiting)
	reply := r.wantWithdrawn(protocol.WithdrawCommandRequest{Session: id, Command: sent.Command}, true)
	if reply.Message == nil || reply.Message.ID != sent.Message || reply.Message.Status != protocol.MessageAccepted {
		t.Errorf("the message is %+v, want accepted", reply.Message)
	}

	var asked protocol.Prompt
	for _, e := range r.events(id) {
		if e.Kind == protocol.EventPrompt {
			asked, err = protocol.Decode[protocol.Prompt](e)
			check(t, err)
		}
	}
	answer := protocol.AnswerPromptRequest{Act: act(), Session: id, Prompt: asked.ID, Digest: asked.Digest, Answer: protocol.Answer{Option: "deny"}}
	r.wantWithdrawn(protocol.WithdrawCommandRequest{Session: id, Command: answer.Command}, false)
	if _, err := r.Answer(t.Context(), answer); err == nil {
		t.Error("an answer that was taken back was given")
	}
	answer.Command = protocol.CommandID(protocol.NewID())
	_, err = r.Answer(t.Context(), answer)
	check(t, err)
	r.wantWithdrawn(protocol.WithdrawCommandRequest{Session: id, Command: answer.Command}, true)

	_, err = r.Withdraw(t.Context(), protocol.WithdrawCommandRequest{Session: protocol.NewSessionID(), Command: "c1"})
	if known := (*protocol.Error)(nil); !errors.As(err, &known) || known.Code != protocol.CodeNotFound {
		t.Errorf("of a session that is not here: %v, want not found", err)
	}
}

func (r *rig) wantWithdrawn(request protocol.WithdrawCommandRequest, acted bool) protocol.WithdrawCommandReply {
	r.t.Helper()
	reply, err := r.Withdraw(r.t.Context(), request)
	check(r.t, err)
	if reply.Acted != acted {
		r.t.Errorf("withdrawing %s: acted %v, want %v", request.Command, reply.Acted, acted)
	}
	return reply
}
