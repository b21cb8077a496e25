package mcptools

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// The names of the forms' fields.
const (
	choiceField  = "session"
	confirmField = "confirm"
)

// form is what a client shows to its person: the flat schema that elicitation allows, and of that only what every
// revision since 2025-06-18 knows.
type form struct {
	Type       string               `json:"type"`
	Properties map[string]formField `json:"properties"`
	Required   []string             `json:"required"`
}

type formField struct {
	Type        string   `json:"type"`
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Enum        []string `json:"enum,omitempty"`
}

func formOf(name string, field formField) form {
	return form{Type: "object", Properties: map[string]formField{name: field}, Required: []string{name}}
}

// pose completes what is asked by a question, and puts it into words.
func (a *asked) pose(q *fleet.Question, ref string, now time.Time) mcp.ElicitationParams {
	if len(q.Which) == 0 {
		a.Stake = q.Stake
		return mcp.ElicitationParams{
			Message:         loss(q.Session, now),
			RequestedSchema: formOf(confirmField, formField{Type: "boolean", Title: "End " + q.Session.Handle}),
		}
	}
	a.Which = map[string]string{}
	var handles, lines []string
	for _, s := range q.Which {
		a.Which[s.Handle] = string(s.ID)
		handles = append(handles, s.Handle)
		lines = append(lines, fmt.Sprintf("- %s on %s: %s, in %s", s.Handle, plainLine(s.HostName), doing(s), plainLine(s.WorkingDir)))
	}
	return mcp.ElicitationParams{
		Message: fmt.Sprintf("%s was called for the session %q. Which of these is meant?\n%s",
			a.Tool, plainLine(ref), strings.Join(lines, "\n")),
		RequestedSchema: formOf(choiceField, formField{Type: "string", Title: "Session", Enum: handles}),
	}
}

// maxAsked bounds how much of an agent's own words stands in a question to a person.
const maxAsked = 120

// loss says what is lost if a session ends now.
func loss(s fleet.Session, now time.Time) string {
	text := fmt.Sprintf("End the session %s on %s?", s.Handle, plainLine(s.HostName))
	switch {
	case s.State == protocol.StateWorking:
		text += fmt.Sprintf(" Its agent has been working for %s, and what it is doing breaks off unfinished.", ago(s.StateAt, now))
	case s.Expecting:
		text += " A message is on its way to its agent, and would not be worked on."
	}
	for _, p := range s.Open {
		text += fmt.Sprintf(" It waits for an answer to %q, which then nobody can give any more.", clip(plainLine(p.Title), maxAsked))
	}
	return text + " The conversation is kept."
}

func ago(at, now time.Time) string {
	return max(now.Sub(at), 0).Round(time.Second).String()
}

// doing says in a few words what a session does.
func doing(s fleet.Session) string {
	switch {
	case !s.HostOnline && s.State != protocol.StateExited:
		return "offline, last known as " + string(s.State)
	case len(s.Open) > 0:
		return "asks: " + clip(plainLine(s.Open[0].Title), maxAsked)
	}
	return string(s.State)
}

// said is what a person has said about a call.
type said struct {
	session string // that he chose; empty: the one that the arguments name
	answer  fleet.Answer
	no      bool // he does not want it
}

// hear reads an answer. One that is missing or makes no sense says nothing, so that the question comes again.
func (a asked) hear(result *mcp.ElicitationResult) said {
	heard := said{session: a.Chosen}
	if result == nil {
		return heard
	}
	answer := fleet.Answer{ID: a.ID, Expires: a.Expires}
	content, _ := result.Content.(map[string]any)
	switch result.Action {
	case mcp.ElicitationResponseActionDecline, mcp.ElicitationResponseActionCancel:
		return said{no: true, answer: answer}
	case mcp.ElicitationResponseActionAccept:
		return a.accepted(heard, content, answer)
	}
	return heard
}

func (a asked) accepted(heard said, content map[string]any, answer fleet.Answer) said {
	if len(a.Which) > 0 {
		handle, _ := content[choiceField].(string)
		session, offered := a.Which[handle]
		if !offered {
			return heard
		}
		return said{session: session, answer: answer}
	}
	yes, clear := content[confirmField].(bool)
	if !clear {
		return heard
	}
	answer.Stake = a.Stake
	return said{session: a.Chosen, answer: answer, no: !yes}
}

// choose puts the session that a person chose into a call's arguments.
func choose(arguments json.RawMessage, session string) json.RawMessage {
	if session == "" {
		return arguments
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(arguments, &members) != nil || members == nil {
		return arguments // not what the question was about: then there was none
	}
	members = maps.Clone(members)
	members["session_id"], _ = json.Marshal(session) // a string always marshals
	chosen, _ := json.Marshal(members)               // as do raw messages that were valid
	return chosen
}
