package harness

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// Browser walks through the web pages as a person's browser does: it keeps cookies, follows redirects and sends
// forms with what the page has put into them.
type Browser struct {
	Base     string // the control plane's URL
	Name     string // of the account
	Password string
	Provider string // URL under which a login provider is, whose pages the browser follows too; empty: none

	client *http.Client
}

// NewBrowser opens a browser without cookies.
func NewBrowser(base, name, password string) (*Browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &Browser{Base: base, Name: name, Password: password, client: &http.Client{
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Get opens a page. A path is taken under the base.
func (b *Browser) Get(ctx context.Context, address string) (*Page, error) {
	target, err := b.resolve(address)
	if err != nil {
		return nil, err
	}
	page, next, err := b.follow(ctx, http.MethodGet, target, nil, "")
	if err == nil && next != nil {
		err = fmt.Errorf("opening %s led away to %s", target, next)
	}
	return page, err
}

// Press sends a form by one of its buttons and shows what follows.
func (b *Browser) Press(ctx context.Context, form Form, button Button) (*Page, error) {
	page, next, err := b.submit(ctx, form, button, "")
	if err == nil && next != nil {
		err = fmt.Errorf("sending %s led away to %s", form.Action, next)
	}
	return page, err
}

// PressOn opens a page and presses the button of this label, with some fields filled in.
func (b *Browser) PressOn(ctx context.Context, address, label string, fill map[string]string) (*Page, error) {
	page, err := b.Get(ctx, address)
	if err != nil {
		return nil, err
	}
	form, button, err := page.Form(label)
	if err != nil {
		return nil, err
	}
	for name, value := range fill {
		form.Values.Set(name, value)
	}
	return b.Press(ctx, form, button)
}

func (b *Browser) resolve(address string) (*url.URL, error) {
	base, err := url.Parse(b.Base)
	if err != nil {
		return nil, err
	}
	return base.Parse(address)
}

// submit sends a form. It stops before a redirect to an address that begins with away.
func (b *Browser) submit(ctx context.Context, form Form, button Button, away string) (*Page, *url.URL, error) {
	if button.Name != "" {
		form.Values.Set(button.Name, button.Value)
	}
	if form.Method != http.MethodPost {
		target := *form.Action
		target.RawQuery = form.Values.Encode()
		return b.follow(ctx, http.MethodGet, &target, nil, away)
	}
	return b.follow(ctx, http.MethodPost, form.Action, form.Values, away)
}

// follow asks for a page through all redirects, but not away from the control plane and its login provider: where they
// lead then is next.
func (b *Browser) follow(ctx context.Context, method string, target *url.URL, values url.Values, away string) (page *Page, next *url.URL, err error) {
	for range 10 {
		resp, err := b.request(ctx, method, target, values)
		if err != nil {
			return nil, nil, err
		}
		location, err := nextAddress(resp)
		if err != nil {
			page, err := readPage(resp)
			return page, nil, err
		}
		resp.Body.Close()
		if !b.knows(location.String()) || away != "" && strings.HasPrefix(location.String(), away) {
			return nil, location, nil
		}
		method, target, values = http.MethodGet, location, nil
	}
	return nil, nil, fmt.Errorf("opening %s: too many redirects", target)
}

// knows reports whether an address is the control plane's or its login provider's.
func (b *Browser) knows(address string) bool {
	return strings.HasPrefix(address, b.Base+"/") || b.Provider != "" && strings.HasPrefix(address, b.Provider+"/")
}

// nextAddress is where a redirect leads, or a page that leads on by itself.
func nextAddress(resp *http.Response) (*url.URL, error) {
	if _, address, ok := strings.Cut(resp.Header.Get("Refresh"), "url="); ok {
		return resp.Request.URL.Parse(address)
	}
	return resp.Location()
}

func (b *Browser) request(ctx context.Context, method string, target *url.URL, values url.Values) (*http.Response, error) {
	var body io.Reader
	if values != nil {
		body = strings.NewReader(values.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, target.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/html")
	if values != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", b.Base)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return b.client.Do(req)
}

// maxPage is far above every page; more would be a mistake.
const maxPage = 16 << 20

func readPage(resp *http.Response) (*Page, error) {
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", resp.Request.URL, err)
	}
	root, err := html.Parse(strings.NewReader(string(body)))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", resp.Request.URL, err)
	}
	return &Page{URL: resp.Request.URL, Status: resp.StatusCode, Body: string(body), root: root}, nil
}

// Cookies are what the browser sends to the control plane.
func (b *Browser) Cookies() []*http.Cookie {
	base, err := b.resolve("/")
	if err != nil {
		return nil // nor does it open any page
	}
	return b.client.Jar.Cookies(base)
}
