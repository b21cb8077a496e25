package mcptools

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// The most that one page of resources/list shows.
const (
	hostsPerPage    = 100
	sessionsPerPage = 50 // with two resources each
)

// listResources fills in, after mcp-go has listed its own, the resources that the caller can read: his hosts by name,
// then what lives on them, newest first. Mcp-go has found the cursor to be Base64.
func (d *Desk) listResources(ctx context.Context, _ any, request *mcp.ListResourcesRequest, result *mcp.ListResourcesResult) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	reader := d.reader(ctx)
	resources, next, err := reader.resources(ctx, request.Params.Cursor)
	switch {
	case errors.Is(err, fleet.ErrInvalid):
		d.Failed(ctx, mcp.INVALID_PARAMS, "the cursor is not one that resources/list gave")
	case err != nil:
		d.Failed(ctx, mcp.INTERNAL_ERROR, d.explain(ctx, "resources/list", reader.caller, err))
	default:
		result.Resources, result.NextCursor = append(result.Resources, resources...), next
	}
}

// A cursor is one of these and the name of the last host, or a cursor of the sessions.
const (
	cursorHosts    = "h"
	cursorSessions = "s"
)

// resources is one page. Of what the token has no scope for, there is nothing in it.
func (c call) resources(ctx context.Context, at mcp.Cursor) ([]mcp.Resource, mcp.Cursor, error) {
	decoded, err := base64.StdEncoding.DecodeString(string(at))
	if err != nil {
		return nil, "", fleet.ErrInvalid
	}
	if from, ok := strings.CutPrefix(string(decoded), cursorSessions); ok {
		return c.sessionResources(ctx, from)
	}
	from, ok := strings.CutPrefix(string(decoded), cursorHosts)
	if at != "" && !ok {
		return nil, "", fleet.ErrInvalid
	}
	hosts, next, err := c.hostResources(ctx, from)
	if err != nil || next != "" {
		return hosts, next, err
	}
	sessions, next, err := c.sessionResources(ctx, "")
	return append(hosts, sessions...), next, err
}

func (c call) hostResources(ctx context.Context, after string) (resources []mcp.Resource, next mcp.Cursor, err error) {
	hosts, err := c.fleet.ListHosts(ctx, c.caller)
	if lacksScope(err) {
		return nil, "", nil
	}
	for _, h := range hosts {
		if h.Name <= after {
			continue
		}
		if len(resources) == hostsPerPage {
			return resources, next, nil
		}
		name := plainLine(h.Name)
		resources = append(resources, mcp.Resource{
			URI: statusURI.of(string(h.ID)), Name: name, Title: "Status of " + name, MIMEType: mimeJSON,
		})
		next = cursorOf(cursorHosts, h.Name)
	}
	return resources, "", err
}

func (c call) sessionResources(ctx context.Context, from string) (resources []mcp.Resource, next mcp.Cursor, err error) {
	page, err := c.fleet.ListSessions(ctx, c.caller, fleet.SessionFilter{Cursor: from, Limit: sessionsPerPage})
	if lacksScope(err) {
		return nil, "", nil
	}
	for _, s := range page.Sessions {
		if s.State == protocol.StateExited { // those that live come first
			return resources, "", nil
		}
		resources = append(resources, sessionResource(transcriptURI, "Transcript", s), sessionResource(screenURI, "Screen", s))
	}
	if page.Next == "" {
		return resources, "", err
	}
	return resources, cursorOf(cursorSessions, page.Next), nil
}

func sessionResource(uri uriPattern, view string, s fleet.Session) mcp.Resource {
	return mcp.Resource{
		URI: uri.of(string(s.ID)), Name: s.Handle + "/" + uri.view, Title: view + " of " + s.Handle,
		Description: "On " + plainLine(s.HostName) + ", in " + plainLine(s.WorkingDir), MIMEType: mimeText,
		Annotated: mcp.Annotated{Annotations: &mcp.Annotations{LastModified: s.StateAt.UTC().Format(time.RFC3339)}},
	}
}

func cursorOf(kind, at string) mcp.Cursor {
	return mcp.Cursor(base64.StdEncoding.EncodeToString([]byte(kind + at)))
}

func lacksScope(err error) bool {
	var scope *auth.ScopeError
	return errors.As(err, &scope)
}
