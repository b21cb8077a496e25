package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"switchboard/hostagent/session"
)

// TestMain makes the test binary serve as a program of another user's, who has found the host agent's socket.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "stranger" {
		stranger(os.Args[2])
		return
	}
	os.Exit(m.Run())
}

func stranger(path string) {
	connection, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(context.Background(), "unix", path)
	if err != nil {
		fmt.Println("not connected:", err)
		return
	}
	_, _ = io.WriteString(connection, "{}\n")
	answer, _ := io.ReadAll(connection)
	fmt.Printf("answered: %q\n", answer)
}

// runAgent starts the host agent of a control plane that is away, and stops it when the test ends.
func runAgent(t *testing.T, dir string) {
	t.Helper()
	plane := newEnroller(t)
	if _, _, err := hostagent(t, dir, "enroll", plane.URL, "swj_token"); err != nil {
		t.Fatal(err)
	}
	plane.Close()
	in, stop := io.Pipe()
	getenv := func(name string) string {
		return map[string]string{"SWITCHBOARD_HOST_DIR": dir, "HOME": filepath.Dir(dir), "PATH": "/usr/bin:/bin"}[name]
	}
	var running sync.WaitGroup
	running.Go(func() {
		if err := run(context.Background(), []string{"run", "--until-stdin-closes"}, getenv, in, io.Discard, io.Discard); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		_ = stop.Close()
		running.Wait()
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, err := hostDir(dir).ask(t.Context(), localRequest{}); err == nil {
			return
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// TestLocalSocket: only this user's programs are answered, whatever they send, and nothing that they send ends anything.
func TestLocalSocket(t *testing.T) {
	root, err := os.MkdirTemp("", "sb")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	t.Setenv("HOME", root)
	t.Setenv("CLAUDE_CONFIG_DIR", filepath.Join(root, "config"))
	dir := filepath.Join(root, "host")
	runAgent(t, dir)
	path := filepath.Join(dir, "local", "agent.sock")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket has mode %v, %v", info.Mode(), err)
	}
	for name, sent := range map[string]string{
		"no JSON": "GET / HTTP/1.1\r\n\r\n", "half": `{"adopt": {`, "long": `{"adopt": {"name": "` + strings.Repeat("x", 2*maxLocal) + `"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			connection, err := new(net.Dialer).DialContext(t.Context(), "unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			_, _ = io.WriteString(connection, sent) // it may be refused before it is read to its end
			_ = connection.(*net.UnixConn).CloseWrite()
			if answer, _ := io.ReadAll(connection); len(answer) > 0 {
				t.Errorf("answered %q", answer)
			}
		})
	}
	for _, conversation := range []string{"--dangerously-skip-permissions", "../../etc/passwd", "", "11111111-1111-4111-8111-111111111111"} {
		_, err := hostDir(dir).ask(t.Context(), localRequest{Adopt: &session.Adoption{Conversation: conversation}})
		if err == nil || !strings.Contains(err.Error(), "has no conversation") {
			t.Errorf("adopting %q: %v", conversation, err)
		}
	}
	if stdout, _, err := hostagent(t, dir, "adopt"); err != nil || !strings.Contains(stdout, "There is no conversation") {
		t.Errorf("adopt: %v: %s", err, stdout)
	}
	t.Run("another user", func(t *testing.T) {
		if os.Getuid() != 0 {
			t.Skip("only root can become another user")
		}
		loosen(t, root, dir, path)
		said := asStranger(t, root, path)
		if !strings.Contains(said, `answered: ""`) {
			t.Errorf("a stranger is %s", said)
		}
	})
}

// loosen lets everybody through to the socket, so that only the question who they are keeps them out.
func loosen(t *testing.T, root, dir, path string) {
	t.Helper()
	for file, mode := range map[string]os.FileMode{root: 0o755, dir: 0o755, filepath.Dir(path): 0o755, path: 0o666} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
	}
}

func asStranger(t *testing.T, dir, path string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "stranger")
	if err := os.WriteFile(program, text, 0o755); err != nil {
		t.Fatal(err)
	}
	const nobody = 65534
	cmd := exec.CommandContext(t.Context(), program, "stranger", path)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// TestAdoptList: the current directory's conversations come first, and nothing of what a listing shows can act on the
// terminal.
func TestAdoptList(t *testing.T) {
	var all []session.Adoptable
	words := `[{"conversation":"aaaa1111","dir":"/b","at":"2026-11-29T10:00:00Z","words":"newest\u001b]0;x\u0007"},
		{"conversation":"bbbb2222","dir":"/a","at":"2026-11-29T09:00:00Z","words":"second","pid":7,"activity":"idle","name":"blue"},
		{"conversation":"bbbb3333","dir":"/a","at":"2026-11-29T08:00:00Z","words":"` + strings.Repeat("é", 99) + `"}]`
	if err := json.Unmarshal([]byte(words), &all); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := listAdoptable(environment{stdout: &out}, hereFirst(all, "/a"), 2); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	for i, want := range []string{"CONVERSATION", "bbbb2222", "bbbb3333", "aaaa1111", "2 more are in directories"} {
		if !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d is %q, want %s", i, lines[i], want)
		}
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("a control character is printed")
	}
	for ref, want := range map[string]string{"aaaa": "aaaa1111", "BBBB2": "bbbb2222", "Blue": "bbbb2222", "bbbb": "", "zzzz": "", "../x": ""} {
		got, err := chooseAdoptable(all, ref)
		if got.Conversation != want || (err == nil) != (want != "") {
			t.Errorf("%q means %q, %v; want %q", ref, got.Conversation, err, want)
		}
	}
}
