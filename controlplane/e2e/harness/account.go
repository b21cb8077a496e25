package harness

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// Join makes the account through a one-time link: the first administrator's, or an invitation.
func (b *Browser) Join(ctx context.Context, link string) error {
	page, err := b.Get(ctx, link)
	if err != nil {
		return fmt.Errorf("joining as %s: %w", b.Name, err)
	}
	page, err = b.enter(ctx, page)
	if err != nil {
		return fmt.Errorf("joining as %s: %w", b.Name, err)
	}
	if page.Status != http.StatusOK {
		return fmt.Errorf("joining as %s: %s answered %d: %s", b.Name, page.URL, page.Status, tail(page.Text()))
	}
	return nil
}

// enter fills in the form that asks for a password.
func (b *Browser) enter(ctx context.Context, page *Page) (*Page, error) {
	form, found := page.passwordForm()
	if !found {
		return nil, fmt.Errorf("%s (%d) asks for no password: %s", page.URL, page.Status, tail(page.Text()))
	}
	b.fill(form)
	return b.Press(ctx, form, Button{})
}

// fill puts the account's name and password into a form that asks for them.
func (b *Browser) fill(form Form) {
	for name, kind := range form.fields {
		switch {
		case kind == "password":
			form.Values.Set(name, b.Password)
		case name == "name":
			form.Values.Set(name, b.Name)
		case name == "display_name":
			form.Values.Set(name, strings.ToUpper(b.Name[:1])+b.Name[1:])
		}
	}
}

// Invite makes an invitation on the page of people, and returns its link.
func (b *Browser) Invite(ctx context.Context) (string, error) {
	page, err := b.PressOn(ctx, "/users", "make a link", nil)
	if err != nil {
		return "", fmt.Errorf("inviting: %w", err)
	}
	link := page.Element("link")
	if !strings.HasPrefix(link, b.Base+"/") {
		return "", fmt.Errorf("inviting: %s (%d) shows no link: %s", page.URL, page.Status, tail(page.Text()))
	}
	return link, nil
}

// JoinToken registers a host by name on the page of hosts, and returns the token that makes a machine that host.
func (b *Browser) JoinToken(ctx context.Context, hostName string) (string, error) {
	page, err := b.PressOn(ctx, "/hosts/new", "token", map[string]string{"name": hostName})
	if err != nil {
		return "", fmt.Errorf("registering the host %s: %w", hostName, err)
	}
	words := strings.Fields(page.Element("command"))
	if len(words) < 4 || words[1] != "enroll" {
		return "", fmt.Errorf("registering the host %s: %s (%d) shows no command: %s",
			hostName, page.URL, page.Status, tail(page.Text()))
	}
	return words[3], nil
}

// AllowDevice types the code that a device's address has filled in, and allows what the page then shows, with what
// it has to fill in. It returns the page that asked.
func (b *Browser) AllowDevice(ctx context.Context, address string, fill map[string]string) (*Page, error) {
	asks, err := b.PressOn(ctx, address, "continue", nil)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", address, err)
	}
	form, button, err := asks.Form("allow")
	if err != nil {
		return nil, fmt.Errorf("allowing the device: %w", err)
	}
	for name, value := range fill {
		form.Values.Set(name, value)
	}
	done, err := b.Press(ctx, form, button)
	if err == nil && done.Status != http.StatusOK {
		err = fmt.Errorf("allowing the device: %s answered %d: %s", done.URL, done.Status, tail(done.Text()))
	}
	return asks, err
}

// RemoveHost removes a host for good.
func (b *Browser) RemoveHost(ctx context.Context, id string) error {
	page, err := b.PressOn(ctx, "/hosts/"+id+"/remove", "remove", nil)
	if err != nil {
		return fmt.Errorf("removing the host %s: %w", id, err)
	}
	if page.Status != http.StatusOK {
		return fmt.Errorf("removing the host %s: %s answered %d: %s", id, page.URL, page.Status, tail(page.Text()))
	}
	return nil
}
