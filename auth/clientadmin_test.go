package auth_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"switchboard/auth"
)

func (s *server) known(t *testing.T, login auth.Login, id string) (auth.KnownClient, bool) {
	t.Helper()
	clients, err := s.oauth.Clients(t.Context(), s.caller(t, login))
	if err != nil {
		t.Fatal(err)
	}
	for _, client := range clients {
		if client.ID == id {
			return client, true
		}
	}
	return auth.KnownClient{}, false
}

func TestDisabledClient(t *testing.T) {
	s, p := newDocumentServer(t)
	login := s.admin(t)
	b, admin := s.browser(t, &login), s.caller(t, login)
	p.publishDocument(t, aDocument(nil))
	withSecret := s.register(t, map[string]any{"token_endpoint_auth_method": "client_secret_post"})
	for name, app := range map[string]*app{
		"registered": s.register(t, nil), "described": s.described(documentID, webRedirect), "with a secret": withSecret,
	} {
		t.Run(name, func(t *testing.T) {
			secret := url.Values{"client_secret": {app.secret}}
			if app.secret == "" {
				secret = nil
			}
			held := readTokens(t, app.token(t, app.redemption(app.code(b, nil), secret)))
			code := app.code(b, nil)
			if err := s.oauth.DisableClient(t.Context(), admin, app.id, true); err != nil {
				t.Fatal(err)
			}
			if s.works(t, held.access) {
				t.Error("the access token works")
			}
			for name, form := range map[string]url.Values{"refresh": app.refreshing(held.refresh, secret), "code": app.redemption(code, secret)} {
				if got := app.token(t, form); got.status != http.StatusBadRequest || got.errorCode(t) != "invalid_grant" {
					t.Errorf("%s: %d %s", name, got.status, got.body)
				}
			}
			if app.secret != "" {
				if got := app.token(t, app.refreshing(held.refresh, url.Values{"client_secret": {"x"}})); got.errorCode(t) != "invalid_client" {
					t.Errorf("with a wrong secret: %d %s", got.status, got.body)
				}
			}
			if got := app.authorize(b, nil); got.status != http.StatusBadRequest || !strings.Contains(got.body, "disabled") {
				t.Errorf("authorize: %d %s", got.status, got.body)
			}
			if client, _ := s.known(t, login, app.id); client.DisabledAt == nil || client.Grants != 1 || client.LastUsedAt == nil {
				t.Errorf("listed as %+v", client)
			}
			s.Advance(24 * time.Hour) // a document is not asked for meanwhile
			if err := s.oauth.DisableClient(t.Context(), s.caller(t, login), app.id, false); err != nil {
				t.Fatal(err)
			}
			readTokens(t, app.token(t, app.refreshing(held.refresh, secret)))
			if got := s.audited(t, "client.disable"); len(got) == 0 || !strings.HasPrefix(got[0], app.id+" true") {
				t.Errorf("audit log: %v", got)
			}
		})
	}
}

// TestDisabledClientMayRevoke lets an app disconnect though it is disabled, so that enabling it does not bring back
// what its person ended.
func TestDisabledClientMayRevoke(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	b, app := s.browser(t, &login), s.register(t, nil)
	held := app.connect(b)
	for _, disable := range []bool{true, false} {
		if err := s.oauth.DisableClient(t.Context(), s.caller(t, login), app.id, disable); err != nil {
			t.Fatal(err)
		}
		if got := b.post(s.url+auth.RevokePath, url.Values{"token": {held.refresh}, "client_id": {app.id}}); got.status != http.StatusOK {
			t.Errorf("disabled %v: %d %s", disable, got.status, got.body)
		}
	}
	if s.works(t, held.access) {
		t.Error("the access token works")
	}
}

func TestRemoveClient(t *testing.T) {
	s, p := newDocumentServer(t)
	login := s.admin(t)
	b := s.browser(t, &login)
	p.publishDocument(t, aDocument(nil))
	used, unredeemed, described := s.register(t, nil), s.register(t, nil), s.described(documentID, webRedirect)
	used.connect(b)
	unredeemed.code(b, nil)
	described.authorize(b, nil)
	for id, want := range map[string]error{
		used.id: auth.ErrClientUsed, unredeemed.id: nil, described.id: nil, "hostagent": auth.ErrClientUsed, "nobody": auth.ErrNotFound,
	} {
		if err := s.oauth.RemoveClient(t.Context(), s.caller(t, login), id); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", id, err, want)
		}
		if _, known := s.known(t, login, id); known != errors.Is(want, auth.ErrClientUsed) {
			t.Errorf("%s: known afterwards: %v", id, known)
		}
	}
	if got := described.authorize(b, nil); got.status != http.StatusOK || p.Asked(documentID) != 2 {
		t.Errorf("met again: %d after %d fetches", got.status, p.Asked(documentID))
	}
}

// TestAddedClient has clients that an administrator added go the whole way.
func TestAddedClient(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	b, admin := s.browser(t, &login), s.caller(t, login)
	add := func(t *testing.T, withSecret bool) *app {
		t.Helper()
		client, secret, err := s.oauth.AddClient(t.Context(), admin, auth.NewClient{
			Name: " Added ", RedirectURIs: []string{webRedirect}, WithSecret: withSecret,
		})
		if err != nil || client.Name != "Added" || (secret == "") == withSecret {
			t.Fatalf("got %+v, a secret of %d bytes, %v", client, len(secret), err)
		}
		app := s.described(client.ID, webRedirect)
		app.secret = string(secret)
		return app
	}
	public := add(t, false)
	view := readConsent(t, public.authorize(b, nil))
	if view.Kind != auth.ClientPredefined || view.Unverified || view.ClientName != "Added" {
		t.Errorf("consent page: %+v", view)
	}
	held := public.connect(b)
	readTokens(t, public.token(t, public.refreshing(held.refresh, nil)))

	confidential := add(t, true)
	post := url.Values{"client_secret": {confidential.secret}}
	held = readTokens(t, confidential.token(t, confidential.redemption(confidential.code(b, nil), post)))
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+auth.TokenPath,
		strings.NewReader(confidential.refreshing(held.refresh, url.Values{"client_id": nil}).Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(confidential.id, confidential.secret)
	held = readTokens(t, b.do(r))
	for name, change := range map[string]url.Values{"no secret": nil, "a wrong secret": {"client_secret": {"x"}}} {
		if got := confidential.token(t, confidential.refreshing(held.refresh, change)); got.errorCode(t) != "invalid_client" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	s.Advance(25 * time.Hour)
	admin = s.caller(t, logIn(t, s)) // who has just proved who he is
	unused := add(t, false)
	s.Advance(25 * time.Hour)
	if err := s.oauth.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, known := s.known(t, login, unused.id); !known {
		t.Error("the sweep removed a client that an administrator added")
	}
	if added := s.audited(t, "client.add"); len(added) != 3 || strings.Contains(strings.Join(added, " "), confidential.secret) {
		t.Errorf("audit log: %v", added)
	}
	var stored int
	conn := connect(t, s.database)
	row := conn.QueryRow(t.Context(), `SELECT count(*) FROM oauth_clients c WHERE c::text LIKE '%' || $1 || '%'`, confidential.secret)
	if err := row.Scan(&stored); err != nil || stored != 0 {
		t.Errorf("the secret is in %d rows, %v", stored, err)
	}
}

func TestAddClientRefused(t *testing.T) {
	s := newServer(t)
	admin := s.caller(t, s.admin(t))
	for name, n := range map[string]auth.NewClient{
		"Name is missing":               {Name: " ", RedirectURIs: []string{webRedirect}},
		"Name must be":                  {Name: "a\u202eb", RedirectURIs: []string{webRedirect}},
		"Redirect address is missing":   {Name: "x"},
		"Redirect addresses are more":   {Name: "x", RedirectURIs: strings.Fields(strings.Repeat(webRedirect+" ", 11))},
		"Redirect address 2 uses http":  {Name: "x", RedirectURIs: []string{webRedirect, "http://app.example/cb"}},
		"Redirect address 1 has a sche": {Name: "x", RedirectURIs: []string{"myapp://cb"}},
	} {
		_, _, err := s.oauth.AddClient(t.Context(), admin, n)
		if !errors.Is(err, auth.ErrInvalid) || !strings.HasPrefix(strings.ToUpper(err.Error()[:1])+err.Error()[1:], name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOnlyAdministratorsManageClients tries it as a member, and as an administrator's client.
func TestOnlyAdministratorsManageClients(t *testing.T) {
	s := newServer(t)
	ada := s.admin(t)
	bob := s.member(t, ada)
	app := s.register(t, nil)
	held := app.connect(s.browser(t, &ada))
	client, err := s.oauth.Check(t.Context(), auth.Secret(held.access), "")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]auth.Caller{"a member": s.caller(t, bob), "an administrator's client": client} {
		_, listErr := s.oauth.Clients(t.Context(), c)
		_, _, addErr := s.oauth.AddClient(t.Context(), c, auth.NewClient{Name: "x", RedirectURIs: []string{webRedirect}})
		for act, err := range map[string]error{
			"list": listErr, "add": addErr,
			"disable": s.oauth.DisableClient(t.Context(), c, app.id, true),
			"enable":  s.oauth.DisableClient(t.Context(), c, app.id, false),
			"remove":  s.oauth.RemoveClient(t.Context(), c, app.id),
		} {
			if !errors.Is(err, auth.ErrForbidden) {
				t.Errorf("%s may %s: %v", name, act, err)
			}
		}
	}
	if !s.works(t, held.access) {
		t.Error("the client does not work any more")
	}
	if refused := s.audited(t, "client.disable"); len(refused) != 2 || !strings.Contains(refused[0], "false") {
		t.Errorf("audit log: %v", refused)
	}
}
