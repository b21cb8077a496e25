package session

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/controlplane/e2e/claudecli"
	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

var (
	record = flag.Bool("record", false, "keep what the real CLI did in the recorded tests as testdata")
	update = flag.Bool("update", false, "rewrite the golden events of the recordings")
)

// recorded are the tests whose session is kept. A recording is a whole session with its own times and ids, so that a
// new one leaves a diff; make claude-sessions records them.
var recorded = []string{
	"TestAnsweredAtTerminal", "TestEscapeInDialog", "TestInterrupt", "TestMessagesWhileWorking", "TestPermissionAllowed",
	"TestPermissionDenied", "TestPlan", "TestQuestion", "TestSubagentPrompt", "TestTerminateAndResume",
}

// recording is the evidence of one session with the real CLI.
type recording struct {
	Birth      birth
	Journal    []holder.Entry
	Transcript []string // lines
}

// record writes what the rig's session left as testdata/<test>.json, with paths that are the same everywhere.
func (r *rig) record(id protocol.SessionID) {
	r.t.Helper()
	dir := filepath.Join(r.dir, string(id))
	b, err := readBirth(dir)
	check(r.t, err)
	journal, err := holder.ReadJournal(dir, 0)
	check(r.t, err)
	kept := recording{Birth: b, Journal: journal}
	s, err := r.session(id)
	check(r.t, err)
	text, err := os.ReadFile(s.fold.position.Transcript)
	if !os.IsNotExist(err) {
		check(r.t, err)
	}
	for line := range strings.Lines(string(text)) {
		if lines, err := agentkind.Claude().ReadTranscript([]byte(line)); err == nil && len(lines) > 0 {
			kept.Transcript = append(kept.Transcript, strings.TrimSuffix(line, "\n"))
		}
	}
	data, err := json.MarshalIndent(kept, "", "\t")
	check(r.t, err)
	root := filepath.Dir(r.home)
	data = bytes.ReplaceAll(data, []byte(root), []byte("/Users/dev"))
	data = bytes.ReplaceAll(data, []byte(strings.ReplaceAll(root, "/", "-")), []byte("-Users-dev"))
	check(r.t, os.MkdirAll("testdata", 0o755))
	check(r.t, os.WriteFile(filepath.Join("testdata", r.t.Name()+".json"), append(data, '\n'), 0o644))
}

func readRecording(t *testing.T, path string) recording {
	t.Helper()
	text, err := os.ReadFile(path)
	check(t, err)
	var kept recording
	check(t, json.Unmarshal(text, &kept))
	return kept
}

// telling replays a recording's evidence into a fold.
type telling struct {
	recording
	*fold
	steps []step
	read  int // lines of the transcript
	end   int64
}

func newTelling(kept recording) *telling {
	return &telling{recording: kept, fold: newFold(kept.Birth, agentkind.Claude(), policy.Default())}
}

func (w *telling) gather() {
	if s, ok := w.take(); ok {
		w.steps = append(w.steps, s)
	}
}

// readTo takes in the transcript's lines that were written before at.
func (w *telling) readTo(t *testing.T, at time.Time) {
	t.Helper()
	for w.position.Transcript != "" && w.read < len(w.Transcript) {
		text := w.Transcript[w.read]
		lines, err := w.kind.ReadTranscript([]byte(text))
		check(t, err)
		if lines[0].At.After(at) {
			return
		}
		w.read++
		w.end += int64(len(text)) + 1
		w.observe(w.reading(w.position.Transcript), lines, w.end, at)
		w.gather()
	}
}

// tellAll takes in everything as if the host agent had always been there.
func (w *telling) tellAll(t *testing.T, entries []holder.Entry) {
	t.Helper()
	for _, e := range entries {
		w.readTo(t, e.At)
		w.tick(entryTime(e))
		w.gather()
		check(t, w.apply(e))
		w.gather()
	}
	w.finish(t)
}

func (w *telling) finish(t *testing.T) {
	t.Helper()
	last := w.Journal[len(w.Journal)-1].At.Add(time.Minute)
	w.readTo(t, last)
	w.tick(last)
	w.gather()
}

func (w *telling) events() []protocol.Event {
	var events []protocol.Event
	for _, s := range w.steps {
		events = append(events, s.Events...)
	}
	return events
}

// TestRecordingsAreRecorded: each file is of a recorded test and of the pinned version. Nothing that was made by hand is
// beside them.
func TestRecordingsAreRecorded(t *testing.T) {
	t.Parallel()
	var want []string
	for _, name := range recorded {
		want = append(want, name+".golden.jsonl", name+".json")
		kept := readRecording(t, filepath.Join("testdata", name+".json"))
		if kept.Birth.AgentVersion != claudecli.Version {
			t.Errorf("%s is from version %q; run make claude-sessions", name, kept.Birth.AgentVersion)
		}
	}
	files, err := os.ReadDir("testdata")
	check(t, err)
	var got []string
	for _, file := range files {
		got = append(got, file.Name())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-recorded +there):\n%s", diff)
	}
}

// TestRecordings: the same evidence always tells the same events.
func TestRecordings(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*.json")
	check(t, err)
	if len(paths) == 0 {
		t.Fatal("no recordings in testdata; run the tests with -record")
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			w := newTelling(readRecording(t, path))
			w.tellAll(t, w.Journal)
			checkGapFree(t, w.events())
			var got bytes.Buffer
			for _, e := range w.events() {
				line, err := json.Marshal(e)
				check(t, err)
				got.Write(append(line, '\n'))
			}
			golden := strings.TrimSuffix(path, ".json") + ".golden.jsonl"
			if *update {
				check(t, os.WriteFile(golden, got.Bytes(), 0o644))
			}
			want, err := os.ReadFile(golden)
			check(t, err)
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRecordingsKilledAnywhere kills the host agent after each step that it had written, and lets another one go
// on from there, for which all the rest has happened already. Together they tell everything once.
func TestRecordingsKilledAnywhere(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*.json")
	check(t, err)
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			whole := newTelling(readRecording(t, path))
			whole.tellAll(t, whole.Journal)
			want := essence(t, whole.events())
			for killed := range whole.steps {
				next := newTelling(whole.recording)
				next.steps = slices.Clone(whole.steps[:killed])
				rest := next.replay(next.Journal, next.steps, func(err error) { check(t, err) })
				for next.position.Transcript != "" && next.end < next.reading(next.position.Transcript).counted {
					next.end += int64(len(next.Transcript[next.read])) + 1
					next.read++
				}
				for _, e := range rest {
					check(t, next.apply(e))
					next.gather()
				}
				next.finish(t)
				checkGapFree(t, next.events())
				if diff := cmp.Diff(want, essence(t, next.events())); diff != "" {
					t.Errorf("killed after step %d (-want +got):\n%s", killed, diff)
				}
			}
		})
	}
}

// essence is what must be told exactly once, whatever the order of looking: all but the states on the way.
func essence(t *testing.T, events []protocol.Event) []string {
	t.Helper()
	var told []string
	for _, e := range events {
		switch e.Kind {
		case protocol.EventSession, protocol.EventUsage:
			continue
		case protocol.EventSettlement:
			s, err := protocol.Decode[protocol.Settlement](e)
			check(t, err)
			told = append(told, strings.Join([]string{"settled", string(s.Prompt), string(s.Outcome), string(s.Where), s.Actor}, " "))
		default:
			told = append(told, string(e.Kind)+" "+string(e.Body))
		}
	}
	slices.Sort(told)
	return told
}
