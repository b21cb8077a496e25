package mcptools

import (
	"fmt"
	"time"

	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// stateOffline is shown in place of what a session was last known to do while its host is away: it may do anything.
const stateOffline = "offline"

// sessionView is a session as tools show it.
type sessionView struct {
	SessionID        string     `json:"session_id" doc:"UUID"`
	Handle           string     `json:"handle" doc:"name to say and to give as session_id"`
	Host             string     `json:"host"`
	Agent            string     `json:"agent"`
	State            string     `json:"state" enum:"starting,working,waiting,idle,exited,uncertain,offline" doc:"waiting: for the answer to a prompt; idle: for the next message; offline: its host is away"`
	Confidence       string     `json:"confidence,omitempty" doc:"in that state. high: its process or a hook says so; medium: its own files; low: only its screen, or evidence is missing or contradicts itself"`
	StateSince       time.Time  `json:"state_since"`
	LastKnownState   string     `json:"last_known_state,omitempty" doc:"when the host was last heard of; only while it is offline"`
	HostOfflineSince *time.Time `json:"host_offline_since,omitempty"`
	WorkingDir       string     `json:"working_dir"`
	PermissionMode   string     `json:"permission_mode"`
	OpenPrompts      int        `json:"open_prompts" doc:"questions that the agent waits on; check_prompts shows them"`
	StartedAt        time.Time  `json:"started_at"`
	ExitedAt         *time.Time `json:"exited_at,omitempty"`
	ExitCode         *int       `json:"exit_code,omitempty"`
	ExitReason       string     `json:"exit_reason,omitempty"`
	URL              string     `json:"url" doc:"its page"`
	Usage            *usageView `json:"usage,omitempty" doc:"what it has taken so far"`
}

func (c call) view(s fleet.Session) sessionView {
	v := sessionView{
		SessionID: string(s.ID), Handle: s.Handle, Host: plainLine(s.HostName), Agent: plainLine(s.Agent),
		State: string(s.State), Confidence: plainLine(string(s.Confidence)), StateSince: s.StateAt.UTC(),
		WorkingDir: plainLine(s.WorkingDir), PermissionMode: plainLine(s.PermissionMode), OpenPrompts: len(s.Open),
		StartedAt: s.StartedAt.UTC(), ExitedAt: s.ExitedAt, ExitCode: s.ExitCode, ExitReason: plainLine(s.ExitReason),
		URL: c.page(s), Usage: viewUsage(s),
	}
	if s.HostOnline || s.State == protocol.StateExited {
		return v
	}
	v.State, v.LastKnownState, v.Confidence = stateOffline, string(s.State), string(protocol.ConfidenceLow)
	if !s.HostAway.IsZero() {
		away := s.HostAway.UTC()
		v.HostOfflineSince = &away
	}
	return v
}

func (c call) views(sessions []fleet.Session) []sessionView {
	views := make([]sessionView, len(sessions))
	for i, s := range sessions {
		views[i] = c.view(s)
	}
	return views
}

// line says in one line what a session is and does.
func (c call) line(s fleet.Session) string {
	v := c.view(s)
	line := fmt.Sprintf("%s on %s (%s in %s): %s since %s", v.Handle, v.Host, v.Agent, v.WorkingDir, v.State,
		v.StateSince.Format(time.RFC3339))
	if v.LastKnownState != "" {
		line += ", last known as " + v.LastKnownState
	}
	return line
}

func (c call) page(s fleet.Session) string { return c.fleet.PublicURL + "/sessions/" + string(s.ID) }

// sessionAnswer is what a tool that acted on a session says.
type sessionAnswer struct {
	Session sessionView `json:"session"`
	Next    string      `json:"next,omitempty" doc:"what helps next"`
}

// advise says what helps next in the session's state, where anything does.
func advise(s fleet.Session) string {
	switch {
	case !s.HostOnline && s.State != protocol.StateExited:
		return fmt.Sprintf("Host %s is offline: this is as last known, and nothing can be done there now.", plainLine(s.HostName))
	case len(s.Open) > 0:
		return "It waits for an answer: show the user the prompt from check_prompts, and give the answer with respond_to_prompt."
	case s.State == protocol.StateExited:
		return "It has ended: resume_session starts it again with its conversation."
	}
	return ""
}
