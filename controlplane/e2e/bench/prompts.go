package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const promptsAsked = 20

// measurePrompts measures how soon a client that waits hears of a permission prompt of the real CLI's, from the
// moment when the host has the hook in its journal. That moment is kept to the millisecond, cut off.
func measurePrompts(ctx context.Context, p *product) ([]row, error) {
	script := strings.Repeat("fake:bash touch prompted.txt ;; ", promptsAsked) + "fake:text done"
	message := map[string]any{"session_id": p.session, "message": script}
	if err := p.mcp.Call(ctx, "send_message", message, nil); err != nil {
		return nil, err
	}
	var seen load
	for range promptsAsked {
		took, waited, err := p.awaitPrompt(ctx)
		if err != nil {
			return nil, err
		}
		if waited {
			seen.took = append(seen.took, took)
		}
	}
	return []row{figureRow(fmt.Sprintf("hook fired → waiting client told (%d)", len(seen.took)), seen.latency(), "≤ 50 ms p99")},
		p.awaitIdle(ctx, p.session)
}

// awaitPrompt waits for the next prompt, says how late the word of it was, and answers it. If the prompt was there
// before the wait, it was no wait.
func (p *product) awaitPrompt(ctx context.Context) (took time.Duration, waited bool, err error) {
	began := time.Now()
	var wait struct {
		Reached bool `json:"reached"`
	}
	if err := p.mcp.Call(ctx, "wait_for_session", map[string]any{"session_id": p.session, "until": "prompt"}, &wait); err != nil {
		return 0, false, err
	}
	told := time.Now()
	if !wait.Reached {
		return 0, false, fmt.Errorf("session %s asks nothing", p.session)
	}
	var list struct {
		Prompts []struct {
			ID      string    `json:"prompt_id"`
			AskedAt time.Time `json:"asked_at"`
			Status  string    `json:"status"`
		} `json:"prompts"`
	}
	if err := p.mcp.Call(ctx, "check_prompts", map[string]any{"session_id": p.session}, &list); err != nil {
		return 0, false, err
	}
	newest := len(list.Prompts) - 1 // the one before may still be on its way to be settled
	if newest < 0 || list.Prompts[newest].Status != "asked" {
		return 0, false, fmt.Errorf("session %s asks nothing new: %+v", p.session, list.Prompts)
	}
	asked := list.Prompts[newest]
	if err := p.mcp.Call(ctx, "respond_to_prompt", map[string]any{"prompt_id": asked.ID, "response": "yes"}, nil); err != nil {
		return 0, false, err
	}
	return told.Sub(asked.AskedAt), asked.AskedAt.After(began), nil
}
