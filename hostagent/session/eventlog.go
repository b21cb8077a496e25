package session

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"path/filepath"
	"sort"
	"sync"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// step is what one look at the evidence told: events that belong together, and how far each source had been
// read then. It is one line of events.jsonl, so that it is on disk as a whole or not at all. After a crash the
// evidence behind the last step is read again, and tells exactly what is missing.
type step struct {
	position
	Read   *mark            `json:"read,omitempty"` // of the file that the events tell from, if they tell from one
	Events []protocol.Event `json:"events"`
}

// position is how far the evidence has been read.
type position struct {
	Journal    uint64 `json:"journal"`              // N of the last entry
	Transcript string `json:"transcript,omitempty"` // path of the agent's transcript file
	Offset     int64  `json:"offset,omitempty"`     // bytes of it that are told
}

// eventLog is a session's events on disk: the outbox from which the control plane is told. It is safe for
// concurrent use.
type eventLog struct {
	mu    sync.Mutex // guards the fields below
	file  *os.File
	size  int64
	lines []logLine
	last  uint64 // seq of the last event
}

const eventsFile = "events.jsonl"

type logLine struct {
	first  uint64 // seq of the line's first event
	offset int64
}

// openEventLog also returns all steps that are there. It cuts off a torn last line: nobody has seen it.
func openEventLog(dir string) (*eventLog, []step, error) {
	file, err := os.OpenFile(filepath.Join(dir, eventsFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the event log: %w", err)
	}
	l := &eventLog{file: file}
	steps, err := l.load()
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return l, steps, nil
}

func (l *eventLog) load() ([]step, error) {
	var steps []step
	for line, err := range eventLines(l.file, 0, math.MaxInt64) {
		if err != nil {
			return nil, fmt.Errorf("event log %s, byte %d: %w", l.file.Name(), l.size, err)
		}
		if err := l.admit(line.step, l.size); err != nil {
			return nil, fmt.Errorf("event log %s, byte %d: %w", l.file.Name(), l.size, err)
		}
		steps = append(steps, line.step)
		l.size += line.bytes
	}
	if err := l.file.Truncate(l.size); err != nil {
		return nil, fmt.Errorf("cutting a torn line off the event log: %w", err)
	}
	return steps, nil
}

type eventLine struct {
	step  step
	bytes int64
}

// eventLines reads the whole lines of an event log that stand in so many bytes from offset on. Those of a version before
// 2026-11-29 have no sum.
func eventLines(file io.ReaderAt, offset, bytes int64) iter.Seq2[eventLine, error] {
	return func(yield func(eventLine, error) bool) {
		lines := bufio.NewReaderSize(io.NewSectionReader(file, offset, bytes), 64<<10)
		for {
			text, err := lines.ReadBytes('\n')
			if errors.Is(err, io.EOF) {
				return
			}
			line := eventLine{bytes: int64(len(text))}
			if err == nil {
				err = line.step.decode(text[:len(text)-1])
			}
			if !yield(line, err) || err != nil {
				return
			}
		}
	}
}

func (s *step) decode(text []byte) error {
	if err := holder.CheckSum(text); err != nil && !errors.Is(err, holder.ErrNoSum) {
		return err
	}
	return json.Unmarshal(text, s)
}

// admit indexes a step that stands at offset.
func (l *eventLog) admit(s step, offset int64) error {
	for i, e := range s.Events {
		if e.Seq != l.last+1+uint64(i) {
			return fmt.Errorf("seq %d follows %d", e.Seq, l.last+uint64(i))
		}
	}
	if len(s.Events) == 0 {
		return nil
	}
	l.lines = append(l.lines, logLine{first: s.Events[0].Seq, offset: offset})
	l.last = s.Events[len(s.Events)-1].Seq
	return nil
}

// append makes the steps last. Only then are they to be seen.
func (l *eventLog) append(steps []step) error {
	var text bytes.Buffer
	var ends []int
	for _, s := range steps {
		line, err := json.Marshal(s)
		if err != nil {
			return fmt.Errorf("event log: %w", err)
		}
		text.Write(append(holder.Sum(line), '\n'))
		ends = append(ends, text.Len())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.file.WriteAt(text.Bytes(), l.size); err != nil {
		return fmt.Errorf("writing the event log: %w", err)
	}
	if err := l.file.Sync(); err != nil {
		return fmt.Errorf("syncing the event log: %w", err)
	}
	start := l.size
	for i, s := range steps {
		if err := l.admit(s, start); err != nil {
			return fmt.Errorf("event log: %w", err)
		}
		start = l.size + int64(ends[i])
	}
	l.size = start
	return nil
}

// events reads up to most events with seq > after.
func (l *eventLog) events(after uint64, most int) ([]protocol.Event, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if after >= l.last || most <= 0 {
		return nil, nil
	}
	// The line that holds after+1 is the last one whose first event is not behind it.
	at := sort.Search(len(l.lines), func(i int) bool { return l.lines[i].first > after+1 }) - 1
	var events []protocol.Event
	from := l.lines[at].offset
	for line, err := range eventLines(l.file, from, l.size-from) {
		if err != nil {
			return nil, fmt.Errorf("event log %s, byte %d: %w", l.file.Name(), from, err)
		}
		from += line.bytes
		for _, e := range line.step.Events {
			if e.Seq > after && len(events) < most {
				events = append(events, e)
			}
		}
		if len(events) == most {
			break
		}
	}
	return events, nil
}

// lastSeq is the seq of the last event that is safe on disk.
func (l *eventLog) lastSeq() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

func (l *eventLog) close() error { return l.file.Close() }
