package holder_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/terminal"
)

// recorded is all that the session's recording has, in order.
func recorded(t *testing.T, dir string) (events []terminal.CastEvent) {
	t.Helper()
	segments, err := terminal.Segments(holder.RecordingPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range segments {
		text, err := s.Read()
		if err != nil {
			t.Fatal(err)
		}
		cast, err := terminal.ParseCast(text)
		if err != nil {
			t.Fatal(err)
		}
		if cast.Continued {
			cast.Events = cast.Events[1:]
		}
		events = append(events, cast.Events...)
	}
	return events
}

func outputOf(events []terminal.CastEvent) string {
	var all strings.Builder
	for _, e := range events {
		if e.Code == "o" {
			all.WriteString(e.Text)
		}
	}
	return all.String()
}

// TestARecordingSurvivesItsHolder: what was written more than a moment before kill -9 is there, and a new holder goes
// on behind it.
func TestARecordingSurvivesItsHolder(t *testing.T) {
	client, dir := start(t, "/bin/sh", "-c", "echo before; read x")
	screenHas(t, client, "before")
	shown := time.Now()
	for outputOf(recorded(t, dir)) != "before\r\n" {
		if time.Since(shown) > 20*time.Second {
			t.Fatal("not in the file")
		}
		time.Sleep(5 * time.Millisecond) // nothing tells of what is flushed
	}
	killHolder(t, dir)
	untilGone(t, client)
	if got := outputOf(recorded(t, dir)); got != "before\r\n" {
		t.Errorf("after kill -9 the recording has %q", got)
	}
	if err := holder.Start(t.Context(), self(), dir, spec("/bin/sh", "-c", "echo after; read x")); err != nil {
		t.Fatal(err)
	}
	again := dial(t, dir)
	screenHas(t, again, "after")
	if err := again.Signal(t.Context(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	untilGone(t, again)
	if got := outputOf(recorded(t, dir)); got != "before\r\nafter\r\n" {
		t.Errorf("the recording has %q", got)
	}
	packed, err := filepath.Glob(filepath.Join(holder.RecordingPath(dir), "*.cast.zst"))
	if err != nil || len(packed) != 2 {
		t.Errorf("packed are %v, %v", packed, err)
	}
}

// killHolder kills the process that holds the session in dir. It is not a child of this process, and is found by its
// command line.
func killHolder(t *testing.T, dir string) {
	t.Helper()
	found, err := exec.CommandContext(t.Context(), "pgrep", "-f", "holder "+dir+"$").Output()
	if err != nil {
		t.Skip("needs pgrep")
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(found)))
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestALongRecordingIsWhole: all that was written is there across segments, and the screens with which they begin
// are those of that moment.
func TestALongRecordingIsWhole(t *testing.T) {
	client, dir := start(t, "/bin/sh", "-c", "read x; i=0; while [ $i -lt 40000 ]; do i=$((i+1)); echo \"\x1b[32mline $i ✳\x1b[m\"; done; echo done; read x")
	if err := client.Write(t.Context(), []byte("\n")); err != nil {
		t.Fatal(err)
	}
	screenHas(t, client, "done")
	if err := client.Write(t.Context(), []byte("\n")); err != nil {
		t.Fatal(err)
	}
	untilGone(t, client)
	want := "\r\n"
	for i := range 40000 {
		want += "\x1b[32mline " + strconv.Itoa(i+1) + " ✳\x1b[m\r\n"
	}
	if got := outputOf(recorded(t, dir)); got != want+"done\r\n\r\n" {
		t.Errorf("recorded are %d bytes, want %d", len(got), len(want)+8)
	}
	segments, err := terminal.Segments(holder.RecordingPath(dir))
	if err != nil || len(segments) < 3 {
		t.Fatalf("%d segments, %v", len(segments), err)
	}
	played := terminal.New(80, 24)
	for i, s := range segments {
		text, err := s.Read()
		if err != nil {
			t.Fatal(err)
		}
		cast, err := terminal.ParseCast(text)
		if err != nil {
			t.Fatal(err)
		}
		if cast.Continued {
			alone := terminal.New(80, 24)
			_, _ = alone.Write([]byte(cast.Events[0].Text))
			if got, want := alone.Screen().Lines, played.Screen().Lines; !slices.Equal(got, want) {
				t.Errorf("segment %d begins with %q, want %q", i+1, got, want)
			}
			cast.Events = cast.Events[1:]
		}
		_, _ = played.Write([]byte(outputOf(cast.Events)))
	}
}

// TestMarkersAreThoseOfTheJournal, in its order and among the output.
func TestMarkersAreThoseOfTheJournal(t *testing.T) {
	client, dir := start(t, "/bin/cat")
	for _, text := range []string{"one", "two"} {
		if _, err := client.Append(t.Context(), text, json.RawMessage(`{}`)); err != nil {
			t.Fatal(err)
		}
		if err := client.Write(t.Context(), []byte(text+"\n")); err != nil {
			t.Fatal(err)
		}
		screenHas(t, client, text)
	}
	if err := client.Signal(t.Context(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	untilGone(t, client)
	var got []string
	for _, e := range recorded(t, dir) {
		if n, ok := holder.ParseMark(e.Text); e.Code == "m" && ok {
			got = append(got, e.Text, strconv.FormatUint(n, 10))
		}
		if e.Code == "o" && strings.Contains(e.Text, "two") { // behind the end of what cat says of one, perhaps
			got = append(got, "output")
		}
	}
	if want := []string{"#2 one", "2", "#3 two", "3", "output"}; !slices.Equal(got[:min(len(got), 5)], want) {
		t.Errorf("recording has %q, want it to begin with %q", got, want)
	}
}

func TestNothingIsRecordedWhereItIsOff(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "session")
	off := spec("/bin/cat")
	off.RecordingBytes = -1
	if err := holder.Start(t.Context(), self(), dir, off); err != nil {
		t.Fatal(err)
	}
	client := dial(t, dir)
	if err := client.Write(t.Context(), []byte("hello\n")); err != nil {
		t.Fatal(err)
	}
	screenHas(t, client, "hello")
	if _, err := os.Stat(holder.RecordingPath(dir)); !os.IsNotExist(err) {
		t.Errorf("a recording is there: %v", err)
	}
}
