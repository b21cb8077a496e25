package session

import (
	"cmp"
	"fmt"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// statusSettles is how long the agent's own status must have said the same before it alone is believed over a
// hook that says otherwise, or settles a prompt. Hooks and transcript usually tell more, and within 0.2 s.
const statusSettles = time.Second

// statusMissing is how long a started agent has to show its status before we do without.
const statusMissing = 3 * time.Second

// maxFailure is how much of the agent's words about a failure stands in the evidence.
const maxFailure = 200 // bytes

// evidenceStatus names the agent's own status file as evidence.
const evidenceStatus = "status file"

// become is the only place that assigns the session's state. That something else says the same is no news, unless the
// state can be relied on more or less than before.
func (f *fold) become(state protocol.State, evidence string, at time.Time) {
	if f.recall {
		return
	}
	if f.session.State != state {
		f.session.State, f.session.Evidence, f.session.StateAt = state, outgoingLine(evidence), at
		f.session.Confidence = f.confidence()
		f.tell(at, protocol.EventSession, f.session)
		return
	}
	if now := f.confidence(); f.session.Confidence != now && f.session.Confidence != "" {
		f.session.Confidence = now
		f.tell(at, protocol.EventSession, f.session)
	}
}

// derive finds the state that follows from all evidence: the process's end first, then an open prompt, then the
// newest sign of activity.
func (f *fold) derive(at time.Time) {
	if f.session.ExitedAt != nil {
		f.become(protocol.StateExited, cmp.Or(f.ended, f.session.ExitReason), at)
		return
	}
	if p := f.asking(); p != nil {
		f.become(protocol.StateWaiting, p.evidence, at)
		if f.session.Evidence != outgoingLine(p.evidence) {
			f.because(protocol.StateWaiting, p.evidence, at)
		}
		return
	}
	if why := f.withheld(agentkind.FeatureState); why != "" {
		f.become(protocol.StateUncertain, why, at)
		return
	}
	if why := f.contradiction(at); why != "" {
		f.become(protocol.StateUncertain, why, at)
		return
	}
	f.become(f.activity.state, f.activity.evidence, f.activity.at)
}

// does records a sign of activity, unless a newer one is known.
func (f *fold) does(state protocol.State, evidence string, at time.Time) {
	if at.Before(f.activity.at) {
		return
	}
	f.activity = activity{state: state, evidence: evidence, at: at}
}

// started is the beginning of a run: the first, or one that resumes the session.
func (f *fold) started(at time.Time, body holder.Started) {
	f.runs++
	f.process.PID, f.process.StartedAt = body.PID, at
	f.ready = false
	f.tools = nil
	clear(f.running)
	f.dialog = dialogNote{}
	f.status, f.noStatus, f.otherStatus = agentkind.Status{}, time.Time{}, time.Time{}
	f.ending, f.background = "", 0
	f.turnOver, f.submitted = time.Time{}, time.Time{}
	f.session.ExitedAt, f.session.ExitCode, f.session.ExitReason = nil, nil, ""
	f.boot = body.Boot
	f.activity = activity{state: protocol.StateStarting, evidence: outgoingLine(cmp.Or(body.Why, "process start")), at: at}
	f.session.ByPolicy = body.Why != "" && f.runs > 1
	if body.Why != "" {
		f.notice(at, body.Why)
	}
	f.tellCaveat(at)
}

// tellCaveat says in the transcript what is not to be relied on with this version of the agent.
func (f *fold) tellCaveat(at time.Time) {
	if caveat := f.kind.Caveat(f.version); caveat != "" {
		f.notice(at, caveat)
	}
}

// notice says something in the transcript that nobody wrote there.
func (f *fold) notice(at time.Time, text string) {
	f.tell(at, protocol.EventEntry, protocol.Entry{Role: protocol.RoleNotice, Text: outgoing(text)})
}

func (f *fold) exited(at time.Time, body holder.Exited) {
	evidence := fmt.Sprintf("process exit, code %d", body.Code)
	if body.Signal != "" {
		evidence = "process exit, signal: " + body.Signal
	}
	reason := cmp.Or(f.ending, evidence)
	if body.HolderEnded && f.ending == "" {
		evidence, reason = evidenceHolderEnded, f.whyGone(evidenceHolderEnded)
	}
	f.end(at, evidence, "process exit", reason)
	code := body.Code
	f.session.ExitCode = &code
}

// doubt is what remains of a run when the evidence cannot be read. Of one that is over, its end is known.
func (f *fold) doubt(why string, at time.Time) {
	if f.session.ExitedAt != nil {
		return
	}
	f.does(protocol.StateUncertain, outgoingLine(why), at)
	f.become(protocol.StateUncertain, outgoingLine(why), at)
}

// end is the end of a run. A prompt that is open is settled by what evidence there is of that.
func (f *fold) end(at time.Time, evidence, settles, reason string) {
	f.session.ExitedAt, f.session.ExitReason = &at, reason
	f.ended = evidence
	f.session.ExitCode = nil
	f.process.PID = 0
	clear(f.running)
	for _, p := range f.openPrompts() {
		p.held = false
		p.close(p.over(at, settles))
		p.closing.now = true
	}
	f.failMessages(at)
}

func (f *fold) hook(at time.Time, body holder.Hook) {
	hook, err := f.kind.ReadHook(body.Payload)
	if err != nil {
		return // not one of ours: nobody else's words are evidence
	}
	f.followConversation(hook)
	f.followSubagent(hook)
	evidence := "hook " + hook.Event
	switch hook.Kind {
	case agentkind.HookStarted:
		f.conversationStarted(evidence, at)
	case agentkind.HookEnded:
		f.ending = cmp.Or(f.ending, hook.Text)
	case agentkind.HookSubmitted:
		f.messageReceived(at, hook.Text)
		f.does(protocol.StateWorking, evidence, at)
		f.submitted = at
	case agentkind.HookToolStarting:
		f.toolStarting(at, body, hook)
		f.mainDoes(hook, protocol.StateWorking, evidence, at)
	case agentkind.HookAsked:
		f.asked(at, body, hook)
	case agentkind.HookToolDone, agentkind.HookToolFailed:
		f.toolEnded(at, evidence, hook)
		f.mainDoes(hook, protocol.StateWorking, evidence, at)
	case agentkind.HookFormAsked:
		f.formAsked(at, body, hook)
	case agentkind.HookFormAnswered:
		f.formAnswered(at, evidence, body, hook)
	case agentkind.HookFormOver:
		f.formOver(at, evidence, hook)
	case agentkind.HookCompacting:
		evidence += ": " + hook.Text
		f.does(protocol.StateWorking, evidence, at)
		f.because(protocol.StateWorking, evidence, at)
	case agentkind.HookCompacted:
		f.because(protocol.StateWorking, evidence, at)
	case agentkind.HookTurnDone, agentkind.HookTurnFailed:
		f.background = hook.Background
		f.turnOver, f.submitted = at, time.Time{}
		if hook.Failure != "" {
			evidence += ": " + hook.Failure
		}
		f.agentStopped(at, evidence, "")
		if hook.Failure != "" && hook.Text != "" {
			evidence += " (" + cut(hook.Text, maxFailure) + ")" // of a rate limit it may say until when it lasts
		}
		f.does(protocol.StateIdle, evidence, at)
		if hook.Failure != "" && f.session.Evidence == evidenceStatus {
			f.because(protocol.StateIdle, evidence, at)
		}
	case agentkind.HookAgentDone:
		f.agentStopped(at, evidence, hook.Agent)
	}
}

// because tells better evidence of a state that the session is in already.
func (f *fold) because(state protocol.State, evidence string, at time.Time) {
	if f.session.State != state || f.recall {
		return
	}
	f.session.Evidence, f.session.StateAt = outgoingLine(evidence), at
	f.session.Confidence = f.confidence()
	f.tell(at, protocol.EventSession, f.session)
}

// mainDoes leaves subagents out: they may work in the background while the session is idle.
func (f *fold) mainDoes(hook agentkind.Hook, state protocol.State, evidence string, at time.Time) {
	if hook.Agent == "" {
		f.does(state, evidence, at)
		f.submitted = time.Time{}
	}
}

// followConversation notices where the agent writes its transcript, and under which id it could be resumed: both
// change when a person clears the conversation.
func (f *fold) followConversation(hook agentkind.Hook) {
	if hook.Agent != "" {
		return
	}
	if hook.Session != "" {
		f.process.Session = hook.Session
	}
	if hook.Transcript != "" && hook.Transcript != f.lastTranscript() {
		f.transcripts = append(f.transcripts, hook.Transcript)
	}
	if f.position.Transcript == "" {
		f.nextTranscript()
	}
	if hook.Mode != "" {
		f.session.PermissionMode = outgoingLine(hook.Mode)
	}
}

// followSubagent notices which subagents there are, and which of them are at work.
func (f *fold) followSubagent(hook agentkind.Hook) {
	if hook.Agent == "" {
		return
	}
	f.subagents[hook.Agent] = hook.Subagent
	if f.running[hook.Agent] = true; hook.Kind == agentkind.HookAgentDone {
		delete(f.running, hook.Agent)
	}
}

// conversationStarted says that the dialogs before the first conversation are behind.
func (f *fold) conversationStarted(evidence string, at time.Time) {
	f.dialogLeft(at, evidence)
	if f.ready {
		return // cleared, compacted or resumed within the run: the agent goes on as it was
	}
	f.ready = true
	f.does(protocol.StateStarting, evidence, at)
}

// observeStatus takes in what the agent says about itself. It alone shows that a person pressed Esc, and that a
// dialog is open which no hook reports.
func (f *fold) observeStatus(status agentkind.Status, now time.Time) {
	f.status, f.noStatus = status, time.Time{}
	f.compareConversation(now)
	f.followTurn(now)
	if status.Version != "" && status.Version != f.version {
		f.runsVersion(status.Version)
		f.tellCaveat(now)
	}
	newer := status.At.After(f.activity.at)
	switch status.Activity {
	case agentkind.ActivityIdle:
		if newer && f.submitted.IsZero() || f.activity.state == protocol.StateStarting && f.ready {
			f.does(protocol.StateIdle, evidenceStatus, later(status.At, f.activity.at))
		}
	case agentkind.ActivityBusy:
		switch idle := f.activity.state == protocol.StateIdle; {
		case newer:
			f.does(protocol.StateWorking, evidenceStatus, status.At)
		case idle && f.ready && f.stillBusy(now) && f.background > 0:
			f.does(protocol.StateWorking, fmt.Sprintf("%s says busy, with %d background tasks", evidenceStatus, f.background), f.activity.at)
		}
	case agentkind.ActivityWaiting:
		// The hook of a question comes up to 0.1 s after the status.
		if newer && f.openPrompt() == nil && now.Sub(status.At) >= statusSettles {
			f.does(protocol.StateWaiting, evidenceStatus+": "+status.Dialog, status.At)
		}
	}
	f.settleByStatus(now)
	f.derive(now)
}

// tick settles what only waited for better evidence.
func (f *fold) tick(now time.Time) {
	if !f.behind { // or the transcript may tell better
		f.settleOverdue(now)
	}
	f.tellUsage(now)
	if f.activity.state == protocol.StateStarting && f.ready && f.status.Activity == "" && now.Sub(f.activity.at) > statusMissing {
		f.does(protocol.StateIdle, f.activity.evidence, now)
	}
	f.derive(now)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
