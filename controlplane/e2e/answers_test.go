package e2e

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"switchboard/controlplane/e2e/harness"
)

// The parts of the tools' answers that these tests read.
type (
	sessionList struct {
		Sessions []session `json:"sessions"`
	}
	session struct {
		ID     string `json:"session_id"`
		Handle string `json:"handle"`
		Host   string `json:"host"`
		State  string `json:"state"`
	}
	sessionAnswer struct {
		Session session  `json:"session"`
		Prompts []prompt `json:"prompts"`
	}
	messageAnswer struct {
		MessageID string `json:"message_id"`
		Status    string `json:"status"`
	}
	promptList struct {
		Prompts []prompt `json:"prompts"`
	}
	prompt struct {
		ID        string   `json:"prompt_id"`
		Session   string   `json:"session"`
		Host      string   `json:"host"`
		Status    string   `json:"status"`
		Kind      string   `json:"kind"`
		Tool      string   `json:"tool"`
		Title     string   `json:"title"`
		Detail    string   `json:"detail"`
		Options   []option `json:"options"`
		Questions []struct {
			Text  string `json:"text"`
			Wants string `json:"wants"`
		} `json:"questions"`
	}
	option struct {
		ID    string `json:"id"`
		Label string `json:"label"`
	}
	hostList struct {
		Hosts []host `json:"hosts"`
	}
	host struct {
		ID     string `json:"host_id"`
		Name   string `json:"host"`
		Online bool   `json:"online"`
	}
)

// args are a tool's arguments.
type args = map[string]any

// sessions lists what a person may see.
func (p person) sessions(t *testing.T, filter args) []session {
	t.Helper()
	var list sessionList
	must(t, p.Call(t.Context(), "list_sessions", filter, &list))
	return list.Sessions
}

// start creates a session and waits until its agent is ready for a message.
func (p person) start(t *testing.T, arguments args) session {
	t.Helper()
	var answer sessionAnswer
	must(t, p.Call(t.Context(), "create_session", arguments, &answer))
	awaitState(t, p, answer.Session.ID, "idle")
	return answer.Session
}

// send sends a message and waits for the agent's own receipt. It asks again with the same key, as a client does
// whose answer was lost, and the agent must be told once all the same.
func (p person) send(t *testing.T, ref, text string) {
	t.Helper()
	key := rand.Text()
	await(t, "the receipt for "+text, func(ctx context.Context) (bool, error) {
		var m messageAnswer
		arguments := args{"session_id": ref, "message": text, "idempotency_key": key}
		if err := p.Call(ctx, "send_message", arguments, &m); err != nil {
			return false, err
		}
		if m.Status == "failed" || m.Status == "not_confirmed" {
			t.Fatalf("message %q to %s: %+v, want it accepted", text, ref, m)
		}
		return m.Status == "accepted", fmt.Errorf("it is %s", m.Status)
	})
}

// prompts are the questions that wait for an answer.
func (p person) prompts(t *testing.T, filter args) []prompt {
	t.Helper()
	var list promptList
	must(t, p.Call(t.Context(), "check_prompts", filter, &list))
	return list.Prompts
}

// awaitPrompt waits until a session asks exactly one question that nobody has answered.
func (p person) awaitPrompt(t *testing.T, ref string) prompt {
	t.Helper()
	var list promptList
	await(t, "a prompt of "+ref, func(ctx context.Context) (bool, error) {
		list = promptList{}
		err := p.Call(ctx, "check_prompts", args{"session_id": ref}, &list)
		return len(list.Prompts) == 1 && list.Prompts[0].Status == "asked", err
	})
	return list.Prompts[0]
}

func await(t *testing.T, what string, done func(context.Context) (bool, error)) {
	t.Helper()
	must(t, harness.Await(t.Context(), what, done))
}

func awaitState(t *testing.T, p person, ref, state string) {
	t.Helper()
	await(t, ref+" to be "+state, func(ctx context.Context) (bool, error) {
		var answer sessionAnswer
		if err := p.Call(ctx, "get_session_status", args{"session_id": ref}, &answer); err != nil {
			return false, err
		}
		return answer.Session.State == state, fmt.Errorf("it is %s, and asks %+v", answer.Session.State, answer.Prompts)
	})
}

func awaitHost(t *testing.T, p person, name string, online bool) {
	t.Helper()
	await(t, fmt.Sprintf("host %s to be online=%t", name, online), func(ctx context.Context) (bool, error) {
		h, err := findHost(ctx, p, name)
		return err == nil && h.Online == online, err
	})
}

func findHost(ctx context.Context, p person, name string) (host, error) {
	var list hostList
	if err := p.Call(ctx, "list_hosts", nil, &list); err != nil {
		return host{}, err
	}
	for _, h := range list.Hosts {
		if h.Name == name {
			return h, nil
		}
	}
	return host{}, fmt.Errorf("no host %s in %+v", name, list.Hosts)
}

// awaitLogs waits until get_logs shows these words. The terminal's recording is a moment behind its screen.
func awaitLogs(t *testing.T, p person, arguments args, words string) {
	t.Helper()
	await(t, fmt.Sprintf("%q in the logs %v", words, arguments), func(ctx context.Context) (bool, error) {
		text, err := p.Text(ctx, "get_logs", arguments)
		return strings.Contains(text, words), errors.Join(err, errors.New(text))
	})
}

func awaitFile(t *testing.T, path string) {
	t.Helper()
	await(t, path, func(context.Context) (bool, error) {
		_, err := os.Stat(path)
		return err == nil, err
	})
}

// refusal is the text of a tool's own error; anything else fails the test.
func refusal(t *testing.T, err error) string {
	t.Helper()
	var refused *harness.ToolError
	if !errors.As(err, &refused) {
		t.Errorf("got %v, want a tool's error", err)
		return ""
	}
	return refused.Text
}

// wantRefusal calls a tool that must refuse, with words that say why.
func (p person) wantRefusal(t *testing.T, tool string, arguments args, words ...string) {
	t.Helper()
	text := refusal(t, p.Call(t.Context(), tool, arguments, nil))
	for _, word := range words {
		if !strings.Contains(strings.ToLower(text), strings.ToLower(word)) {
			t.Errorf("%s refused with %q, want %q in it", tool, text, word)
		}
	}
}
