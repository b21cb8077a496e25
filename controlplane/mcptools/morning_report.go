package mcptools

import (
	"context"
	"fmt"
	"time"

	"switchboard/auth"
	"switchboard/hostagent/protocol"
)

type morningReportInput struct {
	Since string `json:"since" max:"40" doc:"From when on: a time like 2026-11-21T07:00:00Z, a day like 2026-11-21, or how long ago, like 8h. Left out: 12h."`
	Host  string `json:"host" max:"100" doc:"Only on this machine, by name."`
}

// night is what a morning report covers, if it is not said.
const night = 12 * time.Hour

func morningReport() Starter {
	return typedStarter(Starter{
		Name:        "morning_report",
		Title:       "Morning report",
		Description: "What happened in your sessions since yesterday: what waits for you, what is done, and what goes on.",
		Scope:       auth.ScopeSessionsRead,
	}, func(ctx context.Context, c call, in morningReportInput) (opening, error) {
		now := c.fleet.Now().UTC()
		since, err := parseSince(in.Since, now)
		if err != nil {
			return opening{}, err
		}
		sessions, err := c.recentSessions(ctx, in.Host)
		if err != nil {
			return opening{}, err
		}
		var lines []string
		for _, s := range sessions {
			line := c.line(s)
			if s.StateAt.Before(since) {
				if s.State == protocol.StateExited {
					continue
				}
				line += ", in the same state all this time"
			}
			lines = append(append(lines, line), openPrompts(s)...)
		}
		return opening{
			wish: fmt.Sprintf("Tell me what happened in my coding-agent sessions since %s. Begin with what waits for my answer, "+
				"then what is done, then what still goes on; a line or two for each session. The list below says how things stand "+
				"now, at %s. Use get_logs to see what a session did, and check_prompts for the questions with the answers that each "+
				"takes. Do not answer any of them yourself: ask me, and give my answer with respond_to_prompt.",
				since.Format(time.RFC3339), now.Format(time.RFC3339)),
			facts: facts("Sessions", lines, "There are no sessions that live or ended in this time."),
		}, nil
	})
}

// parseSince reads a time, a day or how long ago.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return now.Add(-night), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", time.DateTime, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	ago, err := time.ParseDuration(text)
	if err != nil || ago < 0 {
		return time.Time{}, wrong("since", "want a time like 2026-11-21T07:00:00Z, a day like 2026-11-21, or how long ago, like 8h")
	}
	return now.Add(-ago), nil
}
