package session

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// echoing is a paper session whose agent shows the keys that it gets.
type echoing struct {
	*paper
	client *holder.Client
}

func newEchoing(t *testing.T) *echoing {
	t.Helper()
	p := newPaper(t)
	self, err := os.Executable()
	check(t, err)
	spec := holder.Spec{
		Session: p.id, Argv: []string{"/bin/sh", "-c", "stty raw -echo; printf 'ready '; exec cat -v"},
		Env: []string{"PATH=" + os.Getenv("PATH"), "TERM=xterm-256color"}, WorkingDir: "/", Cols: 80, Rows: 24,
	}
	check(t, holder.Start(t.Context(), self, p.dir, spec))
	e := &echoing{paper: p}
	e.client, err = p.dial(t.Context())
	check(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		check(t, ignoreGone(e.client.Signal(ctx, killSignal)))
		for _, err := range e.client.Follow(ctx, 0) {
			check(t, err)
		}
		check(t, e.client.Close())
	})
	e.untilShows("ready")
	return e
}

// becomesIdle waits for the run, of an agent that says nothing about itself, and makes it one that listens.
func (e *echoing) becomesIdle() {
	e.t.Helper()
	check(e.t, e.until(e.t.Context(), func(f *fold) bool { return f.runs > 0 }))
	e.view(func(f *fold) {
		f.ready, f.activity.state = true, protocol.StateIdle
		f.derive(time.Now())
	})
}

// untilShows waits until the terminal shows just this.
func (e *echoing) untilShows(want string) {
	e.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		check(e.t, e.client.WaitQuiet(e.t.Context(), settled))
		screen, err := e.client.Screen(e.t.Context())
		check(e.t, err)
		shown := strings.TrimSpace(strings.Join(screen.Lines, " "))
		if shown == want {
			return
		}
		if time.Now().After(deadline) {
			e.t.Fatalf("the terminal shows %q, want %q", shown, want)
		}
	}
}

// attach lets a person look at the terminal, and type. What he is shown goes to shows.
func (e *echoing) attach(shows func(output string)) (keys io.Writer) {
	ctx, cancel := context.WithCancel(e.t.Context())
	in, keys := io.Pipe()
	var group sync.WaitGroup
	group.Go(func() { _ = e.client.Attach(ctx, holder.Terminal{Input: in, Output: shown(shows)}) })
	e.t.Cleanup(func() { cancel(); group.Wait() })
	return keys
}

// follow has the session take in its journal.
func (e *echoing) follow() {
	ctx, cancel := context.WithCancel(e.t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		for entry, err := range e.client.Follow(ctx, 0) {
			if err == nil {
				err = e.look([]holder.Entry{entry})
			}
			if err != nil && ctx.Err() == nil {
				e.t.Error(err)
			}
		}
	})
	e.t.Cleanup(func() { cancel(); group.Wait() })
}

// shown is an io.Writer.
type shown func(output string)

func (s shown) Write(p []byte) (int, error) {
	s(string(p))
	return len(p), nil
}

// TestSubmitsOnlyWhatWasSeen: something comes over the terminal between the look at a message that is to be submitted
// once more and the key. It is looked at again, and then submitted.
func TestSubmitsOnlyWhatWasSeen(t *testing.T) {
	t.Parallel()
	e := newEchoing(t)
	looks := 0
	e.session.kind.Submit = []byte("S")
	e.session.kind.ReadBox = func([]string) agentkind.Box {
		if looks++; looks == 1 {
			check(t, e.client.Write(t.Context(), []byte("-")))
		}
		return agentkind.BoxDraft
	}
	for try := range 2 {
		done, err := e.submitAgain(t.Context(), e.client, time.Now())
		check(t, err)
		if done != (try == 1) {
			t.Errorf("at try %d, done is %v", try, done)
		}
	}
	e.untilShows("ready -S")
}

// TestDraftIsPutAsideAgain: a person goes on typing while the key that puts his draft aside is on its way. His draft is
// put aside when he has stopped.
func TestDraftIsPutAsideAgain(t *testing.T) {
	t.Parallel()
	e := newEchoing(t)
	aside := make(chan struct{})
	once := sync.OnceFunc(func() { close(aside) })
	keys := e.attach(func(output string) {
		if output == "S" {
			once()
		}
	})
	_, err := io.WriteString(keys, "a")
	check(t, err)
	var typing sync.WaitGroup
	typing.Go(func() {
		<-aside
		_, _ = io.WriteString(keys, "b") // fails when the test has
	})
	defer typing.Wait()
	defer once()
	e.untilShows("ready a")
	status, err := e.client.Status(t.Context())
	check(t, err)
	time.Sleep(time.Until(status.LastInput.Add(1100 * time.Millisecond))) // or the next key is not told apart from it
	var passed time.Duration
	e.session.now = func() time.Time { return time.Now().Add(passed) }
	e.session.kind.StashDraft = []byte("S")
	e.session.kind.ReadBox = func([]string) agentkind.Box { return agentkind.BoxDraft }
	for _, want := range []string{"ready aSb", "ready aSbS"} {
		passed += draftPatience
		_, hindered, err := e.clearBox(t.Context(), e.client)
		check(t, err)
		if hindered != hinderedByDraft {
			t.Errorf("hindered by %q", hindered)
		}
		e.untilShows(want)
	}
}

// TestDraftIsPutAsideAfterADialog: a dialog that opens just then takes the key that puts a draft aside. It is pressed
// again, but not at once: the agent may only be slow.
func TestDraftIsPutAsideAfterADialog(t *testing.T) {
	t.Parallel()
	e := newEchoing(t)
	box, passed := agentkind.BoxDraft, time.Duration(0)
	e.session.now = func() time.Time { return time.Now().Add(passed) }
	e.session.kind.StashDraft = []byte("S")
	e.session.kind.ReadBox = func([]string) agentkind.Box { return box }
	for _, step := range []struct {
		box    agentkind.Box
		passes time.Duration
		want   string
	}{
		{agentkind.BoxDraft, 0, "ready S"},
		{agentkind.BoxUnseen, 0, "ready S"},
		{agentkind.BoxDraft, 0, "ready S"},
		{agentkind.BoxDraft, stashAgain, "ready SS"},
	} {
		box, passed = step.box, passed+step.passes
		_, _, err := e.clearBox(t.Context(), e.client)
		check(t, err)
		e.untilShows(step.want)
	}
}

// TestClosesOnlyTheFormSeen: somebody answers a form at the terminal between the look at its dialog and the key that
// closes that. The key would be for what comes next: it is not pressed.
func TestClosesOnlyTheFormSeen(t *testing.T) {
	t.Parallel()
	e := newEchoing(t)
	looks := 0
	e.session.kind.CloseForm = []byte("S")
	e.session.kind.ShowsForm = func([]string, []byte) bool {
		if looks++; looks == 1 {
			check(t, e.client.Write(t.Context(), []byte("-")))
		}
		return looks == 1
	}
	pressed, err := e.pressCloseForm(t.Context(), e.client, nil)
	check(t, err)
	if pressed {
		t.Error("the key counts as pressed")
	}
	e.untilShows("ready -")
}

// TestEscAtTheTerminalCountsFirst: somebody closed a form at the terminal when its answer came. The answer does not go in
// the place of his.
func TestEscAtTheTerminalCountsFirst(t *testing.T) {
	t.Parallel()
	e := newEchoing(t)
	e.session.kind.ShowsForm = func([]string, []byte) bool { return false }
	e.view(func(f *fold) {
		f.open(&prompt{Prompt: protocol.Prompt{ID: "p1", Kind: protocol.PromptElicitation}, form: formState{result: "h1"}})
	})
	if hook, err := e.closeForm(t.Context(), e.client, "p1", nil); !errors.Is(err, holder.ErrHookGone) {
		t.Errorf("closed by hook %q, %v", hook, err)
	}
}

// TestConfirmsOnlyWhatWasSeen: somebody selects another option of a dialog when the one that was answered is about to be
// confirmed. Neither is.
func TestConfirmsOnlyWhatWasSeen(t *testing.T) {
	t.Parallel()
	e := newEchoing(t)
	ask := agentkind.Ask{Kind: agentkind.AskTrust, Options: []agentkind.Option{{ID: agentkind.OptionAllow}, {ID: agentkind.OptionDeny}}}
	var asked protocol.Prompt
	e.view(func(f *fold) { asked = f.promptOf("p1", time.Now(), ask) })
	_, err := e.client.Append(t.Context(), noteDialog, dialogNote{ID: asked.ID, Name: "trust", Prompt: &asked})
	check(t, err)
	selected, looks := agentkind.OptionDeny, 0
	e.session.kind.ReadScreen = func([]string) (agentkind.Dialog, bool) {
		now := selected
		if looks++; looks == 2 {
			check(t, e.client.Write(t.Context(), []byte("-")))
			selected = agentkind.OptionAllow
		}
		return agentkind.Dialog{Ask: &ask, Selected: now, Keys: map[string]agentkind.Keys{agentkind.OptionDeny: {Confirm: []byte("S")}}}, true
	}
	e.follow()
	err = e.answerDialog(t.Context(), e.client, asked, answerNote{Prompt: asked.ID, Answer: protocol.Answer{Option: agentkind.OptionDeny}})
	if refusal := (*protocol.Error)(nil); !errors.As(err, &refusal) || refusal.Code != protocol.CodeConflict {
		t.Errorf("answering ended with %v", err)
	}
	e.untilShows("ready -")
	e.view(func(f *fold) {
		if f.prompts[asked.ID].handed() {
			t.Error("the answer counts as given")
		}
	})
}
