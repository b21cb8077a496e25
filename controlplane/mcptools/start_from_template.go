package mcptools

import (
	"context"
	"slices"
	"strings"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
)

type startFromTemplateInput struct {
	Template string `json:"template" required:"true" max:"40" doc:"The template's name."`
	Host     string `json:"host" max:"100" doc:"The machine to start it on, by name; left out: the template's."`
	Task     string `json:"task" max:"4000" lines:"true" doc:"What the agent should do; left out: what the template says."`
}

func startFromTemplate() Starter {
	return typedStarter(Starter{
		Name:        "start_from_template",
		Title:       "Start from a template",
		Description: "Starts a session in one of the ways that your team has named.",
		Scope:       auth.ScopeSessionsRead,
	}, func(ctx context.Context, c call, in startFromTemplateInput) (opening, error) {
		templates, err := c.fleet.Templates(ctx, c.caller)
		if err != nil {
			return opening{}, err
		}
		at := slices.IndexFunc(templates, func(t fleet.Template) bool { return t.Name == in.Template })
		if at < 0 {
			return opening{}, wrong("template", "there is none of this name; list_templates shows them")
		}
		template := viewTemplate(templates[at])
		text, err := marshal(template)
		if err != nil {
			return opening{}, err
		}
		wish := "Start a session with create_session from the template " + template.Template
		if in.Host != "" {
			wish += " on the host " + plainLine(in.Host)
		}
		if in.Task != "" {
			wish += ", with this as its first message:\n\n" + strings.TrimSpace(plain(in.Task)) + "\n\n"
		} else {
			wish += ". "
		}
		return opening{
			wish: wish + "If something is missing that it needs, ask me. Then tell me its handle; wait_for_session shows when the " +
				"agent is done or asks something.",
			facts: fenceOff("The template", string(text)),
		}, nil
	})
}
