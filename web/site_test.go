package web_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"switchboard/auth"
	"switchboard/controlplane/dispatch"
	"switchboard/controlplane/embedded"
	"switchboard/controlplane/embedded/pgtest"
	"switchboard/controlplane/fleet"
	"switchboard/controlplane/postgres"
	"switchboard/web"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// site is the pages over real accounts and a real fleet, in a real database and a real NATS.
type site struct {
	url      string
	pages    *web.Pages
	conn     *nats.Conn
	db       *postgres.DB
	database string // its address
	logs     *logBuffer
	admin    auth.Login
}

type logBuffer struct {
	mu sync.Mutex // guards the field below
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

const password = "correct horse battery staple"

// newSite has one account, the administrator ada.
func newSite(t *testing.T) *site { return newSiteAt(t, "127.0.0.1") }

// newSiteAt is newSite under another name of this machine.
func newSiteAt(t *testing.T, host string) *site {
	t.Helper()
	s := &site{logs: &logBuffer{}, conn: startNATS(t), database: pgtest.New(t)}
	log := slog.New(slog.NewTextHandler(s.logs, nil))
	db, err := postgres.Open(t.Context(), s.database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	s.db = db
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections) // event streams
	s.url = strings.Replace(server.URL, "127.0.0.1", host, 1)
	operations := &fleet.Fleet{
		Store: db, Audit: db.Append, Hosts: dispatch.Hosts{Conn: s.conn}, Changes: dispatch.Changes{Conn: s.conn},
		PublicURL: s.url, Log: log, Now: time.Now,
		Recordings: fleet.Recordings{HostBytes: 1 << 20, Keep: time.Hour},
	}
	accounts := &auth.Accounts{Store: db, Audit: db, PublicURL: s.url, Now: time.Now, Log: log, FirstAdmin: operations.AdoptHosts,
		Secrets: [][]byte{bytes.Repeat([]byte("k"), 32)}}
	oauth := &auth.OAuth{
		Store: db, Accounts: accounts, Audit: db, PublicURL: s.url, Now: time.Now, Log: log,
		Secret: bytes.Repeat([]byte("k"), 32),
	}
	s.follow(t, &oauth.Changes, log)
	s.pages = &web.Pages{Fleet: operations, Accounts: accounts, OAuth: oauth, PublicURL: s.url, Log: log}
	oauth.Pages = s.pages.OAuthPages()
	mux.HandleFunc(auth.AuthorizePath, oauth.Authorize)
	mux.HandleFunc(auth.RegisterPath, oauth.Register)
	mux.HandleFunc(auth.TokenPath, oauth.Token)
	mux.HandleFunc(auth.DeviceAuthorizationPath, oauth.DeviceAuthorization)
	for pattern, page := range routes(s.pages) {
		mux.Handle(pattern, s.pages.Handler(page))
	}
	s.admin = s.join(t, s.setupLink(t), "ada", "Ada Lovelace")
	return s
}

// follow hears of changes until the test ends.
func (s *site) follow(t *testing.T, changes *auth.Changes, log *slog.Logger) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var done sync.WaitGroup
	done.Go(func() { s.db.Follow(ctx, changes, log) })
	t.Cleanup(func() {
		cancel()
		done.Wait()
	})
}

// routes are the addresses at which the control plane serves the pages.
func routes(p *web.Pages) map[string]web.Page {
	return map[string]web.Page{
		"GET /{$}":                                              p.Home,
		"/":                                                     func(http.ResponseWriter, *http.Request) error { return auth.ErrNotFound },
		"GET /static/":                                          p.Static,
		"GET /invite/{token}":                                   p.Invite,
		"POST /invite/{token}":                                  p.AcceptInvite,
		"GET /login":                                            p.Login,
		"POST /login":                                           p.LogIn,
		"GET /login/code":                                       p.SecondStep,
		"POST /login/code":                                      p.FinishLogIn,
		"POST /login/oidc":                                      p.BeginOIDC,
		"GET /login/oidc/callback":                              p.OIDCCallback,
		"POST /account/oidc":                                    p.ConnectOIDC,
		"POST /account/oidc/disconnect":                         p.DisconnectOIDC,
		"GET /second-factor":                                    p.NeedFactor,
		"POST /login/passkey":                                   p.LogInByPasskey,
		"POST /login/passkey/options":                           p.PasskeyOptions,
		"POST /logout":                                          p.LogOut,
		"GET /account":                                          p.Account,
		"POST /account":                                         p.ChangePassword,
		"GET /account/prove":                                    p.ProveAgain,
		"POST /account/prove":                                   p.Prove,
		"GET /account/authenticator":                            p.Authenticator,
		"POST /account/authenticator":                           p.ConfirmAuthenticator,
		"GET /account/authenticator/image":                      p.AuthenticatorImage,
		"GET /account/authenticator/off":                        p.AuthenticatorOff,
		"POST /account/authenticator/off":                       p.DisableAuthenticator,
		"POST /account/recovery-codes":                          p.RenewRecoveryCodes,
		"POST /account/passkeys":                                p.AddPasskey,
		"POST /account/passkeys/options":                        p.NewPasskeyOptions,
		"POST /account/passkeys/{passkey}/remove":               p.RemovePasskey,
		"POST /account/prove/passkey":                           p.ProveByPasskey,
		"POST /account/prove/passkey/options":                   p.ProvePasskeyOptions,
		"POST /account/logins/end":                              p.EndOtherLogins,
		"POST /account/logins/{login}/end":                      p.EndLogin,
		"GET /sessions":                                         p.Sessions,
		"POST /sessions":                                        p.CreateSession,
		"GET /sessions/new":                                     p.NewSession,
		"GET /sessions/{session}":                               p.Session,
		"GET /sessions/{session}/screen":                        p.Screen,
		"GET /sessions/{session}/terminal":                      p.Terminal,
		"GET /sessions/{session}/changes":                       p.Changes,
		"GET /sessions/{session}/recording":                     p.Recording,
		"GET /sessions/{session}/recording/{segment}":           p.RecordingSegment,
		"POST /sessions/{session}/messages":                     p.SendMessage,
		"POST /sessions/{session}/messages/{message}/take-back": p.TakeBackMessage,
		"POST /sessions/{session}/interrupt":                    p.Interrupt,
		"POST /sessions/{session}/resume":                       p.Resume,
		"GET /sessions/{session}/terminate":                     p.ConfirmTerminate,
		"POST /sessions/{session}/terminate":                    p.Terminate,
		"POST /sessions/{session}/prompts/{prompt}":             p.AnswerPrompt,
		"GET /prompts/{prompt}":                                 p.Prompt,
		"GET /events":                                           p.Events,
		"GET /hosts":                                            p.Hosts,
		"POST /hosts":                                           p.RegisterHost,
		"GET /hosts/new":                                        p.NewHost,
		"GET /hosts/waiting":                                    p.HostWaiting,
		"GET /hosts/{host}":                                     p.Host,
		"POST /hosts/{host}/shares":                             p.ShareHost,
		"GET /hosts/{host}/remove":                              p.ConfirmRemoveHost,
		"POST /hosts/{host}/remove":                             p.RemoveHost,
		"GET /clients":                                          p.Clients,
		"GET /clients/revoke":                                   p.ConfirmRevokeAll,
		"GET /clients/registered":                               p.RegisteredClients,
		"POST /clients/registered":                              p.AddClient,
		"POST /clients/registered/disable":                      p.DisableClient,
		"POST /clients/registered/remove":                       p.RemoveClient,
		"POST /clients/revoke":                                  p.RevokeAll,
		"POST /clients/{grant}/revoke":                          p.RevokeGrant,
		"GET /device":                                           p.Device,
		"POST /device":                                          p.AskDevice,
		"POST /device/decide":                                   p.DecideDevice,
		"GET /tokens":                                           p.Tokens,
		"POST /tokens":                                          p.CreateToken,
		"GET /users":                                            p.Users,
		"POST /users":                                           p.InviteUser,
		"POST /users/{user}/suspend":                            p.SuspendUser,
		"POST /users/{user}/factors/reset":                      p.ResetFactors,
		"POST /users/{user}/logins/end":                         p.EndLoginsOf,
		"GET /templates":                                        p.Templates,
		"POST /templates":                                       p.SaveTemplate,
		"POST /templates/{template}/remove":                     p.RemoveTemplate,
		"GET /audit":                                            p.Audit,
	}
}

func startNATS(t *testing.T) *nats.Conn {
	t.Helper()
	dir := t.TempDir()
	keys, err := embedded.LoadKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	server, err := embedded.StartNATS(t.Context(), embedded.NATSConfig{Dir: dir, Keys: keys, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	conn, err := server.Connect("test", log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

func (s *site) setupLink(t *testing.T) string {
	t.Helper()
	link, needed, err := s.pages.Accounts.SetupLink(t.Context())
	if err != nil || !needed {
		t.Fatalf("set-up link: needed %v, %v", needed, err)
	}
	return link
}

// join makes the account that an invitation's link is for.
func (s *site) join(t *testing.T, link, name, display string) auth.Login {
	t.Helper()
	token := auth.Secret(link[len(s.url+auth.InvitePath):])
	asked := auth.NewAccount{Name: name, DisplayName: display, Password: password}
	login, err := s.pages.Accounts.Accept(t.Context(), token, asked, auth.Browser{Addr: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	return login
}

// member has the administrator invite one more person.
func (s *site) member(t *testing.T, name, display string) auth.Login {
	t.Helper()
	link, err := s.pages.Accounts.Invite(t.Context(), s.caller(t, s.admin), auth.RoleMember)
	if err != nil {
		t.Fatal(err)
	}
	return s.join(t, link, name, display)
}

func (s *site) caller(t *testing.T, login auth.Login) auth.Caller {
	t.Helper()
	caller, _, err := s.pages.Accounts.Caller(t.Context(), login.Token, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return caller
}
