package web

import (
	"encoding/json"
	"fmt"
	"strings"

	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// entryCard is a transcript entry as a page shows it.
type entryCard struct {
	fleet.TranscriptEntry
	Class   string
	Speaker string
	Summary string // one line, of what is folded
	Body    string // of a tool call: its input
	Short   bool   // need not be folded
	Took    string // in tokens, on the first entry of a reply
}

// A tool result of at most this size is shown without being asked for.
const (
	shortLines = 6
	shortBytes = 600
)

var entryClass = map[protocol.Role]string{
	protocol.RoleUser: "user", protocol.RoleAssistant: "assistant",
	protocol.RoleToolCall: "tool", protocol.RoleToolResult: "tool", protocol.RoleNotice: "notice-line",
	fleet.RoleQuestion: "tool", fleet.RoleAnswer: "notice-line",
}

func newEntryCard(e fleet.TranscriptEntry, agent string) entryCard {
	card := entryCard{TranscriptEntry: e, Class: entryClass[e.Role], Speaker: line(agent)}
	switch e.Role {
	case protocol.RoleUser:
		card.Speaker = "at the terminal"
		switch {
		case e.Message != "":
			card.Speaker = "sent from here"
		case e.Subagent != "":
			card.Speaker = "to a subagent"
		}
	case protocol.RoleToolCall:
		card.Summary, card.Body = callSummary(e.Input), indented(e.Input)
	case protocol.RoleToolResult:
		card.Summary, card.Short = resultSummary(e.Text), short(e.Text)
	case fleet.RoleQuestion, fleet.RoleAnswer:
		card.Body = e.Said()
		card.Summary = firstLine(card.Body)
	}
	if e.IsError {
		card.Class += " bad"
	}
	if e.Whose() != "" {
		card.Class += " sub"
	}
	if e.Usage != nil {
		card.Took = tookWords(e.Usage.Usage)
	}
	return card
}

func short(text string) bool {
	return len(text) <= shortBytes && strings.Count(text, "\n") < shortLines
}

// resultSummary is a tool's result in one line, and how many more there are.
func resultSummary(text string) string {
	first := firstLine(text)
	if more := strings.Count(strings.TrimSpace(text), "\n"); more > 0 {
		return fmt.Sprintf("%s (+%d)", line(first), more)
	}
	return first
}

func firstLine(text string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return first
}

// beginning is enough of a text to know it by.
func beginning(text string) string {
	const most = 120 // characters
	first := firstLine(text)
	if runes := []rune(first); len(runes) > most {
		first = string(runes[:most])
	}
	if first != strings.TrimSpace(text) {
		first += " …"
	}
	return first
}

// telling are the fields of a tool's input that say best what it does, the best first.
var telling = []string{"command", "file_path", "path", "pattern", "url", "query", "description", "prompt"}

// callSummary is a tool call in one line; a call of an unknown shape is shown as it is.
func callSummary(input json.RawMessage) string {
	var fields map[string]any
	if err := json.Unmarshal(input, &fields); err != nil {
		return string(input)
	}
	for _, name := range telling {
		if text, ok := fields[name].(string); ok && text != "" {
			return firstLine(text)
		}
	}
	if len(fields) == 0 {
		return ""
	}
	return string(input)
}

// indented is a tool's input to be read: a lone command as it is, everything else as JSON.
func indented(input json.RawMessage) string {
	var fields map[string]any
	if err := json.Unmarshal(input, &fields); err == nil && len(fields) == 1 {
		for _, value := range fields {
			if text, ok := value.(string); ok {
				return text
			}
		}
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(input); err != nil {
		return string(input)
	}
	return b.String()
}
