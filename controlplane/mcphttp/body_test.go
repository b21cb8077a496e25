package mcphttp

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestBody(t *testing.T) {
	e := start(t, nil)
	nested := func(depth int) string {
		return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"who","arguments":{"a":` +
			strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}}}`
	}
	tests := []struct {
		name   string
		body   string
		change func(*http.Request)
		status int
		say    string // must be in the answer
	}{
		{"good", callTool("who"), nil, 200, "alice"},
		{"no content type", callTool("who"), func(r *http.Request) { r.Header.Del("Content-Type") }, 415, ""},
		{"form", "a=b", header("Content-Type", "application/x-www-form-urlencoded"), 415, ""},
		{"charset", callTool("who"), header("Content-Type", "application/json; charset=utf-8"), 200, "alice"},
		{"compressed", callTool("who"), header("Content-Encoding", "gzip"), 415, ""},
		{"accepts only JSON", callTool("who"), header("Accept", "application/json"), 406, ""},
		{"accepts anything", callTool("who"), header("Accept", "*/*"), 200, "alice"},
		{"too large", strings.Repeat(" ", maxBody) + callTool("who"), nil, 413, ""},
		{"too large, without a length", strings.Repeat(" ", maxBody+1), func(r *http.Request) {
			r.Body = io.NopCloser(r.Body)
			r.ContentLength = -1
		}, 413, ""},
		{"empty", "", nil, 400, "-32700"},
		{"not JSON", "{", nil, 400, "-32700"},
		{"two values", callTool("who") + callTool("who"), nil, 400, "-32700"},
		{"byte order mark", "\ufeff" + callTool("who"), nil, 400, "-32700"},
		{"NaN", `{"jsonrpc":"2.0","id":NaN,"method":"ping"}`, nil, 400, "-32700"},
		{"batch", "[" + callTool("who") + "]", nil, 400, "-32600"},
		{"batch of 100,000", "[" + strings.Repeat("1,", 100_000) + "1]", nil, 400, "-32600"},
		{"a string", `"ping"`, nil, 400, "-32600"},
		{"nested as deep as may be", nested(61), nil, 200, "alice"},
		{"nested too deep", nested(62), nil, 400, "nested deeper"},
		{"nested 100,000 deep", nested(100_000), nil, 400, "-32700"},
		{"repeated key", `{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}`, nil, 400, "stands twice"},
		{"repeated argument", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"who","arguments":{"a":1,"\u0061":2}}}`, nil, 400, `params.arguments`},
		{"case of a key", `{"jsonrpc":"2.0","id":1,"Method":"ping"}`, nil, 400, `must be written \"method\"`},
		{"case of a parameter", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"Name":"who"}}`, nil, 400, "params"},
		{"Unicode case of a key", `{"jſonrpc":"2.0","id":1,"method":"ping"}`, nil, 400, "jsonrpc"},
		{"id null", `{"jsonrpc":"2.0","id":null,"method":"ping"}`, nil, 400, "-32600"},
		{"id object", `{"jsonrpc":"2.0","id":{},"method":"ping"}`, nil, 400, "-32600"},
		{"id array", `{"jsonrpc":"2.0","id":[1],"method":"ping"}`, nil, 400, "-32600"},
		{"id bool", `{"jsonrpc":"2.0","id":true,"method":"ping"}`, nil, 400, "-32600"},
		{"id fraction", `{"jsonrpc":"2.0","id":1.5,"method":"ping"}`, nil, 400, "-32600"},
		{"id that loses digits", `{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}`, nil, 400, "-32600"},
		{"huge id", `{"jsonrpc":"2.0","id":1e999,"method":"ping"}`, nil, 400, "-32600"},
		{"id string", `{"jsonrpc":"2.0","id":"x-1","method":"ping"}`, nil, 200, `"x-1"`},
		{"wrong version", `{"jsonrpc":"1.0","id":1,"method":"ping"}`, nil, 400, "-32600"},
		{"no method", `{"jsonrpc":"2.0","id":1}`, nil, 400, "-32600"},
		{"method of another type", `{"jsonrpc":"2.0","id":1,"method":5}`, nil, 400, "-32600"},
		{"unknown method", `{"jsonrpc":"2.0","id":1,"method":"nope"}`, nil, 200, "-32601"},
		{"params of another type", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[]}`, nil, 400, "-32602"},
		{"tool of another type", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":5}}`, nil, 400, "-32602"},
		{"unknown tool", callTool("nope"), nil, 200, "-32602"},
		{"invalid UTF-8", strings.Replace(callTool("who"), `{}`, "{\"message\":\"a\xff\"}", 1), nil, 400, "params.arguments.message"},
		{"half a surrogate pair", strings.Replace(callTool("who"), `{}`, `{"message":"\ud800x"}`, 1), nil, 400, "params.arguments.message"},
		{"the wrong half", strings.Replace(callTool("who"), `{}`, `{"message":"\udc00\ud800"}`, 1), nil, 400, "params.arguments.message"},
		{"a whole pair", strings.Replace(callTool("who"), `{}`, `{"message":"\ud83d\ude00"}`, 1), nil, 200, "alice"},
		{"notification", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, nil, 202, ""},
		{"notification with wrong params", `{"jsonrpc":"2.0","method":"notifications/initialized","params":7}`, nil, 400, "-32602"},
		{"a response to nothing", `{"jsonrpc":"2.0","id":1,"result":{"a":1}}`, nil, 400, ""},
		{"result and error", `{"jsonrpc":"2.0","id":1,"result":{},"error":{}}`, nil, 400, "-32600"},
		{"unknown protocol version", callTool("who"), header("Mcp-Protocol-Version", "1999-01-01"), 400, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := e.post(t, test.body, test.change)
			if got.status != test.status || !strings.Contains(got.body, test.say) {
				t.Errorf("got %d %.300s\nwant %d %q", got.status, got.body, test.status, test.say)
			}
		})
	}
}

func TestOtherVerbs(t *testing.T) {
	e := start(t, nil)
	for _, method := range []string{"PUT", "PATCH", "HEAD", "TRACE", "OPTIONS"} {
		got := e.send(t, e.request(t, method, "", nil))
		if got.status != 405 || got.header.Get("Allow") == "" {
			t.Errorf("%s: got %d, Allow %q", method, got.status, got.header.Get("Allow"))
		}
	}
}
