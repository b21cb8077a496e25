package mcptools

import (
	"context"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

type whatsStuckInput struct {
	Host string `json:"host" max:"100" doc:"Only on this machine, by name."`
}

// long is after what time at the same a session is worth a look.
const long = 15 * time.Minute

func whatsStuck() Starter {
	return typedStarter(Starter{
		Name:        "whats_stuck",
		Title:       "What is stuck?",
		Description: "Which sessions wait for an answer, cannot be reached, or have been at the same thing for long.",
		Scope:       auth.ScopeSessionsRead,
	}, func(ctx context.Context, c call, in whatsStuckInput) (opening, error) {
		sessions, err := c.recentSessions(ctx, in.Host)
		if err != nil {
			return opening{}, err
		}
		var lines []string
		for _, s := range sessions {
			if why := stuck(s, c.fleet.Now()); why != "" {
				lines = append(append(lines, c.line(s)+": "+why), openPrompts(s)...)
			}
		}
		return opening{
			wish: "Which of my coding-agent sessions are stuck, and what would help each? The list below says what stands out now. " +
				"Use check_prompts to show me each open question in full with the answers that it takes, and get_logs where it is not " +
				"plain why a session does not get on. Then ask me what to do; use respond_to_prompt only for an answer that I gave.",
			facts: facts("Sessions that stand out", lines, "No session stands out: none waits for an answer, and all can be reached."),
		}, nil
	})
}

// stuck says why a session may need somebody; empty: it does not.
func stuck(s fleet.Session, now time.Time) string {
	switch {
	case s.State == protocol.StateExited:
		return ""
	case !s.HostOnline:
		return "its host is offline"
	case len(s.Open) > 0:
		return "it waits for an answer"
	case s.State == protocol.StateUncertain:
		return "its state is not known for sure"
	case s.State != protocol.StateIdle && now.Sub(s.StateAt) > long:
		return "it has been at this for long"
	}
	return ""
}
