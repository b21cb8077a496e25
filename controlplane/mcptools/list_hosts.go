package mcptools

import (
	"context"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
)

type listHostsInput struct{}

type listHostsOutput struct {
	Hosts []hostView `json:"hosts"`
}

// hostView is a host as tools show it.
type hostView struct {
	Host            string     `json:"host" doc:"name, to give as host"`
	HostID          string     `json:"host_id"`
	Online          bool       `json:"online"`
	LastSeenAt      *time.Time `json:"last_seen_at,omitempty"`
	OfflineSince    *time.Time `json:"offline_since,omitempty"`
	Owner           string     `json:"owner,omitempty"`
	Access          string     `json:"access" enum:"none,manage,viewer,operator,owner" doc:"what the user may do there: a viewer reads sessions, an operator also acts on them"`
	OS              string     `json:"os,omitempty"`
	Sessions        int        `json:"sessions" doc:"how many live"`
	Agents          []string   `json:"agents" doc:"that can be started there"`
	WorkingDirs     []string   `json:"working_dirs" doc:"in or below which sessions may be started"`
	PermissionModes []string   `json:"permission_modes" doc:"that may be asked for"`
}

func listHosts() Tool {
	return typed(Tool{
		Name:  "list_hosts",
		Title: "List hosts",
		Description: "Lists the machines on which sessions run, whether each is online, and what may be started there: " +
			"agents, directories, permission modes.",
		Scope: auth.ScopeHostsRead,
		Hints: readOnly,
	}, func(ctx context.Context, c call, _ listHostsInput) (listHostsOutput, error) {
		hosts, err := c.fleet.ListHosts(ctx, c.caller)
		out := listHostsOutput{Hosts: []hostView{}}
		for _, h := range hosts {
			out.Hosts = append(out.Hosts, viewHost(h, c.fleet.Now()))
		}
		return out, err
	})
}

func viewHost(h fleet.Host, now time.Time) hostView {
	v := hostView{
		Host: plainLine(h.Name), HostID: string(h.ID), Online: h.Online(now), LastSeenAt: h.LastSeenAt,
		Owner: plainLine(h.OwnerName), Access: h.Access.String(), OS: plainLine(h.OS), Sessions: h.Sessions,
		Agents: []string{}, WorkingDirs: plainLines(h.Roots), PermissionModes: plainLines(h.Modes),
	}
	if !v.Online {
		v.OfflineSince = h.LastThere()
	}
	for _, kind := range h.Kinds {
		if kind.Missing == "" {
			v.Agents = append(v.Agents, plainLine(kind.Name))
		}
	}
	return v
}
