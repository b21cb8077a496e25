package mcphttp

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/mark3labs/mcp-go/mcp"
)

// message is what must be known of a JSON-RPC message before mcp-go may read it.
type message struct {
	method   string                     // empty for a response
	id       json.RawMessage            // nil for a notification
	targets  []string                   // what it names: a tool, a prompt, a resource's URI, or those to listen to
	uri      string                     // that of a resource
	version  string                     // the protocol version in _meta, which clients send since 2026-07-28
	declared map[string]json.RawMessage // the client's capabilities, from the same place
	params   json.RawMessage            // an object
}

// modern reports whether a message says that it follows 2026-07-28 or later.
func (m message) modern() bool { return mcp.IsModernProtocol(m.version) }

// declares reports whether the client has a capability, by what this very message says.
func (m message) declares(capability string) bool {
	value, ok := m.declared[capability]
	return ok && string(value) != "null"
}

// maxID is the largest whole number that mcp-go, which reads ids as floats, gives back unchanged.
const maxID = 1<<53 - 1

// parse checks the envelope. It is stricter than mcp-go, whose decoder takes the last of repeated keys and any
// case of a key, so that what is judged here is what is carried out there.
func parse(body []byte) (message, *refusal) {
	if !json.Valid(body) {
		return message{}, malformed(mcp.PARSE_ERROR, nil, "the body is not one JSON value")
	}
	if bytes.TrimLeft(body, " \t\r\n")[0] != '{' {
		return message{}, malformed(mcp.INVALID_REQUEST, nil, "the body must be one JSON-RPC object; batches are not served")
	}
	if err := walk(body); err != nil {
		return message{}, malformed(mcp.INVALID_REQUEST, nil, err.Error())
	}
	var envelope struct {
		JSONRPC json.RawMessage `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Method  json.RawMessage `json:"method"`
		Params  json.RawMessage `json:"params"`
		Result  json.RawMessage `json:"result"`
		Error   json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return message{}, malformed(mcp.PARSE_ERROR, nil, "the body is not a JSON-RPC message")
	}
	if envelope.ID != nil && !isID(envelope.ID) {
		return message{}, malformed(mcp.INVALID_REQUEST, nil, "id must be a string or a whole number")
	}
	m := message{id: envelope.ID}
	if string(envelope.JSONRPC) != `"2.0"` {
		return m, malformed(mcp.INVALID_REQUEST, m.id, `jsonrpc must be "2.0"`)
	}
	if envelope.Method == nil {
		if m.id == nil || (envelope.Result == nil) == (envelope.Error == nil) {
			return m, malformed(mcp.INVALID_REQUEST, m.id, "method is missing")
		}
		return m, nil
	}
	if json.Unmarshal(envelope.Method, &m.method) != nil || m.method == "" {
		return m, malformed(mcp.INVALID_REQUEST, m.id, "method must be a string")
	}
	if envelope.Result != nil || envelope.Error != nil {
		return m, malformed(mcp.INVALID_REQUEST, m.id, "a message is a request or a response, not both")
	}
	return m.readParams(envelope.Params)
}

// readParams reads what decides over a request: what it names, and the protocol's version.
func (m message) readParams(text json.RawMessage) (message, *refusal) {
	if text == nil {
		text = json.RawMessage("{}")
	}
	var params struct {
		Name          json.RawMessage            `json:"name"`
		URI           json.RawMessage            `json:"uri"`
		Notifications json.RawMessage            `json:"notifications"`
		Meta          map[string]json.RawMessage `json:"_meta"`
	}
	if text[0] != '{' {
		return m, malformed(mcp.INVALID_PARAMS, m.id, "params must be an object")
	}
	if err := json.Unmarshal(text, &params); err != nil {
		return m, malformed(mcp.INVALID_PARAMS, m.id, "params._meta must be an object")
	}
	m.params = text
	// Mcp-go says better than we could what is wrong with these.
	_ = json.Unmarshal(params.Meta[mcp.MetaKeyProtocolVersion], &m.version)
	_ = json.Unmarshal(params.Meta[mcp.MetaKeyClientCapabilities], &m.declared)
	_ = json.Unmarshal(params.URI, &m.uri)
	switch mcp.MCPMethod(m.method) {
	case mcp.MethodToolsCall:
		return m.naming(params.Name, "params.name must be the name of a tool")
	case mcp.MethodPromptsGet:
		return m.naming(params.Name, "params.name must be the name of a prompt")
	case mcp.MethodResourcesRead:
		return m.naming(params.URI, "params.uri must be the URI of a resource")
	case mcp.MethodResourcesSubscribe, mcp.MethodResourcesUnsubscribe:
		if m.modern() { // which has no such method, whatever it names
			return m, nil
		}
		return m.naming(params.URI, "params.uri must be the URI of a resource")
	case mcp.MethodSubscriptionsListen:
		return m.listening(params.Notifications)
	}
	return m, nil
}

// naming takes the one thing that a message names.
func (m message) naming(text json.RawMessage, want string) (message, *refusal) {
	var target string
	if json.Unmarshal(text, &target) != nil || target == "" {
		return m, malformed(mcp.INVALID_PARAMS, m.id, want)
	}
	m.targets = []string{target}
	return m, nil
}

// maxTargets is how many things one message may name: each is looked at before anything is done.
const maxTargets = 1000

// listening takes the URIs of which subscriptions/listen wants news.
func (m message) listening(text json.RawMessage) (message, *refusal) {
	var filter mcp.SubscriptionFilter
	if text != nil && json.Unmarshal(text, &filter) != nil {
		return m, malformed(mcp.INVALID_PARAMS, m.id, "params.notifications must say what to listen to")
	}
	if len(filter.ResourceSubscriptions) > maxTargets {
		return m, malformed(mcp.INVALID_PARAMS, m.id, "params.notifications.resourceSubscriptions has too many members")
	}
	m.targets = filter.ResourceSubscriptions
	return m, nil
}

func malformed(code int, id json.RawMessage, message string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: code, id: id, message: message}
}

// isID admits what JSON-RPC and MCP allow, if it comes back as it went in.
func isID(text json.RawMessage) bool {
	if text[0] == '"' {
		return len(text) <= 1024
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	return err == nil && n >= -maxID && n <= maxID
}
