// Package holder is the process that owns one session's terminal and outlives the host agent: the PTY and the
// child in it, the screen model, the recording, and the session's journal, from which all else can be derived.
// It knows nothing of any agent. The host agent, hooks and attached terminals reach it over a Unix socket in the
// session's directory.
//
// A session's directory (0700) holds spec.json, journal.jsonl, recording/, holder.sock (0600) and holder.log.
//
// Goroutines of a holder process: one reads the PTY, one shows what was read, one waits for the child, one types the
// screen model's answers to the child's questions, one packs what is recorded, one accepts connections, and each
// connection has one or two. An idle session has no timer and no connection.
package holder

import (
	"context"
	"log/slog"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"switchboard/hostagent/terminal"
)

// holder is one session's process.
type holder struct {
	dir       string
	log       *slog.Logger
	journal   *journal
	recorder  *terminal.Recorder
	command   *exec.Cmd
	pty       *terminal.PTY
	typing    chan struct{} // holds one token while somebody types, so that no two texts mix
	box       chan struct{} // holds one while a viewer types or a message is on its way; taken before typing
	came      chan struct{} // holds one when output has come
	questions chan []byte   // the screen model's answers, to be typed
	hooks     hooks
	rest      *rest
	told      context.Context // ends when this process is told to end
	startedAt time.Time
	ended     context.Context // ends when the last output is on the screen and in the recording
	end       context.CancelFunc
	finished  chan struct{} // closed when the last entry is in the journal

	mu         sync.Mutex // guards the fields below; never held while waiting for the child, a disk or a peer
	screen     *terminal.Terminal
	filter     terminal.Filter
	filtered   []byte // what of a chunk of output goes to viewers; reused
	cols, rows int
	viewers    map[*viewer]bool
	sizedBy    *viewer // the viewer who decides the size: who typed last
	lastOutput time.Time
	lastInput  time.Time
	lastTyped  time.Time // by whomever

	outputs, inputs uint64 // how often output came, and how often something was typed
	viewerInputs    uint64 // by viewers
}

// answersKept is how many answers of the screen model wait to be typed. A child that asks and does not read
// loses the rest.
const answersKept = 16

// show puts output on the screen, hands it to the viewers, and records it.
func (h *holder) show(p []byte) {
	h.rest.end(len(p))
	h.mu.Lock()
	h.lastOutput = time.Now()
	h.outputs++
	_, _ = h.screen.Write(p) // never fails
	h.pass(p)
	h.mu.Unlock()
	select {
	case h.came <- struct{}{}:
	default:
	}
	_, _ = h.recorder.Write(p) // never fails
	if full, overdue := h.recorder.Full(); full {
		h.nextSegment(overdue)
	}
}

// nextSegment lets the recording go on in a new segment, which begins with the screen as it is: once no escape
// sequence is open, unless that takes too long. Only the goroutine that reads the PTY calls it, so no output comes
// in between; a new size may.
func (h *holder) nextSegment(overdue bool) {
	h.mu.Lock()
	if !overdue && !h.screen.Whole() {
		h.mu.Unlock()
		return
	}
	before, screen := size{h.cols, h.rows}, h.screen.Snapshot()
	h.mu.Unlock()
	h.recorder.Next(before.Cols, before.Rows, screen)
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := (size{h.cols, h.rows}); now != before {
		h.recorder.Resize(now.Cols, now.Rows)
	}
}

// note adds an entry to the journal and then, so that a viewer finds the place, marks it in the recording by its
// number and kind. What happened comes first: a crash in between leaves it unmarked, and never the other way round.
func (h *holder) note(kind string, body any) (uint64, error) {
	n, err := h.journal.append(kind, body)
	if err == nil {
		h.recorder.Mark(Mark(n, kind))
	}
	return n, err
}

// Mark is the text of the marker that a journal entry leaves in the recording.
func Mark(n uint64, kind string) string { return "#" + strconv.FormatUint(n, 10) + " " + kind }

// ParseMark reads a marker of Mark.
func ParseMark(text string) (n uint64, ok bool) {
	number, found := strings.CutPrefix(text, "#")
	number, _, _ = strings.Cut(number, " ")
	n, err := strconv.ParseUint(number, 10, 64)
	return n, found && err == nil
}

// pass hands output that is on the screen to the viewers. The caller holds mu.
func (h *holder) pass(p []byte) {
	if len(h.viewers) == 0 {
		h.filter.Skip(p, h.screen.Whole())
		return
	}
	h.filtered = h.filter.Append(h.filtered[:0], p)
	for v := range h.viewers {
		v.push(h.filtered)
	}
}

// answerQuestion is the screen model's Reply. It runs in the midst of show, so it may not wait.
func (h *holder) answerQuestion(answer []byte) {
	select {
	case h.questions <- answer:
	default:
	}
}

// status is how the holder and its child are.
func (h *holder) status() Status {
	last, _ := h.journal.newest()
	h.mu.Lock()
	defer h.mu.Unlock()
	return Status{
		PID:        h.command.Process.Pid,
		Cols:       h.cols,
		Rows:       h.rows,
		Last:       last,
		Viewers:    len(h.viewers),
		StartedAt:  h.startedAt,
		LastInput:  h.lastInput,
		LastOutput: h.lastOutput,
	}
}

func (h *holder) shown() terminal.Screen {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.screen.Screen()
}
