package mcptools

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
)

// protocols are a version of each era of the protocol.
var protocols = []string{mcp.ProtocolVersion20260728, mcp.ProtocolVersion20251125}

// rpcAnswer is the answer to any request.
type rpcAnswer struct {
	status int
	header http.Header
	raw    string
	Result map[string]any
	Error  struct {
		Code    int
		Message string
		Data    map[string]any
	}
}

// rpc sends one request as the token's person, in a version of the protocol.
func (w *world) rpc(token, version, method string, params args) rpcAnswer {
	w.t.Helper()
	header := http.Header{}
	if mcp.IsModernProtocol(version) {
		header.Set(mcp.HeaderProtocolVersion, version)
		header.Set("Mcp-Method", method)
		for _, name := range []string{"name", "uri"} {
			if value, ok := mcp.EncodeHeaderValue(params[name]); ok && params[name] != nil {
				header.Set("Mcp-Name", value)
			}
		}
		params = maps.Clone(params)
		params["_meta"] = args{mcp.MetaKeyProtocolVersion: version, mcp.MetaKeyClientCapabilities: args{}}
	}
	return w.post(token, header, args{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

// post sends a message with headers beside the usual ones.
func (w *world) post(token string, header http.Header, message args) rpcAnswer {
	w.t.Helper()
	body, err := json.Marshal(message)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+"/mcp", strings.NewReader(string(body)))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header = header.Clone()
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	answer := rpcAnswer{status: response.StatusCode, header: response.Header, raw: string(text)}
	_ = json.Unmarshal(text, &answer) // the error of a challenge is a word
	return answer
}

// inEras runs a test in each era.
func inEras(t *testing.T, test func(t *testing.T, version string)) {
	for _, version := range protocols {
		t.Run(version, func(t *testing.T) { test(t, version) })
	}
}
