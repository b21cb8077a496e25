package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// endpoint is an MCP endpoint, ours or the limit's, to which both are called with the same few bytes of code.
type endpoint struct {
	url    string
	token  string
	origin string // of the web page that calls, if one does
	client *http.Client
}

func newEndpoint(url, token string) endpoint {
	return endpoint{url: url, token: token, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: crowdSize}}}
}

func (e endpoint) close() { e.client.CloseIdleConnections() }

// call calls a tool with a single POST, as clients without a session do. The callers take turns with the arguments.
func (e endpoint) call(tool string, arguments ...map[string]any) (*path, error) {
	if len(arguments) == 0 {
		arguments = []map[string]any{{}}
	}
	bodies := make([][]byte, len(arguments))
	for i, a := range arguments {
		body, err := json.Marshal(map[string]any{
			"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": map[string]any{"name": tool, "arguments": a},
		})
		if err != nil {
			return nil, fmt.Errorf("calling %s: %w", tool, err)
		}
		bodies[i] = body
	}
	return &path{call: func(ctx context.Context, number int) error {
		answer, err := e.post(ctx, "application/json", e.token, bodies[number%len(bodies)])
		if err == nil && (answer.status != http.StatusOK || answer.refused()) {
			err = fmt.Errorf("%d %.300s", answer.status, answer.body)
		}
		if err != nil {
			return fmt.Errorf("calling %s: %w", tool, err)
		}
		return nil
	}}, nil
}

// answer is what an endpoint said.
type answer struct {
	status int
	body   []byte
}

func (a answer) refused() bool {
	return bytes.Contains(a.body, []byte(`"isError":true`)) || bytes.Contains(a.body, []byte(`"error":{`))
}

func (e endpoint) post(ctx context.Context, media, token string, body []byte) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", media)
	request.Header.Set("Accept", "application/json, text/event-stream")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if e.origin != "" {
		request.Header.Set("Origin", e.origin)
	}
	response, err := e.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, text}, err
}
