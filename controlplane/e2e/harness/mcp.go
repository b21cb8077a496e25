package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
)

// MCP is a connection to the MCP endpoint, made with a public client library.
type MCP struct {
	Client *client.Client
}

// Era is a generation of the protocol.
type Era int

// The eras: without sessions (2026-07-28), and with an initialize handshake before that.
const (
	Modern Era = iota
	Legacy
)

// Dial opens a connection with a bearer token, of a client that cannot ask its person anything.
func Dial(ctx context.Context, address, token string, era Era) (*MCP, error) {
	return DialAsking(ctx, address, token, era, nil)
}

// DialAsking opens a connection of a client that puts the server's questions to somebody.
func DialAsking(ctx context.Context, address, token string, era Era, somebody client.ElicitationHandler) (*MCP, error) {
	stream, err := transport.NewStreamableHTTP(address,
		transport.WithHTTPHeaders(map[string]string{"Authorization": "Bearer " + token}))
	if err != nil {
		return nil, fmt.Errorf("dialling %s: %w", address, err)
	}
	var options []client.ClientOption
	if era == Legacy {
		options = append(options, client.WithProtocolVersion("2025-11-25"))
	}
	if somebody != nil {
		options = append(options, client.WithElicitationHandler(somebody))
	}
	c := client.NewClient(stream, options...)
	if err := c.Start(ctx); err != nil {
		return nil, fmt.Errorf("dialling %s: %w", address, err)
	}
	var hello mcp.InitializeRequest
	hello.Params.ClientInfo = mcp.Implementation{Name: "Scripted client", Version: "1"}
	if _, err := c.Initialize(ctx, hello); err != nil {
		return nil, errors.Join(fmt.Errorf("dialling %s: %w", address, err), c.Close())
	}
	return &MCP{Client: c}, nil
}

// Close ends the connection.
func (m *MCP) Close() error { return m.Client.Close() }

// ToolError is a tool's own error: the call arrived, and the answer is no.
type ToolError struct{ Tool, Text string }

func (e *ToolError) Error() string { return e.Tool + ": " + e.Text }

// Call calls a tool and decodes its structured answer.
func (m *MCP) Call(ctx context.Context, tool string, arguments map[string]any, into any) error {
	var request mcp.CallToolRequest
	request.Params.Name, request.Params.Arguments = tool, arguments
	result, err := m.Client.CallTool(ctx, request)
	if err != nil {
		return fmt.Errorf("calling %s: %w", tool, err)
	}
	if result.IsError {
		return &ToolError{Tool: tool, Text: text(result)}
	}
	if into == nil {
		return nil
	}
	data, err := json.Marshal(result.StructuredContent)
	if err != nil {
		return fmt.Errorf("calling %s: %w", tool, err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("calling %s: %w: %s", tool, err, data)
	}
	return nil
}

// Text calls a tool and returns the text that a person would be shown.
func (m *MCP) Text(ctx context.Context, tool string, arguments map[string]any) (string, error) {
	var request mcp.CallToolRequest
	request.Params.Name, request.Params.Arguments = tool, arguments
	result, err := m.Client.CallTool(ctx, request)
	if err != nil {
		return "", fmt.Errorf("calling %s: %w", tool, err)
	}
	if result.IsError {
		return "", &ToolError{Tool: tool, Text: text(result)}
	}
	return text(result), nil
}

func text(result *mcp.CallToolResult) string {
	var all string
	for _, content := range result.Content {
		if t, ok := content.(mcp.TextContent); ok {
			all += t.Text
		}
	}
	return all
}

// Answer is what an MCP endpoint said to one raw request.
type Answer struct {
	Status int         `json:"-"`
	Header http.Header `json:"-"`
	Body   []byte      `json:"-"`
	Result struct {
		IsError    bool            `json:"isError"`
		Structured json.RawMessage `json:"structuredContent"`
		Content    []struct {
			Text string `json:"text"`
		} `json:"content"`
	}
	Error *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
}

// Text is the text of a tool's result, or the error's message.
func (a *Answer) Text() string {
	if a.Error != nil {
		return a.Error.Message
	}
	var all string
	for _, content := range a.Result.Content {
		all += content.Text
	}
	return all
}

// CallRaw calls a tool with a single POST, without a handshake, as some clients do. The arguments are any JSON.
func CallRaw(ctx context.Context, address, token, tool string, arguments any) (*Answer, error) {
	body, err := json.Marshal(rpc("tools/call", fields{"name": tool, "arguments": arguments}))
	if err != nil {
		return nil, err
	}
	return Send(ctx, address, token, body)
}

// Send posts raw bytes and reads the answer, whether it is JSON or a stream of one message.
func Send(ctx context.Context, address, token string, body []byte) (*Answer, error) {
	return SendWith(ctx, address, token, body, nil)
}

// SendWith is Send with more headers.
func SendWith(ctx context.Context, address, token string, body []byte, header http.Header) (*Answer, error) {
	resp, err := Post(ctx, address, token, body, header)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	answer := &Answer{Status: resp.StatusCode, Header: resp.Header, Body: data}
	message := data
	for line := range bytes.Lines(data) {
		if event, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			message = event
		}
	}
	// An answer that is no JSON-RPC message, such as an HTTP error, has its body to look at.
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(message, answer); err != nil {
			return nil, fmt.Errorf("reading the answer: %w: %s", err, tail(string(data)))
		}
	}
	return answer, nil
}
