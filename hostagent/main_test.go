package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/hostagent/link"
	"switchboard/hostagent/protocol"
)

// hostagent runs the program with a directory of its own.
func hostagent(t *testing.T, dir string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	return hostagentReading(t, "", dir, args...)
}

func hostagentReading(t *testing.T, stdin, dir string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	getenv := func(name string) string {
		return map[string]string{"SWITCHBOARD_HOST_DIR": dir, "HOME": "/home/dev", "PATH": "/usr/bin:/bin"}[name]
	}
	err = run(t.Context(), args, getenv, strings.NewReader(stdin), &out, &errs)
	return out.String(), errs.String(), err
}

// enroller is a control plane's page for enrolment that says what it is told to.
type enroller struct {
	*httptest.Server
	status int
	answer any
	asked  []protocol.EnrolRequest
}

func newEnroller(t *testing.T) *enroller {
	e := &enroller{status: http.StatusOK, answer: protocol.EnrolReply{Host: "studio-1", Name: "studio", Audience: "test"}}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request protocol.EnrolRequest
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &request)
		}
		if err != nil || r.Method+" "+r.URL.Path != "POST /enroll" {
			t.Errorf("%s %s: %s: %v", r.Method, r.URL, body, err)
		}
		e.asked = append(e.asked, request)
		w.WriteHeader(e.status)
		if err := json.NewEncoder(w).Encode(e.answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(e.Close)
	return e
}

func TestEnrollWithTheTokenOnStdin(t *testing.T) {
	plane := newEnroller(t)
	dir := filepath.Join(t.TempDir(), "host")
	if _, _, err := hostagentReading(t, " \n", dir, "enroll", plane.URL, "-"); err == nil || len(plane.asked) > 0 {
		t.Errorf("without a token: %v, asked %v", err, plane.asked)
	}
	if _, _, err := hostagentReading(t, "swj_token\n", dir, "enroll", plane.URL, "-"); err != nil {
		t.Fatal(err)
	}
	if got := plane.asked[0].Token; got != "swj_token" {
		t.Errorf("token %q, want what standard input said", got)
	}
}

func TestEnroll(t *testing.T) {
	plane := newEnroller(t)
	dir := filepath.Join(t.TempDir(), "host")
	stdout, _, err := hostagent(t, dir, "enroll", plane.URL+"/", "swj_token")
	if err != nil || !strings.Contains(stdout, "This machine is now the host studio") {
		t.Fatalf("enroll: %v: %s", err, stdout)
	}
	config, err := hostDir(dir).load()
	if err != nil {
		t.Fatal(err)
	}
	want := hostConfig{URL: plane.URL, Host: "studio-1", Name: "studio", Audience: "test", NKey: plane.asked[0].NKey}
	if diff := cmp.Diff(config, want); diff != "" {
		t.Errorf("host.json (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(plane.asked, []protocol.EnrolRequest{{Version: protocol.Version, Token: "swj_token", NKey: want.NKey}}); diff != "" {
		t.Errorf("asked (-got +want):\n%s", diff)
	}
	onlyOurs(t, dir)

	_, _, err = hostagent(t, dir, "enroll", plane.URL, "swj_token")
	if err == nil || !strings.Contains(err.Error(), "--replace") {
		t.Errorf("enrolling again: %v, want advice to --replace", err)
	}
	if _, _, err := hostagent(t, dir, "enroll", "--replace", plane.URL, "swj_other"); err != nil {
		t.Fatal(err)
	}
	replaced, err := hostDir(dir).load()
	if err != nil || replaced.NKey == want.NKey {
		t.Errorf("after --replace the key is %s, before %s: %v", replaced.NKey, want.NKey, err)
	}
	onlyOurs(t, dir)
	if keys, err := filepath.Glob(filepath.Join(dir, "*.nkey")); len(keys) != 1 || err != nil {
		t.Errorf("keys left: %v, %v; want one", keys, err)
	}
}

// onlyOurs checks that nobody else may read anything in dir.
func onlyOurs(t *testing.T, dir string) {
	t.Helper()
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestEnrollAgainAfterLostAnswer keeps the key, so that the same token finds the host that it made.
func TestEnrollAgainAfterLostAnswer(t *testing.T) {
	plane := newEnroller(t)
	dir := filepath.Join(t.TempDir(), "host")
	plane.status = http.StatusBadGateway
	if _, _, err := hostagent(t, dir, "enroll", plane.URL, "swj_token"); err == nil {
		t.Fatal("enrolled by a 502")
	}
	plane.status = http.StatusOK
	if _, _, err := hostagent(t, dir, "enroll", plane.URL, "swj_token"); err != nil {
		t.Fatal(err)
	}
	if plane.asked[0].NKey != plane.asked[1].NKey {
		t.Error("the repeat came with another key")
	}
}

func TestEnrollRefused(t *testing.T) {
	plane := newEnroller(t)
	plane.status = http.StatusForbidden
	plane.answer = protocol.Refusal{Code: protocol.ReasonToken, Message: "this join token was used; make a new one"}
	for _, test := range []struct {
		name string
		url  string
		want string
	}{
		{"token", plane.URL, "not enrolled (token): this join token was used; make a new one"},
		{"plain http", "http://switchboard.example.com", "want https"},
		{"no scheme", "switchboard.example.com", "want only scheme and host"},
		{"path", plane.URL + "/mcp", "want only scheme and host"},
		{"password", "https://u:secret@switchboard.example.com", "want only scheme and host"},
		{"other scheme", "ftp://127.0.0.1", "want https"},
		{"nobody there", "http://127.0.0.1:1", "check the network"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "host")
			_, _, err := hostagent(t, dir, "enroll", test.url, "swj_token")
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("error %v, want %q in it, and no password", err, test.want)
			}
			if _, err := hostDir(dir).load(); err == nil {
				t.Error("the machine is a host all the same")
			}
		})
	}
}

func TestOneAgentForEachDirectory(t *testing.T) {
	plane := newEnroller(t)
	dir := filepath.Join(t.TempDir(), "host")
	if _, _, err := hostagent(t, dir, "enroll", plane.URL, "swj_token"); err != nil {
		t.Fatal(err)
	}
	lock, err := hostDir(dir).lock()
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	for _, command := range [][]string{{"run"}, {"enroll", "--replace", plane.URL, "swj_token"}} {
		if _, _, err := hostagent(t, dir, command...); err == nil || !strings.Contains(err.Error(), "a host agent is running") {
			t.Errorf("%v: %v, want that one is running", command, err)
		}
	}
	stdout, _, err := hostagent(t, dir, "status")
	if err != nil || !strings.Contains(stdout, "host agent:    running") {
		t.Errorf("status: %v: %s", err, stdout)
	}
}

// TestRunUntilStdinCloses runs the agent against a control plane that is away.
func TestRunUntilStdinCloses(t *testing.T) {
	plane := newEnroller(t)
	dir := filepath.Join(t.TempDir(), "host")
	if _, _, err := hostagent(t, dir, "enroll", plane.URL, "swj_token"); err != nil {
		t.Fatal(err)
	}
	plane.Close()
	stdout, _, err := hostagent(t, dir, "run", "--until-stdin-closes")
	if err != nil || !strings.Contains(stdout, "Host studio of") {
		t.Errorf("run: %v: %s", err, stdout)
	}
}

func TestRunAtANewAddress(t *testing.T) {
	e := newEnroller(t)
	dir := t.TempDir()
	if _, stderr, err := hostagent(t, dir, "enroll", e.URL, "token"); err != nil {
		t.Fatalf("enroll: %v %s", err, stderr)
	}
	for _, test := range []struct{ url, want, problem string }{
		{"http://127.0.0.1:1/", "http://127.0.0.1:1", ""},
		{"", "http://127.0.0.1:1", ""}, // it is remembered
		{"http://switchboard.example", "http://127.0.0.1:1", "want https"},
	} {
		args := []string{"run", "--until-stdin-closes"}
		if test.url != "" {
			args = append(args, "--url", test.url)
		}
		stdout, _, err := hostagent(t, dir, args...)
		if test.problem != "" {
			if err == nil || !strings.Contains(err.Error(), test.problem) {
				t.Errorf("run --url %q: %v, want %q", test.url, err, test.problem)
			}
			continue
		}
		if err != nil || !strings.Contains(stdout, " of "+test.want+". ") {
			t.Errorf("run --url %q says %q, %v; want the address %s", test.url, stdout, err, test.want)
		}
	}
}

func TestRemoved(t *testing.T) {
	plane := newEnroller(t)
	dir := filepath.Join(t.TempDir(), "host")
	if _, _, err := hostagent(t, dir, "enroll", plane.URL, "swj_token"); err != nil {
		t.Fatal(err)
	}
	asked := 0
	plane.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set(protocol.ReasonHeader, string(protocol.ReasonRemoved))
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"code":"removed","message":"this host was removed"}`)
	})
	for range 2 {
		_, _, err := hostagent(t, dir, "run")
		if err == nil || !strings.HasPrefix(err.Error(), link.ErrRemoved.Error()) || !strings.Contains(err.Error(), "--replace") {
			t.Errorf("run: %v, want %v and what to do", err, link.ErrRemoved)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times, want once: a removed host does not try again", asked)
	}
	if _, stderr, err := hostagent(t, dir, "run", "--supervised"); err != nil || !strings.Contains(stderr, "removed") {
		t.Errorf("run --supervised: %v: %s", err, stderr)
	}
	stdout, _, err := hostagent(t, dir, "status")
	if err != nil || !strings.Contains(stdout, "removed by an administrator") {
		t.Errorf("status: %v: %s", err, stdout)
	}
}

func TestKeyOfOthersIsRefused(t *testing.T) {
	plane := newEnroller(t)
	dir := filepath.Join(t.TempDir(), "host")
	if _, _, err := hostagent(t, dir, "enroll", plane.URL, "swj_token"); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(hostDir(dir).key(plane.asked[0].NKey), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := hostagent(t, dir, "run"); err == nil || !strings.Contains(err.Error(), "can be read by others") {
		t.Errorf("run: %v", err)
	}
}

func TestDoctorSaysWhatToDo(t *testing.T) {
	plane := newEnroller(t)
	dir := filepath.Join(t.TempDir(), "host")
	if _, _, err := hostagent(t, dir, "enroll", plane.URL, "swj_token"); err != nil {
		t.Fatal(err)
	}
	plane.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
		if r.URL.Path == protocol.ConnectPath {
			w.Header().Set(protocol.ReasonHeader, string(protocol.ReasonClock))
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"code":"clock","message":"the host's clock differs by 1h0m0s"}`)
		}
	})
	policy := fmt.Sprintf(`{"roots": [%q, "/does/not/exist"], "programs": {"claude": "/does/not/exist/claude"}}`, t.TempDir())
	if err := os.WriteFile(hostDir(dir).policy(), []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, _, err := hostagent(t, dir, "doctor")
	if err == nil {
		t.Error("doctor found nothing")
	}
	for _, want := range []string{
		"ok       enrolment: host studio of " + plane.URL,
		"problem  clock: differs from the control plane's by 1h",
		"problem  key accepted: ",
		"→ set this machine's clock by NTP",
		"problem  root /does/not/exist: ",
		"problem  agent claude: ",
		"problem  host agent: does not run",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no line %q in\n%s", want, stdout)
		}
	}
}

func TestServiceDescription(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("install knows macOS and Linux only")
	}
	plane := newEnroller(t)
	dir := filepath.Join(t.TempDir(), `ho"st & <co> 50% $HOME`)
	if _, _, err := hostagent(t, dir, "enroll", plane.URL, "swj_token"); err != nil {
		t.Fatal(err)
	}
	stdout, _, err := hostagent(t, dir, "install", "--print")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"linux":  `ho\"st & <co> 50%% $$HOME"` + "\n" + `Environment="PATH=/usr/bin:/bin"`,
		"darwin": `ho&#34;st &amp; &lt;co&gt; 50% $HOME</string>`,
	}[runtime.GOOS]
	if !strings.Contains(stdout, want) {
		t.Errorf("no %q in\n%s", want, stdout)
	}
}

func TestChoose(t *testing.T) {
	sessions := []protocol.Session{
		{ID: "aaaa1111", Name: "web", State: protocol.StateExited},
		{ID: "aaaa2222", Name: "web", State: protocol.StateIdle},
		{ID: "bbbb3333", Name: "api", State: protocol.StateExited},
		{ID: "cccc4444", Name: "twin", State: protocol.StateIdle},
		{ID: "cccc5555", Name: "twin", State: protocol.StateWorking},
		{ID: "dddd6666", Name: "web-shop", State: protocol.StateIdle},
	}
	for _, test := range []struct {
		ref     string
		want    protocol.SessionID
		refused string
	}{
		{ref: "web", want: "aaaa2222"},
		{ref: "aaaa1", want: "aaaa1111"},
		{ref: "api", want: "bbbb3333"},
		{ref: "cccc5", want: "cccc5555"},
		{ref: "WEB", want: "aaaa2222"},
		{ref: "web-", want: "dddd6666"},
		{ref: "AAAA2", want: "aaaa2222"},
		{ref: "ap", want: "bbbb3333"},
		{ref: "twin", refused: "cccc4444  twin  (idle, )\n  cccc5555"},
		{ref: "we", refused: "dddd6666"},
		{ref: "nothing", refused: "these live:\n  aaaa2222  web"},
	} {
		t.Run(test.ref, func(t *testing.T) {
			got, err := choose(sessions, test.ref)
			if got.ID != test.want || (err == nil) != (test.refused == "") {
				t.Errorf("chose %q, %v; want %q", got.ID, err, test.want)
			}
			if err != nil && !strings.Contains(err.Error(), test.refused) {
				t.Errorf("error %v, want %q in it", err, test.refused)
			}
		})
	}
}

func TestHookWithoutHolderIsSilent(t *testing.T) {
	var out bytes.Buffer
	err := run(context.Background(), []string{"hook", t.TempDir(), "Stop"}, os.Getenv, strings.NewReader("{}"), &out, io.Discard)
	if err != nil || out.Len() > 0 {
		t.Errorf("hook: %v, %q; want silence, since our absence changes nothing", err, out.String())
	}
}
