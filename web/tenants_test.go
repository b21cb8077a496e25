package web_test

import (
	"maps"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// probe names something by an id, in the path or in the query or form.
type probe struct {
	path   string // with %id for the id
	values url.Values
	ids    [2]string // somebody else's, and one that nobody has
}

// nobodys are the pages that name nothing of anybody's, or only by a secret that is itself the right to it.
var nobodys = []string{
	"/", "GET /{$}", "GET /static/", "GET /healthz",
	"GET /invite/{token}", "POST /invite/{token}", // the token is the right
	"GET /login", "POST /login", "GET /login/code", "POST /login/code", "POST /login/oidc", "GET /login/oidc/callback",
	"POST /login/passkey", "POST /login/passkey/options", "POST /logout", "GET /second-factor",
	"GET /device", "POST /device", "POST /device/decide", // the code is on the device's screen
	"GET /account", "POST /account", "POST /account/oidc", "POST /account/oidc/disconnect", "GET /account/prove", "POST /account/prove",
	"GET /account/authenticator", "POST /account/authenticator", "GET /account/authenticator/image", "GET /account/authenticator/off",
	"POST /account/authenticator/off", "POST /account/recovery-codes", "POST /account/passkeys", "POST /account/passkeys/options",
	"POST /account/prove/passkey", "POST /account/prove/passkey/options", "POST /account/logins/end",
	"GET /hosts", "GET /hosts/new", "POST /hosts", "GET /users", "POST /users", "GET /tokens", "POST /tokens", "GET /templates",
	"GET /clients/registered", "POST /clients/registered",
	"POST /templates", // a name is everybody's, and taken or not
}

// probes are, for each other page, all the ways in which it names something.
func (c crowd) probes(t *testing.T) map[string][]probe {
	t.Helper()
	session := [2]string{string(c.session.ID), string(protocol.NewSessionID())}
	handle := [2]string{c.session.Handle, "web-app_zzzz"}
	host := [2]string{string(c.host.ID), strings.Repeat("z", len(c.host.ID))}
	hostName := [2]string{c.host.Name, strings.Repeat("z", len(c.host.Name))}
	prompt := [2]string{string(c.prompt.ID), protocol.NewID()}
	sent, err := c.pages.Fleet.SendMessage(t.Context(), c.caller(t, c.admin), session[0], fleet.NewMessage{Text: "hi"})
	if err != nil {
		t.Fatal(err)
	}
	message := [2]string{string(sent.ID), protocol.NewID()}
	template := [2]string{"secret", "absent"}
	user := [2]string{string(c.admin.User.ID), strings.Repeat("z", len(c.admin.User.ID))}
	grants, err := c.pages.OAuth.Grants(t.Context(), c.caller(t, c.admin), auth.GrantFilter{})
	if err != nil || len(grants) == 0 {
		t.Fatalf("grants %v, %v", grants, err)
	}
	grant := [2]string{string(grants[0].ID), strings.Repeat("z", len(grants[0].ID))}
	client := [2]string{grants[0].ClientID, strings.Repeat("z", len(grants[0].ClientID))}
	logins, err := c.pages.Accounts.Logins(t.Context(), c.caller(t, c.admin), c.admin.Token)
	if err != nil || len(logins) == 0 {
		t.Fatalf("logins %v, %v", logins, err)
	}
	login := [2]string{logins[0].ID, strings.Repeat("z", len(logins[0].ID))}

	rows := map[string][]probe{
		"GET /sessions":     {{"/sessions?host=%id", nil, host}, {"/sessions?host=%id", nil, hostName}, {"/sessions?cursor=%id", nil, session}},
		"POST /sessions":    {{"/sessions", url.Values{"host": {"%id"}, "working_dir": {"/"}}, host}, {"/sessions", url.Values{"host": {"%id"}}, hostName}, {"/sessions", url.Values{"template": {"%id"}}, template}},
		"GET /sessions/new": {{"/sessions/new?host=%id", nil, host}, {"/sessions/new?host=%id", nil, hostName}, {"/sessions/new?template=%id", nil, template}},
		"POST /sessions/{session}/prompts/{prompt}":             {{"/sessions/%id/prompts/" + prompt[0], url.Values{"option": {"deny"}}, session}, {"/sessions/" + session[0] + "/prompts/%id", url.Values{"option": {"deny"}}, prompt}, {"/sessions/" + session[1] + "/prompts/%id", url.Values{"option": {"deny"}}, prompt}},
		"POST /sessions/{session}/messages/{message}/take-back": {{"/sessions/%id/messages/" + message[0] + "/take-back", nil, session}, {"/sessions/" + session[0] + "/messages/%id/take-back", nil, message}},
		"GET /prompts/{prompt}":                                 {{"/prompts/%id", nil, prompt}},
		"GET /events":                                           {{"/events?session=%id", nil, session}, {"/events?session=%id", nil, handle}},
		"GET /hosts/waiting":                                    {{"/hosts/waiting?name=%id", nil, hostName}, {"/hosts/waiting?host=%id", nil, host}},
		"POST /hosts/{host}/shares":                             {{"/hosts/%id/shares", url.Values{"user": {"grace"}, "access": {"operator"}}, host}},
		"GET /clients":                                          {{"/clients?user=%id", nil, user}, {"/clients?client=%id", nil, client}, {"/clients?all=yes&user=%id", nil, user}},
		"GET /clients/revoke":                                   {{"/clients/revoke?user=%id", nil, user}, {"/clients/revoke?all=yes&user=%id", nil, user}, {"/clients/revoke?client=%id", nil, client}},
		"POST /clients/revoke":                                  {{"/clients/revoke", url.Values{"all": {"yes"}, "user": {"%id"}}, user}, {"/clients/revoke", url.Values{"client": {"%id"}}, client}},
		"POST /clients/{grant}/revoke":                          {{"/clients/%id/revoke", nil, grant}, {"/clients/%id/revoke", url.Values{"from": {"tokens"}}, grant}},
		"POST /clients/registered/disable":                      {{"/clients/registered/disable", url.Values{"client": {"%id"}, "disable": {"yes"}}, client}},
		"POST /clients/registered/remove":                       {{"/clients/registered/remove", url.Values{"client": {"%id"}}, client}},
		"POST /users/{user}/suspend":                            {{"/users/%id/suspend", url.Values{"suspend": {"yes"}}, user}},
		"POST /users/{user}/factors/reset":                      {{"/users/%id/factors/reset", nil, user}},
		"POST /users/{user}/logins/end":                         {{"/users/%id/logins/end", nil, user}},
		"POST /account/logins/{login}/end":                      {{"/account/logins/%id/end", nil, login}},
		"POST /account/passkeys/{passkey}/remove":               {{"/account/passkeys/%id/remove", nil, [2]string{"YWRhcw", "bm9uZQ"}}},
		"POST /templates/{template}/remove":                     {{"/templates/%id/remove", nil, template}},
		"GET /audit":                                            {{"/audit?filter=%id", nil, [2]string{"host.enrol", "zzzz.zzzzz"}}},
	}
	for _, page := range []string{"", "/screen", "/terminal", "/changes", "/terminate", "/recording"} {
		rows["GET /sessions/{session}"+page] = []probe{{"/sessions/%id" + page, nil, session}, {"/sessions/%id" + page, nil, handle}}
	}
	rows["GET /sessions/{session}/recording/{segment}"] = []probe{{"/sessions/%id/recording/1", nil, session}, {"/sessions/%id/recording/1", nil, handle}}
	for _, act := range []string{"messages", "interrupt", "resume", "terminate"} {
		rows["POST /sessions/{session}/"+act] = []probe{{"/sessions/%id/" + act, url.Values{"text": {"hi"}}, session}, {"/sessions/%id/" + act, url.Values{"text": {"hi"}}, handle}}
	}
	for _, page := range []string{"GET /hosts/{host}", "GET /hosts/{host}/remove", "POST /hosts/{host}/remove"} {
		path := strings.ReplaceAll(page[strings.Index(page, "/"):], "{host}", "%id")
		rows[page] = []probe{{path, nil, host}, {path, nil, hostName}}
	}
	return rows
}

// TestTenants has a member try every page with what is somebody else's and with what nobody has. The answers are one and
// the same: status, headers and text. A page that is in neither list fails the test.
func TestTenants(t *testing.T) {
	c := newCrowd(t)
	c.connected(t)
	secret := fleet.Template{Name: "secret", WorkingDir: "/src", Host: c.host.ID}
	if err := c.pages.Fleet.SaveTemplate(t.Context(), c.caller(t, c.admin), secret); err != nil {
		t.Fatal(err)
	}
	c.execute(t, `
		INSERT INTO passkeys (id, user_id, name, public_key, sign_count, backup_eligible, backed_up, transports, created_at)
		SELECT 'adas', id, 'x', 'x', 0, false, false, '{}', now() FROM users WHERE name = 'ada'`)
	b := c.browser(t, ptr(c.member(t, "grace", "Grace")))
	account, _ := b.get("/account").form("/account")
	probes := c.probes(t)
	for pattern := range routes(c.pages) {
		if slices.Contains(nobodys, pattern) {
			continue
		}
		if len(probes[pattern]) == 0 {
			t.Errorf("%s: who may name what by it? It is in no list", pattern)
		}
		for _, probe := range probes[pattern] {
			t.Run(pattern+" "+probe.path, func(t *testing.T) {
				var answers []page
				for _, id := range probe.ids {
					answers = append(answers, b.probe(pattern, probe, id, account.Get("csrf")))
				}
				theirs, none := answers[0], answers[1]
				if theirs.status != none.status || theirs.location != none.location {
					t.Errorf("somebody else's is %d to %q, nobody's %d to %q", theirs.status, theirs.location, none.status, none.location)
				}
				if diff := cmp.Diff(none.text, theirs.text); diff != "" {
					t.Errorf("the pages differ (-nobody's +somebody else's):\n%s", diff)
				}
				for _, name := range slices.Sorted(maps.Keys(none.header)) {
					if diff := cmp.Diff(none.header[name], theirs.header[name]); diff != "" && name != "Date" && name != "Content-Length" {
						t.Errorf("%s differs: %s", name, diff)
					}
				}
			})
		}
	}
	if got, err := c.pages.Fleet.Session(t.Context(), c.caller(t, c.admin), string(c.session.ID)); err != nil || got.State == "exited" {
		t.Errorf("the session is %+v, %v", got, err)
	}
	c.browser(t, &c.admin).get("/clients").wants(http.StatusOK, "ChatGPT", "nightly of ada")
}

// probe asks with an id, and takes the id out of the answer.
func (b *browser) probe(pattern string, p probe, id, csrf string) page {
	b.t.Helper()
	method, _, _ := strings.Cut(pattern, " ")
	form := url.Values{}
	for name, values := range p.values {
		form.Set(name, strings.ReplaceAll(values[0], "%id", id))
	}
	if method == http.MethodPost {
		form.Set("csrf", csrf)
	}
	got := b.do(b.request(method, strings.ReplaceAll(p.path, "%id", url.PathEscape(id)), form))
	got.text, got.location = strings.ReplaceAll(got.text, id, "%id"), strings.ReplaceAll(got.location, id, "%id")
	return got
}

// TestRoutesAreTheControlPlanes keeps the list with which the tests serve the pages that of routes.go.
func TestRoutesAreTheControlPlanes(t *testing.T) {
	text, err := os.ReadFile("../controlplane/routes.go")
	if err != nil {
		t.Fatal(err)
	}
	served := map[string]bool{}
	for _, page := range routes(nil) {
		name := runtime.FuncForPC(reflect.ValueOf(page).Pointer()).Name()
		served[strings.TrimSuffix(name[strings.LastIndex(name, ".")+1:], "-fm")] = true
	}
	pages := regexp.MustCompile(`page\(p\.pages\.(\w+)\)`).FindAllStringSubmatch(string(text), -1)
	for _, page := range pages {
		if !served[page[1]] {
			t.Errorf("the tests do not serve %s", page[1])
		}
	}
	if len(pages) < 50 {
		t.Errorf("routes.go has %d pages: it is read wrongly", len(pages))
	}
}
