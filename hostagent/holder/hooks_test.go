package holder_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"switchboard/hostagent/holder"
)

// hook starts the process of a hook that is to be held, as an agent would.
func hook(t *testing.T, dir, payload string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	command := exec.CommandContext(t.Context(), self(), dir, "PermissionRequest", "hold")
	command.Env = append(os.Environ(), roleVariable+"=hook")
	command.Stdin = strings.NewReader(payload)
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	return command, &out
}

func body[Body any](t *testing.T, entry holder.Entry) Body {
	t.Helper()
	var b Body
	if err := json.Unmarshal(entry.Body, &b); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHookIsHeldUntilItIsAnswered(t *testing.T) {
	client, dir := start(t, "/bin/cat")
	command, out := hook(t, dir, `{"tool_name":"Bash"}`)
	asked := body[holder.Hook](t, waitFor(t, client, holder.KindHook))
	if asked.Event != "PermissionRequest" || !asked.Held || string(asked.Payload) != `{"tool_name":"Bash"}` {
		t.Errorf("journalled as %+v", asked)
	}
	answer := `{"behavior":"allow"}`
	if err := client.Answer(t.Context(), asked.ID, []byte(answer)); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil || out.String() != answer {
		t.Errorf("hook ends with %v, says %q", err, out)
	}
	answered := body[holder.HookAnswered](t, waitFor(t, client, holder.KindHookAnswered))
	if answered != (holder.HookAnswered{ID: asked.ID, Reply: answer}) {
		t.Errorf("answer journalled as %+v", answered)
	}
	if err := client.Answer(t.Context(), asked.ID, []byte("again")); !errors.Is(err, holder.ErrHookGone) {
		t.Errorf("second answer: %v", err)
	}
}

func TestAnEmptyAnswerReleasesTheHook(t *testing.T) {
	client, dir := start(t, "/bin/cat")
	command, out := hook(t, dir, `{}`)
	asked := body[holder.Hook](t, waitFor(t, client, holder.KindHook))
	if err := client.Answer(t.Context(), asked.ID, nil); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil || out.Len() > 0 {
		t.Errorf("hook ends with %v, says %q", err, out)
	}
}

func TestOneOfManyAnswersWins(t *testing.T) {
	client, dir := start(t, "/bin/cat")
	command, out := hook(t, dir, `{}`)
	asked := body[holder.Hook](t, waitFor(t, client, holder.KindHook))
	var won atomic.Int32
	var winner atomic.Value
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() {
			answer := fmt.Sprint("answer ", i)
			err := client.Answer(t.Context(), asked.ID, []byte(answer))
			switch {
			case err == nil:
				won.Add(1)
				winner.Store(answer)
			case !errors.Is(err, holder.ErrHookGone):
				t.Error(err)
			}
		})
	}
	group.Wait()
	if err := command.Wait(); err != nil {
		t.Fatal(err)
	}
	if won.Load() != 1 || out.String() != winner.Load() {
		t.Errorf("%d answers won; the last is %v, the hook says %q", won.Load(), winner.Load(), out)
	}
	entries, err := holder.ReadJournal(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	answers := 0
	for _, e := range entries {
		if e.Kind == holder.KindHookAnswered {
			answers++
		}
	}
	if answers != 1 {
		t.Errorf("%d answers are journalled", answers)
	}
}

func TestAKilledHookIsClosed(t *testing.T) {
	client, dir := start(t, "/bin/cat")
	command, _ := hook(t, dir, `{}`)
	asked := body[holder.Hook](t, waitFor(t, client, holder.KindHook))
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait()
	closed := body[holder.HookClosed](t, waitFor(t, client, holder.KindHookClosed))
	if closed.ID != asked.ID {
		t.Errorf("closed %v, want %v", closed.ID, asked.ID)
	}
	if err := client.Answer(t.Context(), asked.ID, []byte("late")); !errors.Is(err, holder.ErrHookGone) {
		t.Errorf("answer: %v", err)
	}
}

func TestAnswerAgainstDeath(t *testing.T) {
	// Whoever is first, the journal and the caller agree on it.
	client, dir := start(t, "/bin/cat")
	for range 10 {
		after := last(t, client)
		command, out := hook(t, dir, `{}`)
		var asked holder.Hook
		for entry, err := range client.Follow(t.Context(), after) {
			if err != nil {
				t.Fatal(err)
			}
			if entry.Kind == holder.KindHook {
				asked = body[holder.Hook](t, entry)
				break
			}
		}
		var group sync.WaitGroup
		group.Go(func() { _ = command.Process.Kill() })
		err := client.Answer(t.Context(), asked.ID, []byte("yes"))
		group.Wait()
		_ = command.Wait()
		var kinds []string
		for entry, followErr := range client.Follow(t.Context(), after+1) {
			if followErr != nil {
				t.Fatal(followErr)
			}
			kinds = append(kinds, entry.Kind)
			if entry.Kind == holder.KindHookClosed || err == nil && entry.Kind == holder.KindHookAnswered {
				break
			}
		}
		if err == nil && (kinds[0] != holder.KindHookAnswered || out.String() != "yes") {
			t.Errorf("answered, but the journal has %v and the hook said %q", kinds, out)
		}
		if err != nil && !errors.Is(err, holder.ErrHookGone) {
			t.Errorf("answer: %v", err)
		}
	}
}

func last(t *testing.T, client *holder.Client) uint64 {
	t.Helper()
	status, err := client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return status.Last
}

func TestHooksEndWithTheSession(t *testing.T) {
	client, dir := start(t, "/bin/sh", "-c", "read x")
	command, out := hook(t, dir, `{}`)
	waitFor(t, client, holder.KindHook)
	if err := client.Write(t.Context(), []byte("\n")); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil || out.Len() > 0 {
		t.Errorf("hook ends with %v, says %q", err, out)
	}
	var kinds []string
	for entry, err := range client.Follow(t.Context(), 2) {
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, entry.Kind)
	}
	if got, want := strings.Join(kinds, " "), holder.KindHookClosed+" "+holder.KindExited; got != want {
		t.Errorf("journal ends with %q, want %q", got, want)
	}
}

func TestAHookThatIsNotHeldEndsWhenItIsJournalled(t *testing.T) {
	client, dir := start(t, "/bin/cat")
	tests := map[string]struct{ payload, want string }{
		"JSON":      {`{"a": [1, 2]}`, `{"a":[1,2]}`},
		"no JSON":   {"plain \"text\"", `"plain \"text\""`},
		"nothing":   {"", `""`},
		"not UTF-8": {"\xff", `"\ufffd"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			after := last(t, client)
			if err := holder.SendHook(t.Context(), dir, holder.HookCall{Event: "Stop", Payload: []byte(test.payload)}, io.Discard); err != nil {
				t.Fatal(err)
			}
			entries, err := holder.ReadJournal(dir, after)
			if err != nil || len(entries) != 1 {
				t.Fatalf("journal has %v, %v", entries, err)
			}
			if got := body[holder.Hook](t, entries[0]); string(got.Payload) != test.want || got.Held {
				t.Errorf("journalled as %s, want %s", entries[0].Body, test.want)
			}
		})
	}
}

func TestAHookWithoutAHolderSaysNothing(t *testing.T) {
	var out bytes.Buffer
	err := holder.SendHook(context.Background(), t.TempDir(), holder.HookCall{Event: "Stop", Hold: true, Payload: []byte("{}")}, &out)
	if err != nil || out.Len() > 0 {
		t.Errorf("%v, %q", err, &out)
	}
}

// TestHeldHooksAreBounded: hooks that wait take connections, and the session must be reachable whatever asks.
func TestHeldHooksAreBounded(t *testing.T) {
	client, dir := start(t, "/bin/cat")
	ctx, cancel := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	defer waiting.Wait()
	defer cancel()
	ask := func() error {
		call := holder.HookCall{Event: "PermissionRequest", Hold: true, Payload: []byte(`{}`)}
		return holder.SendHook(ctx, dir, call, io.Discard)
	}
	const most = 64
	for range most {
		waiting.Go(func() { _ = ask() })
	}
	held := 0
	for entry, err := range client.Follow(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if entry.Kind == holder.KindHook && body[holder.Hook](t, entry).Held {
			held++
		}
		if held == most {
			break
		}
	}
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	entries, err := holder.ReadJournal(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	hooks := slices.DeleteFunc(entries, func(e holder.Entry) bool { return e.Kind != holder.KindHook })
	if last := hooks[len(hooks)-1]; len(hooks) != most+1 || body[holder.Hook](t, last).Held {
		t.Errorf("%d hooks, the last %s", len(hooks), last.Body)
	}
}
