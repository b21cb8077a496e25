package mcphttp

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"switchboard/auth"
)

// FuzzEndpoint sends what nobody should, to the whole of /mcp: it never falls over, is never at fault, and says what
// is wrong in the protocol's own form.
func FuzzEndpoint(f *testing.F) {
	const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"who","arguments":{},` + meta + `}}`
	const media, both = "application/json", "application/json, text/event-stream"
	f.Add("POST", callTool("who"), media, both, "", "", "", "")
	f.Add("POST", initialize, media, both, "", "", "", "")
	f.Add("POST", call, media, both, "2026-07-28", "Mcp-Method: tools/call\nMcp-Name: who", "", "")
	f.Add("POST", `{"jsonrpc":"2.0","id":1,"result":{}}`, media, both, "2025-11-25", "", "open", "")
	f.Add("POST", `{"jsonrpc":"2.0","id":"A.1","result":{"action":"accept"}}`, media, both, "2025-11-25", "", "open", "")
	f.Add("POST", `{"jsonrpc":"2.0","id":"s","method":"subscriptions/listen","params":{`+meta+`}}`, media, both, "2026-07-28", "Mcp-Method: subscriptions/listen", "", "")
	f.Add("GET", "", "", "text/event-stream", "2025-11-25", "", "open", "")
	f.Add("GET", "", "", "text/event-stream", "2025-11-25", "", "open", "A.1")
	f.Add("DELETE", "", "", "", "2026-07-28", "", "open", "")
	f.Add("OPTIONS", "", "", "", "", "Origin: null\nContent-Encoding: gzip", "", "")
	f.Add("GET", "", "", "text/event-stream", "2025-11-25", "", "\xff", "\xff.1")
	f.Add("POST", `{"jsonrpc":"2.0","id":"\u0000.1","result":{"action":"accept"}}`, media, both, "2025-11-25", "", "open", "")
	log := &lockedBuffer{}
	h := fuzzed(f, log)
	f.Fuzz(func(t *testing.T, method, body, media, accept, version, headers, session, last string) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, method, "http://127.0.0.1/mcp", strings.NewReader(body))
		if err != nil {
			t.Skip("no HTTP request")
		}
		if session == "open" {
			session = fuzzSession(t, h)
		}
		for name, value := range map[string]string{
			"Authorization": "Bearer alice-token", "Content-Type": media, "Accept": accept, mcp.HeaderProtocolVersion: version,
			mcp.HeaderSessionID: session, mcp.HeaderLastEventID: last,
		} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		for line := range strings.Lines(headers) {
			if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
				r.Header.Add(name, strings.TrimSpace(value))
			}
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if strings.Contains(log.String(), "panic") {
			t.Fatalf("panic: %s", log)
		}
		if err := wellFormed(w.Result()); err != nil {
			t.Errorf("%s %q %v: %v", method, body, r.Header, err)
		}
	})
}

func fuzzed(f *testing.F, log io.Writer) *Handler {
	f.Helper()
	s := server.NewMCPServer("test", "1", server.WithToolCapabilities(true))
	s.AddTool(mcp.NewTool("who"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultText("somebody"), nil
	})
	var word auth.Changes
	h, err := New(Config{
		PublicURL: "http://127.0.0.1", MCP: s, Log: slog.New(slog.NewTextHandler(log, nil)), Sessions: newMemory(), Watch: word.Watch,
		Needs: func(string, string) auth.Scope { return "" },
		Bearer: func(context.Context, auth.Secret, string) (auth.Caller, error) {
			return auth.Caller{User: "alice", ClientID: "claude"}, nil
		},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := h.Close(context.WithoutCancel(f.Context())); err != nil {
			f.Error(err)
		}
	})
	return h
}

func fuzzSession(t *testing.T, h *Handler) string {
	t.Helper()
	id, err := h.openSession(t.Context(), auth.Caller{User: "alice", ClientID: "claude"}, []byte(initialize))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// wellFormed checks an answer's form, whatever was asked.
func wellFormed(answer *http.Response) error {
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode >= 500 {
		return fmt.Errorf("%d %s", answer.StatusCode, body)
	}
	if strings.HasPrefix(answer.Header.Get("Content-Type"), eventStream) || len(body) == 0 {
		return nil
	}
	var message struct {
		JSONRPC string
		Error   json.RawMessage
	}
	if err := json.Unmarshal(body, &message); err != nil {
		return fmt.Errorf("%d %s: %w", answer.StatusCode, body, err)
	}
	if message.Error == nil && (message.JSONRPC != "2.0" || answer.StatusCode >= 400) {
		return fmt.Errorf("%d %s is no answer of the protocol's", answer.StatusCode, body)
	}
	return nil
}

// What proxies and servers could understand differently is refused, or means one thing.
func TestSmuggling(t *testing.T) {
	e := start(t, nil)
	host := strings.TrimPrefix(e.url, "http://")
	const head = "Authorization: Bearer alice-token\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
	call := callTool("who")
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(call), call)
	tests := []struct {
		name, request string
		status        string // of the first answer; the connection then is closed, or answers no second time
	}{
		{"length and chunks", "POST /mcp HTTP/1.1\r\nHost: " + host + "\r\n" + head + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked, "200"},
		{"two lengths", "POST /mcp HTTP/1.1\r\nHost: " + host + "\r\n" + head + "Content-Length: 4\r\nContent-Length: 5\r\n\r\n" + call, "400"},
		{"signed length", "POST /mcp HTTP/1.1\r\nHost: " + host + "\r\n" + head + "Content-Length: +4\r\n\r\n" + call, "400"},
		{"unknown coding", "POST /mcp HTTP/1.1\r\nHost: " + host + "\r\n" + head + "Transfer-Encoding: xchunked\r\n\r\n" + chunked, "501"},
		{"space before the colon", "POST /mcp HTTP/1.1\r\nHost: " + host + "\r\n" + head + "Content-Length : 4\r\n\r\n" + call, "400"},
		{"two hosts", "POST /mcp HTTP/1.1\r\nHost: " + host + "\r\nHost: evil.example\r\n" + head + "Content-Length: 4\r\n\r\n" + call, "400"},
		{"another host in the target", "POST http://evil.example/mcp HTTP/1.1\r\nHost: " + host + "\r\n" + head + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(call)) + call, "421"},
		{"compressed without end", "POST /mcp HTTP/1.1\r\nHost: " + host + "\r\n" + head + "Content-Encoding: gzip\r\nContent-Length: 10000000000\r\n\r\n\x1f\x8b", "413"},
		{"chunks without end", "POST /mcp HTTP/1.1\r\nHost: " + host + "\r\n" + head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("10000\r\n"+strings.Repeat(" ", 0x10000)+"\r\n", 65), "413"},
		{"more behind the body", "POST /mcp HTTP/1.1\r\nHost: " + host + "\r\n" + head + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(call)) + call + "GARBAGE\r\n\r\n", "200"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", host)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			go func() { _, _ = io.WriteString(conn, test.request) }() // may be cut off
			if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(conn).ReadString('\n')
			if err != nil || !strings.HasPrefix(line, "HTTP/1.1 "+test.status+" ") {
				t.Errorf("got %q %v, want %s", line, err, test.status)
			}
		})
	}
}
