package holder_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// roleVariable makes the test binary act as one of the programs under test instead of running tests.
const roleVariable = "SWITCHBOARD_TEST_ROLE"

func TestMain(m *testing.M) {
	// A holder is started as `self holder <dir>`, by the tests or by a host agent that a test plays.
	if len(os.Args) == 3 && os.Args[1] == "holder" {
		os.Exit(status(holder.Run(context.Background(), os.Args[2])))
	}
	switch os.Getenv(roleVariable) {
	case "hook": // <dir> <event> <hold>
		payload, err := holder.ReadPayload(os.Stdin)
		if err == nil {
			hook := holder.HookCall{Event: os.Args[2], Hold: os.Args[3] == "hold", Payload: payload}
			err = holder.SendHook(context.Background(), os.Args[1], hook, os.Stdout)
		}
		os.Exit(status(err))
	case "starter": // <dir> <argv…>: starts a holder, says so, and waits to be killed
		err := holder.Start(context.Background(), self(), os.Args[1], spec(os.Args[2:]...))
		fmt.Println("started", err)
		select {}
	case "fullscreen":
		os.Exit(status(fullScreen()))
	case "attach": // <dir>
		os.Exit(status(holder.AttachHere(context.Background(), os.Args[1], os.Stdin, os.Stdout)))
	}
	goleak.VerifyTestMain(m)
}

func status(err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func self() string {
	path, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return path
}

func spec(argv ...string) holder.Spec {
	return holder.Spec{
		Session:    protocol.NewSessionID(),
		Argv:       argv,
		Env:        []string{"PATH=" + os.Getenv("PATH"), "TERM=xterm-256color", "LANG=C.UTF-8", "PS1=$ "},
		WorkingDir: "/",
		Cols:       80,
		Rows:       24,
	}
}

// start runs argv under a holder that is gone when the test is.
func start(t *testing.T, argv ...string) (*holder.Client, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "session")
	if err := holder.Start(t.Context(), self(), dir, spec(argv...)); err != nil {
		t.Fatal(err)
	}
	return dial(t, dir), dir
}

// dial reaches the holder in dir, and kills its child when the test ends.
func dial(t *testing.T, dir string) *holder.Client {
	t.Helper()
	client, err := holder.Dial(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = client.Signal(ctx, syscall.SIGKILL) // an error: it has ended already
		for _, err := range client.Follow(ctx, 0) {
			if err != nil {
				t.Error(err)
			}
		}
		_ = client.Close()
		if holder.Alive(dir) {
			t.Error("the holder outlives its child")
		}
	})
	return client
}

// untilGone reads the journal to its end.
func untilGone(t *testing.T, client *holder.Client) {
	t.Helper()
	for _, err := range client.Follow(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// waitFor reads the journal until an entry of that kind comes.
func waitFor(t *testing.T, client *holder.Client, kind string) holder.Entry {
	t.Helper()
	for entry, err := range client.Follow(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if entry.Kind == kind {
			return entry
		}
	}
	t.Fatalf("the journal ends without %q", kind)
	return holder.Entry{}
}
