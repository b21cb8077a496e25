package mcptools

import (
	"context"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
)

type listTemplatesInput struct{}

type listTemplatesOutput struct {
	Templates []templateView `json:"templates"`
}

type templateView struct {
	Template       string `json:"template" doc:"name, to give to create_session"`
	Description    string `json:"description,omitempty"`
	Host           string `json:"host,omitempty" doc:"left out: whoever starts it says"`
	WorkingDir     string `json:"working_dir,omitempty"`
	Agent          string `json:"agent,omitempty"`
	PermissionMode string `json:"permission_mode,omitempty"`
	Message        string `json:"message,omitempty" doc:"the first message"`
}

func listTemplates() Tool {
	return typed(Tool{
		Name:        "list_templates",
		Title:       "List templates",
		Description: "Lists the named ways to start a session, for create_session's template.",
		Scope:       auth.ScopeSessionsRead,
		Hints:       readOnly,
	}, func(ctx context.Context, c call, _ listTemplatesInput) (listTemplatesOutput, error) {
		templates, err := c.fleet.Templates(ctx, c.caller)
		out := listTemplatesOutput{Templates: []templateView{}}
		for _, t := range templates {
			out.Templates = append(out.Templates, viewTemplate(t))
		}
		return out, err
	})
}

func viewTemplate(t fleet.Template) templateView {
	return templateView{
		Template: plainLine(t.Name), Description: plainLine(t.Description), Host: plainLine(t.HostName),
		WorkingDir: plainLine(t.WorkingDir), Agent: plainLine(t.Agent), PermissionMode: plainLine(t.PermissionMode),
		Message: clip(plain(t.Message), maxDetail),
	}
}
