package session

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/hostagent/protocol"
)

func entryEvent(seq uint64) protocol.Event {
	e := protocol.NewEvent(time.Unix(int64(seq), 0).UTC(), protocol.EventEntry, protocol.Entry{Role: protocol.RoleUser, Text: "x"})
	e.Seq = seq
	return e
}

func TestEventLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log, steps, err := openEventLog(dir)
	check(t, err)
	if len(steps) != 0 {
		t.Errorf("a new log has %d steps", len(steps))
	}
	want := []step{
		{position: position{Journal: 1}, Events: []protocol.Event{entryEvent(1), entryEvent(2)}},
		{position: position{Journal: 4, Transcript: "/t", Offset: 10}, Events: []protocol.Event{entryEvent(3)}},
	}
	check(t, log.append(want))
	check(t, log.append([]step{{position: position{Journal: 5}, Events: []protocol.Event{entryEvent(4), entryEvent(5)}}}))
	if log.append([]step{{position: position{Journal: 6}, Events: []protocol.Event{entryEvent(9)}}}) == nil {
		t.Error("a gap was written")
	}
	for _, test := range []struct {
		after     uint64
		most      int
		from, len int
	}{{0, 100, 1, 5}, {1, 2, 2, 2}, {2, 1, 3, 1}, {4, 9, 5, 1}, {5, 9, 0, 0}, {99, 9, 0, 0}, {0, 0, 0, 0}} {
		got, err := log.events(test.after, test.most)
		check(t, err)
		if len(got) != test.len || test.len > 0 && got[0].Seq != uint64(test.from) {
			t.Errorf("events(%d, %d) = %v", test.after, test.most, got)
		}
	}
	check(t, log.close())
}

// TestTornEventLog cuts the file at every byte: what remains are whole steps, and the log goes on after them.
func TestTornEventLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log, _, err := openEventLog(dir)
	check(t, err)
	check(t, log.append([]step{
		{position: position{Journal: 1}, Events: []protocol.Event{entryEvent(1), entryEvent(2)}},
		{position: position{Journal: 2}, Events: []protocol.Event{entryEvent(3)}},
	}))
	check(t, log.close())
	path := filepath.Join(dir, "events.jsonl")
	whole, err := os.ReadFile(path)
	check(t, err)
	for cut := range len(whole) + 1 {
		check(t, os.WriteFile(path, whole[:cut], 0o600))
		log, steps, err := openEventLog(dir)
		check(t, err)
		last := log.lastSeq()
		if last != 0 && last != 2 && last != 3 || len(steps) > 0 && steps[0].Journal != 1 {
			t.Fatalf("cut at byte %d: last seq %d, steps %v", cut, last, steps)
		}
		check(t, log.append([]step{{position: position{Journal: 7}, Events: []protocol.Event{entryEvent(last + 1)}}}))
		got, err := log.events(last, 1)
		check(t, err)
		if diff := cmp.Diff([]protocol.Event{entryEvent(last + 1)}, got); diff != "" {
			t.Fatalf("cut at byte %d (-want +got):\n%s", cut, diff)
		}
		check(t, log.close())
	}
}

// TestChangedEventLog changes a bit of each byte of a step: what it says is never told, at the start or later. A log of
// an earlier version, without sums, is read still.
func TestChangedEventLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "events.jsonl")
	log, _, err := openEventLog(dir)
	check(t, err)
	check(t, log.append([]step{
		{position: position{Journal: 1, Transcript: "/t"}, Events: []protocol.Event{entryEvent(1)}},
		{position: position{Journal: 2}, Events: []protocol.Event{entryEvent(2)}},
	}))
	whole, err := os.ReadFile(path)
	check(t, err)
	end := bytes.Index(whole, []byte(`,"crc":`))
	for at := range end {
		changed := bytes.Clone(whole)
		changed[at] ^= 1
		check(t, os.WriteFile(path, changed, 0o600))
		if events, err := log.events(0, 9); err == nil {
			t.Errorf("a bit of byte %d was changed, and %v told", at, events)
		}
		if again, _, err := openEventLog(dir); err == nil {
			t.Errorf("a bit of byte %d was changed, and the log opened", at)
			check(t, again.close())
		}
	}
	check(t, log.close())

	before := regexp.MustCompile(`,"crc":"[0-9a-f]{8}"`).ReplaceAll(whole, nil)
	check(t, os.WriteFile(path, before, 0o600))
	log, steps, err := openEventLog(dir)
	check(t, err)
	if len(steps) != 2 || len(before) == len(whole) {
		t.Errorf("%d steps of the log of an earlier version:\n%s", len(steps), before)
	}
	check(t, log.close())
}

// TestCorruptEventLog: what is wrong in the middle is an error, never skipped.
func TestCorruptEventLog(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"not JSON": "{\"journal\":1,\"events\":[]}\nnonsense\n{\"journal\":2,\"events\":[]}\n",
		"a gap":    "{\"journal\":1,\"events\":[{\"seq\":1}]}\n{\"journal\":2,\"events\":[{\"seq\":3}]}\n",
	} {
		dir := t.TempDir()
		check(t, os.WriteFile(filepath.Join(dir, "events.jsonl"), []byte(text), 0o600))
		if _, _, err := openEventLog(dir); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}
