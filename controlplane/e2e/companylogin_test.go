package e2e

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"switchboard/controlplane/e2e/harness"
	"switchboard/controlplane/e2e/idp"
)

// TestCompanyLogin connects a client as somebody who has no password here and logs in at his company's provider:
// at dex, which others wrote, and at our own, which can then take him away.
func TestCompanyLogin(t *testing.T) {
	const secret = "canary client secret"
	t.Run("dex", func(t *testing.T) {
		plane := companyPlane(t)
		issuer := startDex(t, plane.URL()+"/login/oidc/callback", secret)
		plane.Env = append(plane.Env, "SWITCHBOARD_OIDC_ISSUER="+issuer, "SWITCHBOARD_OIDC_CLIENT_SECRET="+secret,
			"SWITCHBOARD_OIDC_ADMIN_GROUP=authors", "SWITCHBOARD_OIDC_MEMBER_GROUPS=readers;writers")
		must(t, plane.Start(t.Context()))
		p := connectByProvider(t, plane, issuer)
		if text, err := p.Text(t.Context(), "get_profile", nil); err != nil || !strings.Contains(text, "kilgore") {
			t.Errorf("profile %s, %v", text, err)
		}
		page, err := p.browser.Get(t.Context(), "/users") // an administrator's
		if err != nil || !strings.Contains(page.Text(), "Example as kilgore@kilgore.trout") {
			t.Errorf("people: %s, %v", page.Text(), err)
		}
		wantNoSecret(t, plane, secret)
	})
	t.Run("somebody leaves the company", func(t *testing.T) {
		plane := companyPlane(t)
		var provider *idp.Provider
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { provider.ServeHTTP(w, r) }))
		t.Cleanup(server.Close)
		provider = idp.New(server.URL, plane.URL()+"/login/oidc/callback")
		provider.ClientSecret = secret
		person := map[string]any{"sub": "1", "email": "grace@example.com", "email_verified": true, "preferred_username": "grace"}
		provider.LogIn(idp.Person{Claims: person})
		plane.Env = append(plane.Env, "SWITCHBOARD_OIDC_ISSUER="+server.URL, "SWITCHBOARD_OIDC_CLIENT_SECRET="+secret,
			"SWITCHBOARD_OIDC_ALLOWED_DOMAINS=example.org,example.com", "SWITCHBOARD_OIDC_ONLY=true")
		must(t, plane.Start(t.Context()))
		p := connectByProvider(t, plane, server.URL)
		_, err := p.Text(t.Context(), "get_profile", nil)
		must(t, err)

		provider.LogIn(idp.Person{Claims: map[string]any{"sub": "1", "email": "grace@elsewhere.example", "email_verified": true}})
		other, err := harness.NewBrowser(plane.URL(), "", "")
		must(t, err)
		other.Provider = server.URL
		page, err := other.PressOn(t.Context(), "/login", "log in with", nil)
		if err != nil || page.Status != http.StatusForbidden {
			t.Errorf("the login is answered %d %s, %v", page.Status, page.Text(), err)
		}
		answer, err := harness.CallRaw(t.Context(), plane.MCP(), p.tokens.Access, "get_profile", nil)
		if err != nil || answer.Status != http.StatusUnauthorized {
			t.Errorf("his client gets %d %s, %v", answer.Status, answer.Body, err)
		}
		if page, err := p.browser.Get(t.Context(), "/sessions"); err != nil || page.URL.Path != "/login" {
			t.Errorf("his browser is at %s, %v", page.URL, err)
		}
		wantNoSecret(t, plane, secret)
	})
	t.Run("nobody is left to manage people", func(t *testing.T) {
		plane := companyPlane(t)
		plane.Env = append(plane.Env, "SWITCHBOARD_OIDC_ISSUER=http://127.0.0.1:9", "SWITCHBOARD_OIDC_CLIENT_SECRET="+secret,
			"SWITCHBOARD_OIDC_ALLOWED_DOMAINS=example.com", "SWITCHBOARD_OIDC_ONLY=true")
		must(t, plane.Start(t.Context())) // although the provider is away
		setup, err := plane.SetupLink(t.Context())
		must(t, err)
		joinAs(t, plane, "alice", setup)
		must(t, plane.Stop())
		output, err := exec.CommandContext(t.Context(), plane.Programs.ControlPlane,
			"invite", "--data", plane.Data(), "--public-url", plane.URL()).Output()
		must(t, err)
		must(t, plane.Start(t.Context()))
		joinAs(t, plane, "carol", strings.TrimSpace(string(output)[strings.LastIndex(string(output), " "):]))
	})
}

// joinAs makes an account by a link, an administrator's.
func joinAs(t *testing.T, plane *harness.ControlPlane, name, link string) {
	t.Helper()
	b, err := harness.NewBrowser(plane.URL(), name, password)
	must(t, err)
	must(t, b.Join(t.Context(), link))
	if page, err := b.Get(t.Context(), "/users"); err != nil || !strings.Contains(page.Text(), "Invite someone") {
		t.Errorf("people: %s, %v", page.Text(), err)
	}
}

// companyPlane is a control plane that has its address, but has not started.
func companyPlane(t *testing.T) *harness.ControlPlane {
	t.Helper()
	dir, err := harness.TempDir()
	must(t, err)
	listen, err := harness.FreeAddress(t.Context())
	must(t, err)
	plane := &harness.ControlPlane{Programs: programs(t), Dir: dir, Listen: listen, Env: []string{
		"SWITCHBOARD_OIDC_CLIENT_ID=switchboard", "SWITCHBOARD_OIDC_NAME=Example",
	}}
	t.Cleanup(func() {
		if plane.Started() {
			expect(t, plane.Stop())
		}
		expect(t, os.RemoveAll(dir))
	})
	return plane
}

// connectByProvider connects a client for whoever the provider says is there.
func connectByProvider(t *testing.T, plane *harness.ControlPlane, provider string) person {
	t.Helper()
	var p person
	var err error
	p.browser, err = harness.NewBrowser(plane.URL(), "", "")
	must(t, err)
	p.browser.Provider = provider
	p.oauth = &harness.OAuth{MCP: plane.MCP(), Browser: p.browser, Redirect: redirect}
	must(t, p.oauth.Discover(t.Context()))
	p.oauth.AllScopes()
	must(t, p.oauth.Register(t.Context()))
	code, err := p.oauth.Authorize(t.Context())
	must(t, err)
	p.tokens, err = p.oauth.Redeem(t.Context(), code)
	must(t, err)
	p.MCP, err = harness.Dial(t.Context(), plane.MCP(), p.tokens.Access, harness.Modern)
	must(t, err)
	t.Cleanup(func() { _ = p.Close() }) // its grant may be dead
	return p
}

func wantNoSecret(t *testing.T, plane *harness.ControlPlane, secret string) {
	t.Helper()
	if strings.Contains(plane.Output(), secret) {
		t.Error("the client's secret is in the log")
	}
}

// startDex builds and runs dex, and returns its issuer.
func startDex(t *testing.T, redirect, secret string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "dex")
	output, err := exec.CommandContext(t.Context(), "go", "build", "-C", "dex", "-o", program, ".").CombinedOutput()
	if err != nil {
		t.Fatalf("build dex: %v\n%s", err, output)
	}
	module, err := exec.CommandContext(t.Context(), "go", "list", "-C", "dex", "-m", "-f", "{{.Dir}}", "github.com/dexidp/dex").Output()
	must(t, err)
	listen, err := harness.FreeAddress(t.Context())
	must(t, err)
	// Not the test's context, which ends before the clean-up.
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	dex := exec.CommandContext(ctx, program, "-listen", listen, "-web", filepath.Join(strings.TrimSpace(string(module)), "web"),
		"-redirect", redirect, "-secret", secret)
	must(t, dex.Start())
	t.Cleanup(func() {
		stop()
		_ = dex.Wait() // it was killed
	})
	issuer := "http://" + listen + "/dex"
	must(t, harness.Await(t.Context(), "dex to be ready", func(ctx context.Context) (bool, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, issuer+"/.well-known/openid-configuration", nil)
		if err != nil {
			return false, err
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return false, err
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK, nil
	}))
	return issuer
}
