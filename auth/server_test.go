package auth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/embedded/pgtest"
	"switchboard/controlplane/postgres"
)

// clock is a time that tests move. Times are what Postgres can keep: whole microseconds.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now().UTC().Truncate(time.Microsecond)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// server is an authorization server over a real database, with bare pages.
type server struct {
	*clock
	url      string
	database string
	db       *postgres.DB
	accounts *auth.Accounts
	oauth    *auth.OAuth
	store    *askedStore
	logs     *lockedBuffer
}

// askedStore counts what the check of a token asks the real store.
type askedStore struct {
	auth.OAuthStore
	lookedUp, touched atomic.Int64
	answering         atomic.Pointer[func()] // called between an answer and its return
}

func (s *askedStore) Access(ctx context.Context, kind auth.TokenKind, signature string, now time.Time) (auth.Access, error) {
	s.lookedUp.Add(1)
	access, err := s.OAuthStore.Access(ctx, kind, signature, now)
	if answering := s.answering.Load(); answering != nil {
		(*answering)()
	}
	return access, err
}

func (s *askedStore) TouchGrant(ctx context.Context, id auth.GrantID, addr string, at time.Time) error {
	s.touched.Add(1)
	return s.OAuthStore.TouchGrant(ctx, id, addr, at)
}

// lockedBuffer collects logs of many goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

const (
	adminName = "ada"
	password  = "correct horse battery"
)

func newServer(t *testing.T) *server {
	t.Helper()
	return startServer(t, pgtest.New(t), "", newClock())
}

// replica is a second server over the same database, with connections of its own.
func (s *server) replica(t *testing.T) *server {
	t.Helper()
	return startServer(t, s.database, s.url, s.clock)
}

// startServer serves at a random address, but is called by publicURL if one is given.
func startServer(t *testing.T, database, publicURL string, clock *clock) *server {
	t.Helper()
	db, err := postgres.Open(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	mux := http.NewServeMux()
	listener := httptest.NewServer(mux)
	t.Cleanup(listener.Close)
	if publicURL == "" {
		publicURL = listener.URL
	}
	s := &server{
		clock: clock, url: listener.URL, database: database, db: db, store: &askedStore{OAuthStore: db}, logs: &lockedBuffer{},
	}
	log := slog.New(slog.NewJSONHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.accounts = &auth.Accounts{Store: db, Audit: db, PublicURL: publicURL, Now: clock.Now, Log: log, Secrets: [][]byte{bytes.Repeat([]byte("k"), 32)}}
	s.oauth = &auth.OAuth{
		Store: s.store, Accounts: s.accounts, Audit: db, PublicURL: publicURL, Now: clock.Now, Log: log,
		Secret: bytes.Repeat([]byte("k"), 32), Pages: barePages(),
	}
	s.follow(t, log)
	mux.HandleFunc(auth.AuthorizePath, s.oauth.Authorize)
	mux.HandleFunc(auth.TokenPath, s.oauth.Token)
	mux.HandleFunc(auth.RegisterPath, s.oauth.Register)
	mux.HandleFunc(auth.RevokePath, s.oauth.Revoke)
	mux.HandleFunc(auth.DeviceAuthorizationPath, s.oauth.DeviceAuthorization)
	mux.HandleFunc(auth.ServerMetadataPath, s.oauth.ServerMetadata)
	mux.HandleFunc(auth.OpenIDMetadataPath, s.oauth.ServerMetadata)
	mux.HandleFunc(auth.ResourceMetadataPath, s.oauth.ResourceMetadata)
	mux.HandleFunc(auth.ResourceMetadataPath+auth.ResourcePath, s.oauth.ResourceMetadata)
	return s
}

// follow lets the server hear of changes until the test ends.
func (s *server) follow(t *testing.T, log *slog.Logger) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var done sync.WaitGroup
	done.Go(func() { s.db.Follow(ctx, &s.oauth.Changes, log) })
	t.Cleanup(func() {
		cancel()
		done.Wait()
	})
}

// barePages show their view as JSON, which a test can read.
func barePages() auth.Pages {
	return auth.Pages{
		Consent: func(w http.ResponseWriter, _ *http.Request, v auth.ConsentView) error {
			w.Header().Set("Content-Type", "application/json")
			return json.NewEncoder(w).Encode(v)
		},
		Refuse: func(w http.ResponseWriter, _ *http.Request, status int, message string) error {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			_, err := io.WriteString(w, message)
			return err
		},
	}
}

// admin makes the first administrator.
func (s *server) admin(t *testing.T) auth.Login {
	t.Helper()
	link, needed, err := s.accounts.SetupLink(t.Context())
	if err != nil || !needed {
		t.Fatalf("set-up link: needed %v, %v", needed, err)
	}
	login, err := s.accounts.Accept(t.Context(), inviteToken(link), auth.NewAccount{Name: adminName, Password: password}, auth.Browser{Addr: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	return login
}

// member has the administrator invite one more person, bob.
func (s *server) member(t *testing.T, admin auth.Login) auth.Login {
	t.Helper()
	link, err := s.accounts.Invite(t.Context(), s.caller(t, admin), auth.RoleMember)
	if err != nil {
		t.Fatal(err)
	}
	login, err := s.accounts.Accept(t.Context(), inviteToken(link), auth.NewAccount{Name: "bob", Password: password}, auth.Browser{Addr: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	return login
}

func (s *server) caller(t *testing.T, l auth.Login) auth.Caller {
	t.Helper()
	caller, _, err := s.accounts.Caller(t.Context(), l.Token, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return caller
}

func inviteToken(link string) auth.Secret {
	return auth.Secret(link[strings.LastIndex(link, "/")+1:])
}

// browser is a person's; it follows no redirect by itself.
type browser struct {
	t      *testing.T
	client *http.Client
}

func (s *server) browser(t *testing.T, login *auth.Login) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	if login != nil {
		at, _ := url.Parse(s.url)
		jar.SetCookies(at, []*http.Cookie{s.accounts.Cookie(*login)})
	}
	return &browser{t: t, client: &http.Client{
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// page is an answer that has been read.
type page struct {
	status   int
	header   http.Header
	body     string
	location *url.URL // nil if it leads nowhere
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
	p := page{status: answer.StatusCode, header: answer.Header, body: string(body)}
	if to := answer.Header.Get("Location"); to != "" {
		if p.location, err = url.Parse(to); err != nil {
			b.t.Fatal(err)
		}
	}
	return p
}

func (b *browser) get(address string) page {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(r)
}

func (b *browser) post(address string, form url.Values) page {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

// json reads a JSON answer.
func (p page) json(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(p.body), &m); err != nil {
		t.Fatalf("answer %d %q: %v", p.status, p.body, err)
	}
	return m
}

// errorCode is the OAuth error of a JSON answer.
func (p page) errorCode(t *testing.T) string {
	t.Helper()
	code, _ := p.json(t)["error"].(string)
	return code
}
