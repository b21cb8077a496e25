package fleet

import (
	"fmt"
	"strings"
	"time"

	"switchboard/hostagent/protocol"
)

// TranscriptEntry is one entry of a session's transcript with its place: what was said and done or, with Asked, what
// the agent asked, or, with Settled, how that ended.
type TranscriptEntry struct {
	Seq uint64
	At  time.Time
	protocol.Entry
	Changed []string             // of a message from here: what its host changed in it
	Asked   *protocol.Prompt     // also of what Settled ends, if that is known
	Settled *protocol.Settlement // nil: it is only asked here
}

// The roles of what is asked and answered, beside those of other entries.
const (
	RoleQuestion protocol.Role = "question"
	RoleAnswer   protocol.Role = "answer"
)

// Speaker is who speaks in an entry, in plain words.
func (e TranscriptEntry) Speaker() string {
	if whose := e.Whose(); whose != "" {
		return fmt.Sprintf("%s (%s)", e.Role, whose)
	}
	return string(e.Role)
}

// Whose is the subagent that an entry is of; empty: the agent itself.
func (e TranscriptEntry) Whose() string {
	kind := e.Subagent
	if e.Asked != nil {
		kind = e.Asked.Subagent
	}
	if kind == "" {
		return ""
	}
	return strings.TrimSpace(fmt.Sprintf("subagent %s %.8s", kind, e.SubagentID))
}

// Said is what an entry says: its text, a tool's input, a question with what can be answered, or how one was answered.
func (e TranscriptEntry) Said() string {
	switch {
	case e.Settled != nil:
		return e.answer()
	case e.Asked != nil:
		return asked(*e.Asked)
	case e.Role == protocol.RoleToolCall && len(e.Input) > 0:
		return string(e.Input) + e.Text
	}
	return e.Text
}

func (e TranscriptEntry) answer() string {
	if e.Asked == nil || e.Asked.Title == "" {
		return Told(*e.Settled)
	}
	if strings.HasSuffix(e.Asked.Title, "?") {
		return e.Asked.Title + " " + Told(*e.Settled)
	}
	return e.Asked.Title + ": " + Told(*e.Settled)
}

// asked is a prompt as it was asked: with its options, or the answers that each of its questions offers.
func asked(p protocol.Prompt) string {
	lines := []string{p.Title}
	if !strings.HasSuffix(p.Title, p.Detail) {
		lines = append(lines, p.Detail)
	}
	for _, q := range p.Questions {
		var labels []string
		for _, o := range q.Options {
			labels = append(labels, o.Label)
		}
		lines = append(lines, strings.TrimSpace(q.Text+" "+offered(labels)))
	}
	var labels []string
	for _, o := range p.Options {
		labels = append(labels, o.Label)
	}
	if len(labels) > 0 && len(p.Questions) == 0 {
		lines = append(lines, offered(labels))
	}
	return strings.Join(lines, "\n")
}

// offered are the answers to choose from; without any, one is given in words.
func offered(labels []string) string {
	if len(labels) == 0 {
		return ""
	}
	return "[" + strings.Join(labels, " | ") + "]"
}

var outcomeWords = map[protocol.Outcome]string{
	protocol.OutcomeAllowed:   "Allowed",
	protocol.OutcomeDenied:    "Denied",
	protocol.OutcomeAnswered:  "Answered",
	protocol.OutcomeWithdrawn: "The agent no longer asks",
}

// Told says how a prompt was settled: by whom, where, and how that is known.
func Told(s protocol.Settlement) string {
	words := outcomeWords[s.Outcome]
	if words == "" {
		words = "Settled"
	}
	if by := SettledBy(s); by != "" {
		words += " " + by
	}
	if s.Answer != "" {
		words += fmt.Sprintf(": “%s”", s.Answer)
	}
	if s.Evidence != "" {
		words += " (known by " + s.Evidence + ")"
	}
	return words
}
