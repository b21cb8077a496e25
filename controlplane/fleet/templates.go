package fleet

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"time"

	"switchboard/auth"
	"switchboard/hostagent/protocol"
)

// Template is a named way to start a session.
type Template struct {
	Name           string
	Description    string
	Host           protocol.HostID // empty: the caller says
	HostName       string
	WorkingDir     string
	Agent          string
	PermissionMode string
	Message        string
	CreatedBy      auth.UserID
	CreatedAt      time.Time
}

// TemplateStore keeps templates.
type TemplateStore interface {
	Templates(ctx context.Context) ([]Template, error)
	Template(ctx context.Context, name string) (Template, error)
	// SaveTemplate keeps a template under its name, in place of the one that had it.
	SaveTemplate(ctx context.Context, t Template) error
	RemoveTemplate(ctx context.Context, name string) error
}

var templateName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// Templates returns those that name no host, or one that the caller may see.
func (f *Fleet) Templates(ctx context.Context, c auth.Caller) ([]Template, error) {
	if err := f.anywhere(ctx, c, deed{scope: auth.ScopeSessionsRead}); err != nil {
		return nil, err
	}
	templates, err := f.Store.Templates(ctx)
	if err != nil {
		return nil, err
	}
	hosts, err := f.Store.VisibleHosts(ctx, c, "")
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(templates, func(t Template) bool {
		return t.Host != "" && !slices.ContainsFunc(hosts, func(h Host) bool { return h.ID == t.Host })
	}), nil
}

// seeTemplate finds one of those.
func (f *Fleet) seeTemplate(ctx context.Context, c auth.Caller, name string) (Template, error) {
	unseen := refuse(auth.ErrNotFound, "no template %.80q that you can see", name)
	if !templateName.MatchString(name) {
		return Template{}, unseen
	}
	template, err := f.Store.Template(ctx, name)
	if err != nil {
		return Template{}, unlessFound(err, unseen)
	}
	if template.Host == "" {
		return template, nil
	}
	if _, err := f.seeHost(ctx, c, string(template.Host)); err != nil {
		return Template{}, unlessFound(err, unseen)
	}
	return template, nil
}

// SaveTemplate keeps a template. One that exists may be replaced by who made it and by an administrator.
func (f *Fleet) SaveTemplate(ctx context.Context, c auth.Caller, t Template) error {
	if err := f.changeTemplate(ctx, c, "template.save", t.Name); err != nil {
		return err
	}
	if err := f.checkTemplate(ctx, c, t); err != nil {
		return err
	}
	t.CreatedBy, t.CreatedAt = c.User, f.Now()
	return f.Store.SaveTemplate(ctx, t)
}

// RemoveTemplate removes one; who made it may, and an administrator.
func (f *Fleet) RemoveTemplate(ctx context.Context, c auth.Caller, name string) error {
	if err := f.changeTemplate(ctx, c, removeTemplate, name); err != nil {
		return err
	}
	return unlessFound(f.Store.RemoveTemplate(ctx, name), refuse(auth.ErrNotFound, "no template %.80q that you can see", name))
}

const removeTemplate = "template.remove"

// changeTemplate is the gate to a template's name: a name that nobody has is free for all.
func (f *Fleet) changeTemplate(ctx context.Context, c auth.Caller, action, name string) error {
	d := deed{action: action, scope: auth.ScopeManage, target: limit(name)}
	if !c.Scopes.Has(d.scope) {
		return f.record(ctx, c, d.event(), &auth.ScopeError{Needed: d.scope})
	}
	if !templateName.MatchString(name) {
		return f.record(ctx, c, d.event(), refuse(ErrInvalid, "template name %.50q: want 1 to 40 of a-z, 0-9 and -", name))
	}
	old, err := f.Store.Template(ctx, name)
	if err != nil && !errors.Is(err, auth.ErrNotFound) {
		return err
	}
	var refused error
	if err == nil && old.CreatedBy != c.User && c.Role != auth.RoleAdmin {
		refused = f.keepTemplate(ctx, c, action, name)
	}
	return f.record(ctx, c, d.event(), refused)
}

// keepTemplate says why somebody else's template stays as it is. One that the caller cannot see is not there to be
// removed, though its name is taken.
func (f *Fleet) keepTemplate(ctx context.Context, c auth.Caller, action, name string) error {
	if action == removeTemplate {
		if _, err := f.seeTemplate(ctx, c, name); err != nil {
			return err
		}
	}
	return refuse(auth.ErrForbidden, "template %s is somebody else's", name)
}

func (f *Fleet) checkTemplate(ctx context.Context, c auth.Caller, t Template) error {
	if err := checkLine("description", t.Description, 500); err != nil {
		return err
	}
	start := NewSession{WorkingDir: t.WorkingDir, Agent: t.Agent, PermissionMode: t.PermissionMode, Message: t.Message}
	if err := start.check(); err != nil {
		return err
	}
	if t.Host == "" {
		return nil
	}
	_, err := f.seeHost(ctx, c, string(t.Host))
	return err
}
