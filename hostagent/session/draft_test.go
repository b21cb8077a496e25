package session

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// attached is a person at the session's terminal.
type attached struct {
	r    *rig
	keys *io.PipeWriter
}

// attach lets a person look at the session and type until the test ends. A size of 0 leaves the session's.
func (r *rig) attach(id protocol.SessionID, cols, rows int) attached {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	client, err := holder.Dial(ctx, filepath.Join(r.dir, string(id)))
	check(r.t, err)
	in, keys := io.Pipe()
	var group sync.WaitGroup
	group.Go(func() {
		_ = client.Attach(ctx, holder.Terminal{Input: in, Output: io.Discard, Cols: cols, Rows: rows, Resized: func(int, int) {}})
	})
	r.t.Cleanup(func() {
		cancel()
		group.Wait()
		_ = client.Close()
	})
	return attached{r, keys}
}

func (p attached) types(text string) {
	p.r.t.Helper()
	_, err := io.WriteString(p.keys, text)
	check(p.r.t, err)
}

// box is what can be seen of the input box.
func (r *rig) box(id protocol.SessionID) (seen agentkind.Box, shown string) {
	r.t.Helper()
	s, err := r.session(id)
	check(r.t, err)
	client, err := s.dial(r.t.Context())
	check(r.t, err)
	defer client.Close()
	screen, err := client.Screen(r.t.Context())
	check(r.t, err)
	return s.kind.ReadBox(screen.Strong), strings.Join(screen.Lines, "\n")
}

// drawn waits until the agent's empty input box is there: it says that it is idle before it has drawn.
func (r *rig) drawn(id protocol.SessionID) {
	r.t.Helper()
	r.untilTrue("the box", func() bool { seen, _ := r.box(id); return seen == agentkind.BoxEmpty })
}

// TestPersonTypesMeanwhile lets a person type at any moment of a message's delivery. The message is never merged with
// what he types, whether it comes before, in between or after, and it arrives.
func TestPersonTypesMeanwhile(t *testing.T) {
	t.Parallel()
	for _, late := range []time.Duration{-20 * time.Millisecond, 0, 2 * time.Millisecond, 10 * time.Millisecond, 60 * time.Millisecond, 150 * time.Millisecond, 400 * time.Millisecond} {
		t.Run(late.String(), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			id := r.create("")
			p := r.attach(id, 0, 0)
			var typed sync.WaitGroup
			start := make(chan struct{})
			typed.Go(func() {
				<-start
				for _, letter := range "xyzw" {
					_, _ = io.WriteString(p.keys, string(letter))
					time.Sleep(5 * time.Millisecond) // as fast as a person cannot
				}
			})
			began := time.AfterFunc(max(late, 0), func() { close(start) })
			defer began.Stop()
			time.Sleep(max(-late, 0))
			message := r.send(id, "from elsewhere")
			typed.Wait()
			if got := r.message(id, message); got.Status != protocol.MessageAccepted {
				t.Errorf("message became %v, want accepted", got)
			}
			r.onlyPrompts("from elsewhere")
			r.untilTrue("what the person typed", func() bool { return strings.Contains(r.screen(id), "xyzw") })
		})
	}
}

// onlyPrompts checks what the model was asked.
func (r *rig) onlyPrompts(want ...string) {
	r.t.Helper()
	asked := func() []string { return slices.Compact(r.model.Prompts()) }
	r.untilTrue("the model to be asked", func() bool { return len(asked()) >= len(want) })
	if got := asked(); !slices.Equal(got, want) {
		r.t.Errorf("the model was asked %q, want %q", got, want)
	}
}

// TestDraftsAreSeen: whatever a person has begun to write, and however small his terminal is, it is not sent.
func TestDraftsAreSeen(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		cols, rows int
		draft      string
		shown      string
	}{
		{"small terminal", 40, 12, "half a thought", "half a thought"},
		{"wraps", 40, 14, strings.Repeat("many words ", 8), "many words"},
		{"several lines", 100, 30, "one\\\rtwo\\\rthree", "three"},
		{"first line empty", 100, 30, "\\\rsecond", "second"},
		{"more than there is room for", 100, 30, strings.Repeat("\x1b[200~a line\nanother\n\x1b[201~", 15), "↑"},
		{"a paste", 100, 30, "\x1b[200~" + strings.Repeat("a pasted line\n", 20) + "\x1b[201~", "[Pasted text"},
		{"shell command", 100, 30, "!ls", "ls"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			id := r.create("")
			p := r.attach(id, test.cols, test.rows)
			r.drawn(id)
			for key := range strings.SplitAfterSeq(test.draft, "\r") {
				_, before := r.box(id)
				p.types(key)
				r.untilTrue("the keys to be taken", func() bool { _, shown := r.box(id); return shown != before })
				time.Sleep(100 * time.Millisecond) // the CLI would take keys that come together for a paste
			}
			r.untilTrue("the draft", func() bool {
				seen, shown := r.box(id)
				return seen == agentkind.BoxDraft && strings.Contains(shown, test.shown)
			})
			message := r.send(id, "from elsewhere")
			if got := r.message(id, message); got.Status != protocol.MessageAccepted {
				t.Errorf("message became %v, want accepted", got)
			}
			r.onlyPrompts("from elsewhere")
			r.untilTrue("the draft again", func() bool { _, shown := r.box(id); return strings.Contains(shown, test.shown) })
		})
	}
}

// TestDialogOpensMeanwhile lets a dialog open at any moment of a message's delivery. It is not answered by it, and the
// message is there when it is.
func TestDialogOpensMeanwhile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	for n := range 3 {
		r.message(id, r.send(id, fmt.Sprintf("fake:slow 1 ;; fake:bash touch made%d ;; fake:text done", n)))
		time.Sleep(time.Duration(700+200*n) * time.Millisecond) // the dialog comes after about a second
		message := protocol.MessageID(protocol.NewID())
		text := fmt.Sprintf("1 message %d %s", n, strings.Repeat("which is long ", 200))
		_, err := r.Send(t.Context(), protocol.SendMessageRequest{Act: act(), Session: id, Message: message, Text: text})
		p := r.prompt(id, n+1)
		time.Sleep(time.Second)
		if exists(r.path(fmt.Sprintf("made%d", n))) {
			t.Fatalf("the message allowed the command")
		}
		check(t, r.answer(p, protocol.Answer{Option: protocol.OptionAllow}))
		if err == nil { // it came before the dialog
			if got := r.message(id, message); got.Status != protocol.MessageAccepted {
				t.Errorf("message became %v, want accepted", got)
			}
		}
		if got := r.settled(p); got.Where != protocol.WhereRemote {
			t.Errorf("settlement = %+v, want ours", got)
		}
		r.await(id, protocol.StateIdle)
	}
}

// TestSubmitOnceBesideADraft: an agent that is slow to take a message may have brought a person's draft back by the time
// when the message would be submitted once more.
func TestSubmitOnceBesideADraft(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ box, want string }{
		"draft":    {"half a thought ", "ready half a thought STASH hello SUBMIT"},
		"no draft": {"", "ready hello SUBMIT SUBMIT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEchoing(t)
			e.session.kind.StashDraft, e.session.kind.Submit = []byte("STASH "), []byte("SUBMIT ")
			e.session.kind.TypeMessage = func(text string) [][]byte { return [][]byte{[]byte(text + " ")} }
			e.session.kind.ReadBox = func(lines []string) agentkind.Box {
				shown := strings.Join(lines, " ")
				if strings.Contains(shown, "hello") || strings.Contains(shown, "half a thought") && !strings.Contains(shown, "STASH") {
					return agentkind.BoxDraft
				}
				return agentkind.BoxEmpty
			}
			if test.box != "" {
				look, err := e.client.Look(t.Context(), settled, lookPatience)
				check(t, err)
				draft, err := e.client.Type(t.Context(), holder.Typing{Keys: [][]byte{[]byte(test.box)}, Seen: look.Seen})
				check(t, err)
				check(t, draft.Wait())
				draft.End()
			}
			e.follow()
			e.becomesIdle()
			e.deliverUntilEnd()
			const id = protocol.MessageID("m1")
			check(t, e.note(t.Context(), e.client, noteMessage, messageNote{ID: id, Command: "m1", Text: "hello"}))
			check(t, e.until(t.Context(), func(f *fold) bool { return f.messages[id] != nil && f.messages[id].state.Status.Final() }))
			e.untilShows(test.want)
		})
	}
}
