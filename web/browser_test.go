package web_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"switchboard/auth"
)

// browser is a person's. It keeps cookies and, unlike a real one, runs no scripts and follows no redirects.
type browser struct {
	t      *testing.T
	site   string
	client *http.Client
}

func (s *site) browser(t *testing.T, login *auth.Login) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	if login != nil {
		at, err := url.Parse(s.url)
		if err != nil {
			t.Fatal(err)
		}
		jar.SetCookies(at, []*http.Cookie{s.pages.Accounts.Cookie(*login)})
	}
	return &browser{t: t, site: s.url, client: &http.Client{
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// page is an answer that has been read.
type page struct {
	t        *testing.T
	status   int
	header   http.Header
	location string
	text     string
	tree     *html.Node
}

func (b *browser) do(r *http.Request) page {
	b.t.Helper()
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	tree, err := html.Parse(strings.NewReader(string(body)))
	if err != nil {
		b.t.Fatal(err)
	}
	return page{b.t, answer.StatusCode, answer.Header, answer.Header.Get("Location"), string(body), tree}
}

func (b *browser) request(method, path string, form url.Values) *http.Request {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.site+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", b.site)
	}
	return r
}

func (b *browser) get(path string) page {
	b.t.Helper()
	return b.do(b.request(http.MethodGet, path, nil))
}

func (b *browser) post(path string, form url.Values) page {
	b.t.Helper()
	return b.do(b.request(http.MethodPost, path, form))
}

// submit fills a form on the page and sends it. The form is the one whose action ends so.
func (b *browser) submit(on page, action string, fields url.Values) page {
	b.t.Helper()
	form, address := on.form(action)
	for name, values := range fields {
		form[name] = values
	}
	return b.post(address, form)
}

// form finds the hidden and filled-in fields of a form.
func (p page) form(action string) (url.Values, string) {
	p.t.Helper()
	for _, form := range p.all("form") {
		if !strings.HasSuffix(attribute(form, "action"), action) {
			continue
		}
		fields := url.Values{}
		for node := range form.Descendants() {
			if node.Data == "input" && attribute(node, "value") != "" && attribute(node, "type") != "radio" && attribute(node, "type") != "checkbox" {
				fields.Add(attribute(node, "name"), attribute(node, "value"))
			}
		}
		return fields, attribute(form, "action")
	}
	p.t.Fatalf("no form %s on page:\n%s", action, p.text)
	return nil, ""
}

func (p page) all(tag string) []*html.Node {
	var found []*html.Node
	for node := range p.tree.Descendants() {
		if node.Type == html.ElementNode && (tag == "*" || node.Data == tag) {
			found = append(found, node)
		}
	}
	return found
}

// words is all the text on the page, as a reader sees it.
func (p page) words() string {
	var b strings.Builder
	for node := range p.tree.Descendants() {
		if node.Type == html.TextNode {
			fmt.Fprintln(&b, strings.Join(strings.Fields(node.Data), " "))
		}
	}
	return b.String()
}

// code is the text of the code element with an id.
func (p page) code(id string) string {
	p.t.Helper()
	for _, code := range p.all("code") {
		if attribute(code, "id") == id {
			return code.FirstChild.Data
		}
	}
	p.t.Fatalf("no code %s on page:\n%s", id, p.text)
	return ""
}

func (p page) wants(status int, texts ...string) page {
	p.t.Helper()
	if p.status != status {
		p.t.Fatalf("status %d, want %d; location %q; page:\n%s", p.status, status, p.location, p.words())
	}
	for _, text := range texts {
		if !strings.Contains(p.words(), text) {
			p.t.Errorf("page lacks %q:\n%s", text, p.words())
		}
	}
	return p
}

func (p page) lacks(texts ...string) page {
	p.t.Helper()
	for _, text := range texts {
		if strings.Contains(p.text, text) {
			p.t.Errorf("page has %q:\n%s", text, p.text)
		}
	}
	return p
}

func (p page) titled(want string) page {
	p.t.Helper()
	for _, title := range p.all("title") {
		if got := title.FirstChild.Data; got != want {
			p.t.Errorf("title %q, want %q", got, want)
		}
	}
	return p
}

// leads checks for a redirect, and returns where to.
func (p page) leads(to string) string {
	p.t.Helper()
	if p.status != http.StatusSeeOther || !strings.HasPrefix(p.location, to) {
		p.t.Fatalf("status %d to %q, want 303 to %s…; page:\n%s", p.status, p.location, to, p.words())
	}
	return p.location
}

func attribute(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// cookies are those that the answer sets.
func (p page) cookies() []*http.Cookie { return (&http.Response{Header: p.header}).Cookies() }
