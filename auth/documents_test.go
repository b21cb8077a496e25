package auth_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/auth"
)

const documentID = "https://app.example/client.json"

// aDocument is a good one at documentID, changed by the given members; nil removes one.
func aDocument(change map[string]any) map[string]any {
	document := map[string]any{"client_id": documentID, "client_name": "Example", "redirect_uris": []string{webRedirect}}
	for name, value := range change {
		document[name] = value
		if value == nil {
			delete(document, name)
		}
	}
	return document
}

// TestClientsByDocument has every client that is known to describe itself by a document go the whole way.
func TestClientsByDocument(t *testing.T) {
	s, p := newDocumentServer(t)
	login := s.admin(t)
	for _, test := range []struct {
		fixture, redirect string
		want              auth.ConsentView
	}{
		{"chatgpt.json", "https://chatgpt.com/connector_platform_oauth_redirect",
			auth.ConsentView{ClientName: "ChatGPT", ClientHost: "chatgpt.com", RedirectHost: "chatgpt.com"}},
		{"chatgpt-callback.json", "https://chatgpt.com/connector/oauth/cb_6f1c2d",
			auth.ConsentView{ClientName: "ChatGPT", ClientHost: "chatgpt.com", RedirectHost: "chatgpt.com"}},
		{"claude.json", "https://claude.ai/api/mcp/auth_callback",
			auth.ConsentView{ClientName: "Claude", ClientHost: "claude.ai", RedirectHost: "claude.ai"}},
		{"claude.json", "https://claude.com/api/mcp/auth_callback",
			auth.ConsentView{ClientName: "Claude", ClientHost: "claude.ai", RedirectHost: "claude.com", Elsewhere: true}},
		{"claude-code.json", "http://localhost:3118/callback",
			auth.ConsentView{ClientName: "Claude Code", ClientHost: "claude.ai", RedirectHost: "this computer", Loopback: true}},
		{"vscode.json", "http://127.0.0.1:33418/",
			auth.ConsentView{ClientName: "Visual Studio Code", ClientHost: "vscode.dev", RedirectHost: "this computer", Loopback: true}},
		{"vscode.json", "https://vscode.dev/redirect",
			auth.ConsentView{ClientName: "Visual Studio Code", ClientHost: "vscode.dev", RedirectHost: "vscode.dev"}},
	} {
		t.Run(test.fixture+" "+test.redirect, func(t *testing.T) {
			id := p.publishFixture(t, test.fixture)["client_id"].(string)
			b, app := s.browser(t, &login), s.described(id, test.redirect)
			view := readConsent(t, app.authorize(b, nil))
			if view.ClientName != test.want.ClientName || view.ClientID != id || view.ClientHost != test.want.ClientHost ||
				view.RedirectHost != test.want.RedirectHost || view.Loopback != test.want.Loopback ||
				view.Elsewhere != test.want.Elsewhere || view.Unverified || view.Kind != auth.ClientDocument {
				t.Errorf("consent page: %+v", view)
			}
			got := app.connect(b)
			next := readTokens(t, app.token(t, app.refreshing(got.refresh, nil)))
			if !s.works(t, got.access) || !s.works(t, next.access) {
				t.Error("an access token does not work")
			}
			revoked := b.post(s.url+auth.RevokePath, url.Values{"token": {next.refresh}, "client_id": {id}})
			if revoked.status != http.StatusOK || s.works(t, next.access) || s.works(t, got.access) {
				t.Errorf("revoked with %d, works still: %v", revoked.status, s.works(t, next.access))
			}
			if asked := p.Asked(id); asked != 1 {
				t.Errorf("the document was asked for %d times", asked)
			}
		})
	}
}

func TestDocumentIsRefused(t *testing.T) {
	s, p := newDocumentServer(t)
	login := s.admin(t)
	b := s.browser(t, &login)
	with := func(name string, value any) map[string]any { return aDocument(map[string]any{name: value}) }
	for _, test := range []struct {
		name     string
		document map[string]any
		want     string
	}{
		{"another id", with("client_id", "https://app.example/other.json"), "names another client_id"},
		{"the id with a slash", with("client_id", documentID+"/"), "names another client_id"},
		{"the id in upper case", with("client_id", strings.ToUpper(documentID)), "names another client_id"},
		{"no id", with("client_id", nil), "names another client_id"},
		{"no name", with("client_name", nil), "has no client_name"},
		{"a name that hides", with("client_name", "Chat\u200bGPT"), "client_name must be"},
		{"no redirects", with("redirect_uris", nil), "redirect_uris is missing"},
		{"empty redirects", with("redirect_uris", []string{}), "redirect_uris is missing"},
		{"a plain redirect", with("redirect_uris", []string{"http://app.example/cb"}), "uses http"},
		{"a script as redirect", with("redirect_uris", []string{"javascript:alert(1)"}), "redirect_uris[0]"},
		{"a secret", with("client_secret", "s3cret"), "has a client_secret"},
		{"a secret's end", with("client_secret_expires_at", 0), "has a client_secret"},
		{"only with a key", with("token_endpoint_auth_methods_supported", []string{"private_key_jwt"}), "method none"},
		{"only with a key, singular", with("token_endpoint_auth_method", "private_key_jwt"), "method none"},
		{"with a secret", with("token_endpoint_auth_method", "client_secret_basic"), "method none"},
		{"no code", with("grant_types", []string{"client_credentials"}), "grant type authorization_code"},
		{"another response", with("response_types", []string{"token"}), "response type code"},
		{"wrong types", with("redirect_uris", "https://app.example/cb"), "not the JSON"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.Advance(2 * time.Minute) // past what is remembered of the last attempt, and the rate limit
			p.Put(documentID, serves("application/json", documentText(t, test.document)))
			got := s.described(documentID, webRedirect).authorize(b, nil)
			if got.status != http.StatusBadRequest || got.location != nil || !strings.Contains(got.body, test.want) {
				t.Errorf("got %d to %v: %s", got.status, got.location, got.body)
			}
		})
	}
}

func TestDocumentIsServedWrongly(t *testing.T) {
	s, p := newDocumentServer(t)
	login := s.admin(t)
	b := s.browser(t, &login)
	good := documentText(t, aDocument(nil))
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"nothing there", nil, "is not there any more"},
		{"a page", serves("text/html", good), "not served as application/json"},
		{"not JSON", serves("application/json", "{"), "not the JSON"},
		{"an array", serves("application/json", "[]"), "not the JSON"},
		{"deep", serves("application/json", strings.Repeat("[", 10_000)), "not the JSON"},
		{"11 kB", serves("application/json", good+strings.Repeat(" ", 11<<10)), "longer than 10 kB"},
		{"an error", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, "status 500"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://other.example/client.json", http.StatusFound)
		}, "status 302"},
		{"not modified, though nothing was known", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotModified)
		}, "status 304"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.Advance(2 * time.Minute)
			p.Put(documentID, test.answer)
			got := s.described(documentID, webRedirect).authorize(b, nil)
			if got.status != http.StatusBadRequest || got.location != nil || !strings.Contains(got.body, test.want) {
				t.Errorf("got %d to %v: %s", got.status, got.location, got.body)
			}
		})
	}
	if p.Asked("https://other.example/client.json") != 0 {
		t.Error("the redirect was followed")
	}
	s.Advance(2 * time.Minute)
	p.Put(documentID, serves("application/vnd.client+json; charset=utf-8", good))
	if got := s.described(documentID, webRedirect).authorize(b, nil); got.status != http.StatusOK {
		t.Errorf("another type of JSON: %d %s", got.status, got.body)
	}
}

// TestDocumentAddresses tries ids that would have us call what only we can reach, or that are none.
func TestDocumentAddresses(t *testing.T) {
	s, p := newDocumentServer(t)
	s.oauth.Outbound.Resolve = nil // as in life
	login := s.admin(t)
	b := s.browser(t, &login)
	for _, id := range []string{
		"https://127.0.0.1/client.json", "https://[::1]/client.json", "https://[::ffff:127.0.0.1]/client.json",
		"https://169.254.169.254/latest/meta-data", "https://10.0.0.1/client.json", "https://[fc00::1]/client.json",
		"https://2130706433/client.json", "https://0x7f.1/client.json", "https://localhost/client.json",
		"http://app.example/client.json", "https://app.example", "https://app.example/", "https://app.example/a#b",
		"https://user@app.example/client.json", "https://app.example/a/../client.json", "ftp://app.example/x", "urn:x",
	} {
		s.Advance(time.Minute) // past the rate limit
		got := s.described(id, webRedirect).authorize(b, nil)
		if got.status != http.StatusBadRequest || got.location != nil {
			t.Errorf("%s: %d to %v: %s", id, got.status, got.location, got.body)
		}
		if strings.Contains(got.body, "127.0.0.1:") || strings.Contains(got.body, "refused") || strings.Contains(got.body, "dial") {
			t.Errorf("%s: the page tells about our network: %s", id, got.body)
		}
	}
	if got := p.Requests(); got != 0 {
		t.Errorf("%d requests were made", got)
	}
}

// TestStrangersCannotMakeUsFetch knocks at every endpoint without a login.
func TestStrangersCannotMakeUsFetch(t *testing.T) {
	s, p := newDocumentServer(t)
	p.publishDocument(t, aDocument(nil))
	b, app := s.browser(t, nil), s.described(documentID, webRedirect)
	if got := app.authorize(b, nil); got.status != http.StatusSeeOther || got.location.Path != "/login" {
		t.Errorf("authorize: %d to %v", got.status, got.location)
	}
	for name, got := range map[string]page{
		"code":    app.token(t, app.redemption("x", nil)),
		"refresh": app.token(t, app.refreshing("x", nil)),
		"revoke":  b.post(s.url+auth.RevokePath, url.Values{"token": {"x"}, "client_id": {documentID}}),
	} {
		if got.status != http.StatusUnauthorized || got.errorCode(t) != "invalid_client" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if asked := p.Asked(documentID); asked != 0 {
		t.Errorf("the document was asked for %d times", asked)
	}
}

func TestDocumentsAreLimited(t *testing.T) {
	s, p := newDocumentServer(t)
	login := s.admin(t)
	b := s.browser(t, &login)
	var got page
	for i := range 11 {
		id := fmt.Sprintf("https://app.example/%d.json", i)
		p.publishDocument(t, aDocument(map[string]any{"client_id": id}))
		got = s.described(id, webRedirect).authorize(b, nil)
	}
	if got.status != http.StatusTooManyRequests || p.Asked("https://app.example/10.json") != 0 {
		t.Errorf("the 11th: %d %s", got.status, got.body)
	}
	s.Advance(10 * time.Second)
	if got := s.described("https://app.example/10.json", webRedirect).authorize(b, nil); got.status != http.StatusOK {
		t.Errorf("ten seconds later: %d %s", got.status, got.body)
	}
}

func TestOneFetchForAll(t *testing.T) {
	s, p := newDocumentServer(t)
	login := s.admin(t)
	text := documentText(t, aDocument(nil))
	p.Put(documentID, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(100 * time.Millisecond) // so that the others come meanwhile
		serves("application/json", text)(w, r)
	})
	var all sync.WaitGroup
	for range 20 {
		b := s.browser(t, &login)
		all.Go(func() {
			if got := s.described(documentID, webRedirect).authorize(b, nil); got.status != http.StatusOK {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
	all.Wait()
	other := s.replica(t)
	other.oauth.Outbound = p.outbound()
	if got := other.described(documentID, webRedirect).authorize(other.browser(t, &login), nil); got.status != http.StatusOK {
		t.Errorf("another replica: %d %s", got.status, got.body)
	}
	if asked := p.Asked(documentID); asked != 1 {
		t.Errorf("the document was asked for %d times", asked)
	}
}

func TestDocumentIsAskedForAgain(t *testing.T) {
	s, p := newDocumentServer(t)
	login := s.admin(t)
	b, app := s.browser(t, &login), s.described(documentID, webRedirect)
	text := documentText(t, aDocument(nil))
	unchanged := 0
	p.Put(documentID, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Etag", `"v1"`)
		w.Header().Set("Cache-Control", "public, max-age=3600")
		if r.Header.Get("If-None-Match") == `"v1"` {
			unchanged++
			w.WriteHeader(http.StatusNotModified)
			return
		}
		serves("application/json", text)(w, r)
	})
	for i, step := range []struct {
		pass  time.Duration
		asked int
	}{{0, 1}, {59 * time.Minute, 1}, {time.Minute, 2}, {59 * time.Minute, 2}, {time.Minute, 3}} {
		s.Advance(step.pass)
		if got := app.authorize(b, nil); got.status != http.StatusOK || p.Asked(documentID) != step.asked {
			t.Errorf("step %d: %d, asked %d times, want %d", i, got.status, p.Asked(documentID), step.asked)
		}
	}
	if unchanged != 2 {
		t.Errorf("%d answers were Not Modified, want 2", unchanged)
	}
}

// TestDocumentServerIsAway keeps a client that is known, and forgets soon that one could not be met.
func TestDocumentServerIsAway(t *testing.T) {
	s, p := newDocumentServer(t)
	login := s.admin(t)
	b, app := s.browser(t, &login), s.described(documentID, webRedirect)
	away := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	p.Put(documentID, away)
	for range 3 {
		if got := app.authorize(b, nil); got.status != http.StatusBadRequest || !strings.Contains(got.body, "app.example could not be fetched") {
			t.Errorf("not met: %d %s", got.status, got.body)
		}
	}
	if asked := p.Asked(documentID); asked != 1 {
		t.Errorf("asked %d times for what has just failed", asked)
	}
	s.Advance(time.Minute)
	p.publishDocument(t, aDocument(nil))
	held := app.connect(b)

	for name, answer := range map[string]http.HandlerFunc{
		"an error": away, "a page": serves("text/html", "<h1>Sorry"), "forbidden": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"cut off": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"slow":    func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			s.Advance(24 * time.Hour)
			login := logIn(t, s)
			p.Put(documentID, answer)
			before := p.Asked(documentID)
			held = readTokens(t, app.token(t, app.refreshing(held.refresh, nil)))
			if got := app.authorize(s.browser(t, &login), nil); got.status != http.StatusOK {
				t.Errorf("authorize: %d %s", got.status, got.body)
			}
			if asked := p.Asked(documentID) - before; asked != 1 {
				t.Errorf("asked %d times", asked)
			}
		})
	}
}

// TestDocumentChanges takes a redirect out of a document, and then the document away.
func TestDocumentChanges(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, p *publisher){
		"another redirect": func(t *testing.T, p *publisher) {
			p.publishDocument(t, aDocument(map[string]any{"redirect_uris": []string{"https://app.example/new"}}))
		},
		"gone": func(_ *testing.T, p *publisher) { p.Put(documentID, nil) },
		"bad": func(t *testing.T, p *publisher) {
			p.publishDocument(t, aDocument(map[string]any{"client_secret": "x"}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := newDocumentServer(t)
			login := s.admin(t)
			b, app := s.browser(t, &login), s.described(documentID, webRedirect)
			p.publishDocument(t, aDocument(nil))
			held := app.connect(b)
			code := app.code(b, nil)
			change(t, p)
			if got := app.authorize(b, nil); got.status != http.StatusOK {
				t.Errorf("while the old document is fresh: %d %s", got.status, got.body)
			}
			s.Advance(5 * time.Minute)
			if got := app.token(t, app.refreshing(held.refresh, nil)); got.status != http.StatusBadRequest || got.errorCode(t) != "invalid_grant" {
				t.Errorf("refresh: %d %s", got.status, got.body)
			}
			if got := app.token(t, app.redemption(code, nil)); got.status != http.StatusBadRequest || got.errorCode(t) != "invalid_grant" {
				t.Errorf("code: %d %s", got.status, got.body)
			}
			if got := app.authorize(b, nil); got.status != http.StatusBadRequest || got.location != nil {
				t.Errorf("authorize: %d to %v %s", got.status, got.location, got.body)
			}
			p.publishDocument(t, aDocument(nil))
			s.Advance(5 * time.Minute)
			readTokens(t, app.token(t, app.refreshing(held.refresh, nil)))
			if got := s.audited(t, "oauth.document"); len(got) != 3 { // met, changed, changed back
				t.Errorf("audit log: %v", got)
			}
		})
	}
}

func TestDocumentHosts(t *testing.T) {
	s, p := newDocumentServer(t)
	login := s.admin(t)
	b := s.browser(t, &login)
	chatgpt := s.described(p.publishFixture(t, "chatgpt.json")["client_id"].(string), "https://chatgpt.com/connector_platform_oauth_redirect")
	p.publishDocument(t, aDocument(nil))
	example := s.described(documentID, webRedirect)
	held := example.connect(b)

	s.oauth.DocumentHosts = []string{"chatgpt.com", "claude.ai"}
	chatgpt.connect(b)
	if got := example.authorize(b, nil); got.status != http.StatusBadRequest || !strings.Contains(got.body, "Apps of app.example are not admitted") {
		t.Errorf("authorize: %d %s", got.status, got.body)
	}
	if got := example.token(t, example.refreshing(held.refresh, nil)); got.errorCode(t) != "invalid_grant" {
		t.Errorf("refresh: %d %s", got.status, got.body)
	}
	other := s.described("https://other.example/client.json", webRedirect)
	if got := other.authorize(b, nil); got.status != http.StatusBadRequest || p.Asked(other.id) != 0 {
		t.Errorf("one that is not known: %d after %d fetches", got.status, p.Asked(other.id))
	}
}

// TestSweepOfDocuments keeps a client that was used, with what is known of its document, and forgets others.
func TestSweepOfDocuments(t *testing.T) {
	s, p := newDocumentServer(t)
	login := s.admin(t)
	b := s.browser(t, &login)
	used, unused := s.described(documentID, webRedirect), s.described("https://app.example/unused.json", webRedirect)
	for _, id := range []string{used.id, unused.id} {
		p.publishDocument(t, aDocument(map[string]any{"client_id": id}))
	}
	held := used.connect(b)
	unused.authorize(b, nil)
	s.Advance(25 * time.Hour)
	if err := s.oauth.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Put(used.id, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	readTokens(t, used.token(t, used.refreshing(held.refresh, nil)))
	if got := unused.token(t, unused.refreshing("x", nil)); got.errorCode(t) != "invalid_client" {
		t.Errorf("the unused client is still known: %d %s", got.status, got.body)
	}
	login = logIn(t, s)
	if got := unused.authorize(s.browser(t, &login), nil); got.status != http.StatusOK {
		t.Errorf("the unused client cannot be met again: %d %s", got.status, got.body)
	}
}

// A document that changes while the person looks at the consent page gets nothing that the page did not show.
func TestDocumentChangesUnderTheConsent(t *testing.T) {
	for name, then := range map[string]map[string]any{
		"more scopes":  {"grant_types": []string{"authorization_code", "refresh_token"}},
		"another name": {"grant_types": []string{"authorization_code"}, "client_name": "ChatGPT"},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := newDocumentServer(t)
			login := s.admin(t)
			b, app := s.browser(t, &login), s.described(documentID, webRedirect)
			p.publishDocument(t, aDocument(map[string]any{"grant_types": []string{"authorization_code"}}))
			consent := app.authorize(b, url.Values{"scope": {"sessions:read"}})
			p.publishDocument(t, aDocument(then))
			s.Advance(5 * time.Minute)
			if got := app.decide(b, consent, "allow"); got.status != http.StatusConflict || got.location != nil {
				t.Errorf("allowed: %d to %v %s", got.status, got.location, got.body)
			}
		})
	}
}
