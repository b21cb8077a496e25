package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// What is wrong with a subscription is told with MCP Events' own codes, and never with more than that.
func TestSubscriptionIsRefused(t *testing.T) {
	s := newSite(t)
	o := s.client(t, "https://chatgpt.com/connector_platform_oauth_redirect")
	o.ClientID = s.publish(t, "chatgpt.json")
	o.Scope = "sessions:read"
	reads := connect(t, o)
	o.Scope = "hosts:read"
	blind := connect(t, o)
	const good = `{"name":"session.finished","delivery":{"mode":"webhook","url":"https://hooks.chatgpt.com/1","secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}`
	for _, test := range []struct {
		name, params string
		token        string
		code         int
	}{
		{"nothing", `{}`, reads.Access, -32011},
		{"name is no text", `{"name":1}`, reads.Access, -32602},
		{"no such event", strings.Replace(good, "finished", "deleted", 1) + `}`, reads.Access, -32011},
		{"no delivery", `{"name":"session.finished"}`, reads.Access, -32602},
		{"another way of delivery", strings.Replace(good, `"webhook"`, `"push"`, 1) + `}`, reads.Access, -32014},
		{"plain http", strings.Replace(good, "https:", "http:", 1) + `}`, reads.Access, -32602},
		{"weak secret", strings.Replace(good, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "AAAA", 1) + `}`, reads.Access, -32602},
		{"unknown argument", good + `,"arguments":{"user":"bob"}}`, reads.Access, -32602},
		{"arguments are a list", good + `,"arguments":[]}`, reads.Access, -32602},
		{"a session and a host", good + `,"arguments":{"session_id":"a","host":"b"}}`, reads.Access, -32602},
		{"no such session", good + `,"arguments":{"session_id":"web-app_none"}}`, reads.Access, -32011},
		{"no such host", good + `,"arguments":{"host":"nowhere"}}`, reads.Access, -32011},
		{"negative time", good + `,"ttlMs":-1}`, reads.Access, -32602},
		{"time in words", good + `,"ttlMs":"1h"}`, reads.Access, -32602},
		{"endless time, at nobody's address", good + `,"ttlMs":9000000000000}`, reads.Access, -32015},
		{"private address", strings.Replace(good, "hooks.chatgpt.com", "127.0.0.1", 1) + `}`, reads.Access, -32015},
		{"without the scope", good + `}`, blind.Access, -32012},
	} {
		t.Run(test.name, func(t *testing.T) {
			var params map[string]any
			if err := json.Unmarshal([]byte(test.params), &params); err != nil {
				t.Fatal(err)
			}
			answer := s.modern(t, test.token, "events/subscribe", "", params)
			if answer.Status != http.StatusOK || answer.Error == nil || answer.Error.Code != test.code {
				t.Errorf("%d %s, want %d", answer.Status, answer.Body, test.code)
			}
			if strings.Contains(string(answer.Body), "MfKQ9r8") {
				t.Errorf("the answer repeats the secret: %s", answer.Body)
			}
		})
	}
	t.Run("by the header of another method", func(t *testing.T) {
		header := http.Header{"Mcp-Protocol-Version": {modernVersion}, "Mcp-Method": {"events/list"}}
		params := map[string]any{"_meta": map[string]any{
			"io.modelcontextprotocol/protocolVersion": modernVersion, "io.modelcontextprotocol/clientCapabilities": map[string]any{},
		}}
		answer := s.send(t, reads.Access, "events/subscribe", params, header)
		if answer.Status != http.StatusBadRequest || !strings.Contains(string(answer.Body), "-32020") {
			t.Errorf("%d %s", answer.Status, answer.Body)
		}
	})
	t.Run("an older protocol", func(t *testing.T) {
		answer := s.send(t, reads.Access, "events/list", map[string]any{}, nil)
		if answer.Status != http.StatusOK || !strings.Contains(string(answer.Body), "session.needs_answer") {
			t.Errorf("%d %s", answer.Status, answer.Body)
		}
	})
	t.Run("a stranger", func(t *testing.T) {
		if answer := s.modern(t, "", "events/list", "", nil); answer.Status != http.StatusUnauthorized {
			t.Errorf("%d", answer.Status)
		}
	})
	t.Run("verifications are limited", func(t *testing.T) {
		last := 0
		for n := range 20 {
			params := map[string]any{"name": "session.ended", "delivery": map[string]any{
				"url": fmt.Sprintf("https://hooks.chatgpt.com/flood/%d", n), "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
			}}
			if answer := s.modern(t, reads.Access, "events/subscribe", "", params); answer.Error != nil {
				last = answer.Error.Code
			}
		}
		if last != -32013 {
			t.Errorf("the 20th unverified address in a moment: %d", last)
		}
	})
}
