package session

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

// fold derives a session from the evidence about it: its journal, the agent's transcript and the agent's status.
// It does nothing itself, so that the same evidence always tells the same, and it can be told again after a
// crash. What it finds out it appends to told.
type fold struct {
	kind    agentkind.Kind
	policy  policy.Policy // what may be offered
	session protocol.Session
	told    []protocol.Event // not yet taken
	recall  bool             // events are remembered from the event log, not told again

	position position
	files    map[string]*reading // by path
	read     *reading            // from which the events in told are
	before   string              // the transcript before position.Transcript
	behind   bool                // more of the transcripts is there than has been read
	crowded  bool                // there are more subagents than are followed
	process  agentkind.Process
	version  string // of the agent that runs
	runs     int    // how often the agent was started
	boot     string // in which the run began; empty: not known
	bootNow  string
	ending   string // why the run is about to end, if that is known
	ended    string // what says that it has

	transcripts []string // that come after position.Transcript, when that is read to its end

	activity activity
	ready    bool // the agent's own interface is up: it said so by a hook
	status   agentkind.Status

	turnOver  time.Time // when the main agent's hook last said that its turn is over
	submitted time.Time // when the agent took a message that it has not been seen to begin with; zero: there is none

	background  int       // tasks that ran on when the last turn ended
	noStatus    time.Time // since when the agent says nothing about itself; zero: it does
	otherStatus time.Time // since when that is about another conversation than its hooks are; zero: it is not

	dialog dialogNote // on the screen now

	tools    []tool          // announced, not finished
	denied   map[string]bool // calls of tools that a rule of the host denied, and whose result has not been seen
	prompts  map[protocol.PromptID]*prompt
	messages map[protocol.MessageID]*message
	queue    []protocol.MessageID // not final, oldest first
	unshown  []protocol.MessageID // typed, and not yet seen in the transcript, oldest first
	commands map[protocol.CommandID]bool

	withdrawn map[protocol.CommandID]bool

	subagents map[string]string         // kinds of those that the hooks named, by id
	running   map[string]bool           // of those, the ones that have not ended
	replies   map[string]protocol.Usage // what was counted, by the model's own id
	called    []string                  // the tools' calls that were told last
	failed    []string                  // and those of which it was told last that they failed
	spent     bool                      // something may have been counted that is not told
	usageAt   time.Time                 // when it was told
}

// activity is what the agent does, prompts aside, by the newest evidence.
type activity struct {
	state    protocol.State
	evidence string
	at       time.Time
}

// tool is a call that the agent announced by a hook.
type tool struct{ use, name, input, agent string }

func newFold(b birth, kind agentkind.Kind, rules policy.Policy) *fold {
	at := b.At.UTC().Truncate(time.Millisecond)
	begun := "created"
	if b.Conversation != "" {
		begun = "adopted"
	}
	f := &fold{
		kind:   kind,
		policy: rules,
		session: protocol.Session{
			ID: b.Session, Name: b.Name, Agent: b.Agent, WorkingDir: b.WorkingDir,
			PermissionMode: b.PermissionMode, State: protocol.StateStarting, Evidence: begun, StateAt: at, StartedAt: at,
			Adopted:    b.Conversation != "",
			Confidence: protocol.ConfidenceHigh,
		},
		activity: activity{state: protocol.StateStarting, evidence: begun, at: at},
		files:    map[string]*reading{},
		process:  agentkind.Process{Session: cmp.Or(b.Conversation, string(b.Session))},
		prompts:  map[protocol.PromptID]*prompt{},
		denied:   map[string]bool{},
		messages: map[protocol.MessageID]*message{},
		commands: map[protocol.CommandID]bool{},

		withdrawn: map[protocol.CommandID]bool{},

		subagents: map[string]string{},
		running:   map[string]bool{},
		replies:   map[string]protocol.Usage{},
	}
	f.runsVersion(b.AgentVersion)
	return f
}

// tell is the only way in which an event comes about. Its body is smaller than 512 KiB, so that it fits into one
// message to the control plane: every text that the agent wrote is cut to that end before.
func (f *fold) tell(at time.Time, kind protocol.EventKind, body any) {
	if f.recall {
		return
	}
	f.session.LastSeq++
	if s, ok := body.(protocol.Session); ok {
		s.LastSeq = f.session.LastSeq
		body = s
	}
	event := protocol.NewEvent(at, kind, body)
	event.Seq = f.session.LastSeq
	f.told = append(f.told, event)
}

// take hands over what was told since the last time, as one step.
func (f *fold) take() (step, bool) {
	if len(f.told) == 0 {
		return step{}, false
	}
	s := step{position: f.position, Events: f.told}
	if f.read != nil {
		s.Read = f.markOf(f.read)
	}
	f.told, f.read = nil, nil
	return s, true
}

// apply takes in one entry of the journal. An entry that cannot be read is an error of its writer's; the fold
// goes on without it.
func (f *fold) apply(e holder.Entry) error {
	f.position.Journal = e.N
	handler, ok := entryHandlers[e.Kind]
	if !ok {
		return nil
	}
	if err := handler(f, e); err != nil {
		return fmt.Errorf("journal entry %d (%s): %w", e.N, e.Kind, err)
	}
	f.derive(entryTime(e))
	return nil
}

// entryHandlers says what each kind of entry means. Kinds that are missing here mean nothing to a session.
var entryHandlers = map[string]func(*fold, holder.Entry) error{
	holder.KindStarted:      withBody((*fold).started),
	holder.KindHook:         withBody((*fold).hook),
	holder.KindHookAnswered: withBody((*fold).hookAnswered),
	holder.KindHookClosed:   withBody((*fold).hookClosed),
	holder.KindExited:       withBody((*fold).exited),
	noteMessage:             withBody((*fold).messageQueued),
	noteWaiting:             withBody((*fold).messageWaits),
	noteTyping:              withBody((*fold).messageTyping),
	noteSubmitted:           withBody((*fold).messageSubmitted),
	noteUnconfirmed:         withBody((*fold).messageUnconfirmed),
	noteAnswer:              withBody((*fold).answerGiven),
	noteDialog:              withBody((*fold).dialogSeen),
	noteDialogGone:          withBody((*fold).dialogGone),
	noteDialogPressed:       withBody((*fold).dialogPressed),
	noteCommand:             withBody((*fold).commandActed),
	noteWithdrawn:           withBody((*fold).commandWithdrawn),
}

func withBody[Body any](handle func(*fold, time.Time, Body)) func(*fold, holder.Entry) error {
	return func(f *fold, e holder.Entry) error {
		var body Body
		if err := json.Unmarshal(e.Body, &body); err != nil {
			return err
		}
		handle(f, entryTime(e), body)
		return nil
	}
}

func (f *fold) commandActed(_ time.Time, note commandNote) {
	f.commands[note.ID] = true
	if note.Name == commandTerminate {
		f.ending = note.endsBy()
	}
}

func (f *fold) commandWithdrawn(at time.Time, note withdrawnNote) {
	f.withdrawn[note.ID] = true
	if note.Actor != "" {
		f.messageTakenBack(at, protocol.MessageID(note.ID), note.Actor)
	}
}

// replay brings a new fold to where the event log ends, and returns the entries behind that. It tells nothing.
func (f *fold) replay(entries []holder.Entry, steps []step, misread func(error)) []holder.Entry {
	f.recall = true
	for _, step := range steps {
		for len(entries) > 0 && entries[0].N <= step.Journal {
			misread(f.apply(entries[0]))
			entries = entries[1:]
		}
		f.remember(step)
	}
	f.recall = false
	f.spent = true
	return entries
}

// remember takes in a step from the event log: what was told once stands, whatever this version of the fold
// would make of the same evidence.
func (f *fold) remember(s step) {
	for f.position.Transcript != s.Transcript && f.nextTranscript() {
	}
	f.rememberRead(s)
	f.turnTo(s.Transcript)
	for _, e := range s.Events {
		f.rememberEvent(e)
	}
}

func (f *fold) rememberEvent(e protocol.Event) {
	f.session.LastSeq = e.Seq
	switch e.Kind {
	case protocol.EventSession:
		if s, err := protocol.Decode[protocol.Session](e); err == nil {
			f.session = s
			f.activity = activity{state: s.State, evidence: s.Evidence, at: s.StateAt}
		}
	case protocol.EventPrompt:
		if p, err := protocol.Decode[protocol.Prompt](e); err == nil {
			f.rememberPrompt(p)
		}
	case protocol.EventSettlement:
		if settlement, err := protocol.Decode[protocol.Settlement](e); err == nil {
			f.rememberSettlement(settlement)
		}
	case protocol.EventEntry:
		if entry, err := protocol.Decode[protocol.Entry](e); err == nil {
			f.shown(entry.Message)
			f.callTold(entry)
			f.rememberUse(entry.Usage)
			f.crowded = f.crowded || entry.Text == tooManySubagents
		}
	case protocol.EventUsage:
		if u, err := protocol.Decode[protocol.SessionUsage](e); err == nil {
			f.session.Usage = &u
		}
	case protocol.EventMessage:
		if state, err := protocol.Decode[protocol.MessageState](e); err == nil {
			f.rememberMessage(state)
		}
	}
}
