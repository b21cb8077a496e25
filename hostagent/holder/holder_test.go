package holder_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/terminal"
)

func TestTypedTextReachesTheChildAndItsOutputTheScreen(t *testing.T) {
	client, _ := start(t, "/bin/cat")
	if err := client.Write(t.Context(), []byte("häßlich ✳\n")); err != nil {
		t.Fatal(err)
	}
	want := "häßlich ✳" // once echoed by the terminal, once written by cat
	screenShows(t, client, func(s terminal.Screen) bool {
		return len(s.Lines) == 24 && s.Lines[0] == want && s.Lines[1] == want
	})
}

// screenShows waits for output until the screen is as wanted.
func screenShows(t *testing.T, client *holder.Client, wanted func(terminal.Screen) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		screen, err := client.Screen(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if wanted(screen) {
			return
		}
		if err := client.WaitQuiet(ctx, 20*time.Millisecond); err != nil {
			t.Fatalf("screen is %q: %v", screen.Lines, err)
		}
	}
}

func TestChildHasATerminalOfItsOwn(t *testing.T) {
	client, _ := start(t, "/bin/sh", "-c", "stty size; tty; ps -o pid=,pgid=,sid= -p $$; echo $$ done; read x")
	screenShows(t, client, func(s terminal.Screen) bool {
		text := strings.Join(s.Lines, "\n")
		return strings.Contains(text, "done") && s.Lines[0] == "24 80" && strings.HasPrefix(s.Lines[1], "/dev/")
	})
	status, err := client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	group, err := syscall.Getpgid(status.PID)
	if err != nil || group != status.PID {
		t.Errorf("child %d is in process group %d, %v; want to lead it", status.PID, group, err)
	}
	if err := client.Resize(t.Context(), 100, 30); err != nil {
		t.Fatal(err)
	}
	entry := waitFor(t, client, holder.KindResized)
	if got, want := string(entry.Body), `{"cols":100,"rows":30}`; got != want {
		t.Errorf("resized entry is %s, want %s", got, want)
	}
}

func TestSizesThatCannotBeAreRefused(t *testing.T) {
	client, _ := start(t, "/bin/cat")
	for _, size := range [][2]int{{0, 0}, {-1, 10}, {1 << 20, 10}, {10, 70000}} {
		if err := client.Resize(t.Context(), size[0], size[1]); err == nil {
			t.Errorf("resize to %v: no error", size)
		}
	}
}

func TestExitIsJournalledWithItsLastOutput(t *testing.T) {
	tests := map[string]struct {
		script string
		want   holder.Exited
	}{
		"by itself":   {"echo last words; exit 3", holder.Exited{Code: 3}},
		"by a signal": {"echo last words; kill -TERM $$", holder.Exited{Code: -1, Signal: "terminated"}},
		"with a background process that keeps the terminal": {
			"trap '' HUP; (trap '' HUP; sleep 600) & echo last words; exit 0", holder.Exited{},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			client, dir := start(t, "/bin/sh", "-c", "read go; "+test.script)
			if err := client.Write(t.Context(), []byte("\n")); err != nil {
				t.Fatal(err)
			}
			var kinds []string
			var last holder.Entry
			for entry, err := range client.Follow(t.Context(), 0) {
				if err != nil {
					t.Fatal(err)
				}
				kinds, last = append(kinds, entry.Kind), entry
			}
			if want := []string{holder.KindStarted, holder.KindExited}; !slices.Equal(kinds, want) {
				t.Fatalf("journal has %v, want %v", kinds, want)
			}
			var got holder.Exited
			if err := json.Unmarshal(last.Body, &got); err != nil || got != test.want {
				t.Errorf("exited with %+v, %v; want %+v", got, err, test.want)
			}
			lines, err := terminal.TailText(holder.RecordingPath(dir), 5)
			if err != nil || !slices.Contains(lines, "last words") {
				t.Errorf("recording ends with %q, %v", lines, err)
			}
		})
	}
}

// TestLastWordsAreReadHoweverLate: what the terminal holds when the holder's time for last words is up is recorded.
func TestLastWordsAreReadHoweverLate(t *testing.T) {
	for range 10 { // on a busy machine the holder may be done with a quiet terminal before it is frozen
		said := filepath.Join(t.TempDir(), "said")
		client, dir := start(t, "/bin/sh", "-c", `read go; holder=$PPID; trap '' HUP
			(while kill -0 $$; do :; done; kill -STOP $holder; seq 2500 && echo last words && : >"`+said+`"; sleep 2.5; kill -CONT $holder) 2>/dev/null & exit 0`)
		if err := client.Write(t.Context(), []byte("\n")); err != nil {
			t.Fatal(err)
		}
		waitFor(t, client, holder.KindExited)
		if _, err := os.Stat(said); err != nil {
			continue
		}
		if got := outputOf(recorded(t, dir)); !strings.HasSuffix(got, "last words\r\n") {
			t.Errorf("the recording ends with %q", got[max(0, len(got)-60):])
		}
		return
	}
	t.Error("the last words were never said in time")
}

// TestAFloodDoesNotOutliveTheSession: what goes on writing when the child has ended is hung up on.
func TestAFloodDoesNotOutliveTheSession(t *testing.T) {
	client, _ := start(t, "/bin/sh", "-c", "read go; trap '' HUP; yes & exit 0")
	if err := client.Write(t.Context(), []byte("\n")); err != nil {
		t.Fatal(err)
	}
	waitFor(t, client, holder.KindExited)
}

func TestStartSaysWhyNot(t *testing.T) {
	tests := map[string]struct {
		change func(*holder.Spec)
		want   string
	}{
		"no program":           {func(s *holder.Spec) { s.Argv = nil }, "names no program"},
		"missing program":      {func(s *holder.Spec) { s.Argv = []string{"/no/such/program"} }, "no such file"},
		"missing directory":    {func(s *holder.Spec) { s.WorkingDir = "/no/such/directory" }, "no such file"},
		"relative directory":   {func(s *holder.Spec) { s.WorkingDir = "tmp" }, "not absolute"},
		"directory not a file": {func(s *holder.Spec) { s.WorkingDir = "/etc/passwd" }, "not a directory"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "session")
			s := spec("/bin/cat")
			test.change(&s)
			err := holder.Start(t.Context(), self(), dir, s)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("start: %v, want %q", err, test.want)
			}
			if holder.Alive(dir) {
				t.Error("a holder runs")
			}
		})
	}
}

func TestOnlyOneHolderRunsASession(t *testing.T) {
	_, dir := start(t, "/bin/cat")
	err := holder.Start(t.Context(), self(), dir, spec("/bin/cat"))
	if err == nil || !strings.Contains(err.Error(), "another holder") {
		t.Errorf("second start: %v", err)
	}
}

func TestNothingIsLeftOfAnAbandonedStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "session")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := holder.Start(ctx, self(), dir, spec("/bin/cat")); !errors.Is(err, context.Canceled) {
		t.Errorf("start: %v, want it cancelled", err)
	}
	if holder.Alive(dir) {
		t.Error("a holder runs")
	}
}

func TestNoHolderIsGone(t *testing.T) {
	if _, err := holder.Dial(t.Context(), t.TempDir()); !errors.Is(err, holder.ErrGone) {
		t.Errorf("dial: %v, want ErrGone", err)
	}
	client, _ := start(t, "/bin/sh", "-c", "read x")
	if err := client.Write(t.Context(), []byte("\n")); err != nil {
		t.Fatal(err)
	}
	waitFor(t, client, holder.KindExited)
	untilGone(t, client)
	if err := client.Write(t.Context(), []byte("x")); !errors.Is(err, holder.ErrGone) {
		t.Errorf("write: %v, want ErrGone", err)
	}
}

func TestTheHolderOutlivesItsStarter(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "session")
	starter := exec.CommandContext(t.Context(), self(), dir, "/bin/cat")
	starter.Env = append(os.Environ(), roleVariable+"=starter")
	out, err := starter.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := starter.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 64)
	n, _ := out.Read(line)
	if got, want := string(line[:n]), "started <nil>\n"; got != want {
		t.Fatalf("starter says %q", got)
	}
	before := dial(t, dir)
	was, err := before.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Its whole process group, as a terminal or a service manager would.
	if err := starter.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = starter.Wait()
	is, err := before.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if is.PID != was.PID {
		t.Errorf("child is %d, was %d", is.PID, was.PID)
	}
	if err := before.Write(t.Context(), []byte("still here\n")); err != nil {
		t.Fatal(err)
	}
	screenShows(t, before, func(s terminal.Screen) bool { return s.Lines[1] == "still here" })
}

func TestNotesAreJournalledInOrder(t *testing.T) {
	client, dir := start(t, "/bin/cat")
	for _, kind := range []string{"typed", "acknowledged"} {
		if _, err := client.Append(t.Context(), kind, map[string]string{"of": "me <&>"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := client.Append(t.Context(), holder.KindExited, nil); err == nil {
		t.Error("a note could pass for an entry of the holder's")
	}
	entries, err := holder.ReadJournal(dir, 1)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Kind)
	}
	if diff := cmp.Diff([]string{"typed", "acknowledged"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestFollowGoesOnFromWhereItWas(t *testing.T) {
	client, _ := start(t, "/bin/cat") // entry 1
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	note := func() {
		if _, err := client.Append(t.Context(), "note", nil); err != nil {
			t.Fatal(err)
		}
	}
	note() // 2
	note() // 3
	var got []uint64
	for entry, err := range client.Follow(ctx, 2) {
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			break
		}
		got = append(got, entry.N)
		if entry.N < 5 {
			note() // 4 and 5 come while it follows
			continue
		}
		cancel()
	}
	if diff := cmp.Diff([]uint64{3, 4, 5}, got); diff != "" {
		t.Error(diff)
	}
}

func TestChildInheritsNoIgnoredSignal(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("needs /proc")
	}
	client, _ := start(t, "/bin/cat")
	status, err := client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(status.PID), "status"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "SigIgn:\t")
	line, _, _ := strings.Cut(rest, "\n")
	ignored, err := strconv.ParseUint(line, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	const named = 1<<31 - 1 // signals 1 to 31; whoever runs the tests may ignore one of libc's own
	if ignored&named != 0 {
		t.Errorf("child's signals:\n%s", text)
	}
}

func TestSignalReachesTheForegroundGroup(t *testing.T) {
	// An interactive shell gives each command a process group of its own.
	client, _ := start(t, "/bin/sh", "-i")
	if err := client.Write(t.Context(), []byte("sh -c \"echo re''ady; exec sleep 600\"; echo en''ded\n")); err != nil {
		t.Fatal(err)
	}
	screenHas(t, client, "ready")
	if err := client.Signal(t.Context(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := client.Write(t.Context(), []byte("echo ba''ck\n")); err != nil {
		t.Fatal(err)
	}
	screenHas(t, client, "back")
}

func screenHas(t *testing.T, client *holder.Client, text string) {
	t.Helper()
	screenShows(t, client, func(s terminal.Screen) bool { return strings.Contains(strings.Join(s.Lines, "\n"), text) })
}

func TestAChildsQuestionIsAnsweredOnce(t *testing.T) {
	// The answer to "where is the cursor" arrives as if typed; cat -v shows it.
	client, _ := start(t, "/bin/sh", "-c", `stty -echo -icanon; printf 'abc\033[6n'; exec cat -v`)
	screenHas(t, client, "abc^[[1;4R")
}

func TestAnUndrainedChildDoesNotHoldUpTheRest(t *testing.T) {
	client, _ := start(t, "/bin/sh", "-c", "stty raw -echo; echo ready; exec sleep 600")
	screenHas(t, client, "ready") // a terminal that is not raw yet takes in all
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	// The child reads nothing, so the kernel's buffer fills up.
	err := client.Write(ctx, make([]byte, 1<<20))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("write: %v, want the deadline", err)
	}
	if _, err := client.Screen(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestADirectoryWithALongNameWorks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 30))
	if err := holder.Start(t.Context(), self(), dir, spec("/bin/cat")); err != nil {
		t.Fatal(err)
	}
	dial(t, dir)
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	_, dir := start(t, "/bin/cat")
	for name, want := range map[string]os.FileMode{
		".": 0o700, "spec.json": 0o600, "journal.jsonl": 0o600, "recording": 0o700, "holder.sock": 0o600, "holder.log": 0o600,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
}

func TestAHolderThatIsToldToEndHangsUp(t *testing.T) {
	client, dir := start(t, "/bin/sh", "-c", "trap 'echo hung up; exit 7' HUP; echo re''ady; while :; do sleep 0.05; done")
	screenHas(t, client, "ready")
	// It is not a child of this process, and is found by its command line.
	found, err := exec.CommandContext(t.Context(), "pgrep", "-f", "holder "+dir+"$").Output()
	if err != nil {
		t.Skip("needs pgrep")
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(found)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var got holder.Exited
	if err := json.Unmarshal(waitFor(t, client, holder.KindExited).Body, &got); err != nil || got != (holder.Exited{Code: 7, HolderEnded: true}) {
		t.Errorf("exited with %+v, %v", got, err)
	}
}
