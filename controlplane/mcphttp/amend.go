package mcphttp

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
)

// amend makes of mcp-go's answer what the protocol asks for, where mcp-go v1.2.1 falls short. It gets a whole body,
// or the data of a stream's last event, whose status has been sent already.
func (v *visit) amend(status int, header http.Header, body []byte) (int, []byte) {
	m := v.message
	if problem := v.problem(body); problem != nil {
		header.Set("Content-Type", "application/json")
		return problem.status, problem.body()
	}
	if strings.HasPrefix(header.Get("Content-Type"), "text/plain") { // mcp-go's errors of the transport
		header.Set("Content-Type", "application/json")
		problem := refusal{status: status, code: mcp.INVALID_REQUEST, id: m.id, message: strings.TrimSpace(string(body))}
		return status, problem.body()
	}
	switch mcp.MCPMethod(m.method) {
	case mcp.MethodToolsList:
		body = liftSecuritySchemes(body)
	case mcp.MethodInitialize, mcp.MethodServerDiscover:
		body = withCapabilities(body, v.capabilities)
	}
	return status, body
}

// problem is the error to answer with in place of what mcp-go says.
func (v *visit) problem(body []byte) *refusal {
	m := v.message
	if needed := v.missing.Load(); needed != nil {
		return m.lacks(*needed)
	}
	if v.noResource.Load() || m.method == string(mcp.MethodResourcesRead) && isNoResource(body) {
		return m.noResource()
	}
	if failure := v.failure.Load(); failure != nil {
		return m.failed(*failure)
	}
	if m.modern() && bytes.Contains(body, []byte(`"inputRequests"`)) {
		return m.unasked(body)
	}
	return nil
}

// lacks is the answer to a client that did not declare what its request needs. An older protocol has no code of its
// own for it, and no meaning of HTTP's status.
func (m message) lacks(needed mcp.ClientCapabilities) *refusal {
	problem := &refusal{
		status: http.StatusOK, code: mcp.MISSING_REQUIRED_CLIENT_CAPABILITY, id: m.id,
		message: "this needs a capability that the client did not declare",
		data:    map[string]any{"requiredCapabilities": needed},
	}
	if m.modern() {
		problem.status = http.StatusBadRequest
	}
	return problem
}

// failed completes what a handler said. Before 2026-07-28 the status of every error was 200.
func (m message) failed(problem refusal) *refusal {
	problem.id, problem.status = m.id, http.StatusOK
	if m.modern() && problem.code != mcp.INTERNAL_ERROR {
		problem.status = http.StatusBadRequest
	}
	return &problem
}

func (m message) noResource() *refusal {
	problem := &refusal{
		status: http.StatusOK, code: mcp.RESOURCE_NOT_FOUND, id: m.id, message: "resource not found",
		data: map[string]any{"uri": m.uri},
	}
	if m.modern() {
		problem.status, problem.code = http.StatusBadRequest, mcp.INVALID_PARAMS
	}
	return problem
}

// isNoResource recognizes mcp-go's own error for a URI that no resource and no template has.
func isNoResource(body []byte) bool {
	var answer struct {
		Error *struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	return bytes.Contains(body, []byte(`"error"`)) && json.Unmarshal(body, &answer) == nil &&
		answer.Error != nil && strings.HasPrefix(answer.Error.Message, "handler not found for resource URI")
}

// unasked finds what an answer asks of a client that did not declare that it can be asked: a server must not
// (2026-07-28, basic/patterns/mrtr), whatever a handler thought.
func (m message) unasked(body []byte) *refusal {
	var answer struct {
		Result struct {
			ResultType    string `json:"resultType"`
			InputRequests map[string]struct {
				Method mcp.MCPMethod `json:"method"`
			} `json:"inputRequests"`
		} `json:"result"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Result.ResultType != string(mcp.ResultTypeInputRequired) {
		return nil
	}
	var needed mcp.ClientCapabilities
	found := false
	for _, request := range answer.Result.InputRequests {
		switch {
		case request.Method == mcp.MethodElicitationCreate && !m.declares("elicitation"):
			needed.Elicitation, found = &mcp.ElicitationCapability{}, true
		case request.Method == mcp.MethodSamplingCreateMessage && !m.declares("sampling"):
			needed.Sampling, found = &mcp.SamplingCapability{}, true
		case request.Method == mcp.MethodListRoots && !m.declares("roots"):
			needed.Roots, found = &struct {
				ListChanged bool `json:"listChanged,omitempty"`
			}{}, true
		}
	}
	if !found {
		return nil
	}
	return m.lacks(needed)
}

// withCapabilities adds to the server's capabilities, and takes out those that only a client can have: mcp-go lists
// them as soon as the server makes use of them.
func withCapabilities(body []byte, more map[string]any) []byte {
	var answer, result map[string]json.RawMessage
	var capabilities map[string]any
	if json.Unmarshal(body, &answer) != nil || json.Unmarshal(answer["result"], &result) != nil ||
		json.Unmarshal(result["capabilities"], &capabilities) != nil {
		return body
	}
	for _, name := range []string{"sampling", "elicitation", "roots"} {
		delete(capabilities, name)
	}
	maps.Copy(capabilities, more)
	// What was JSON always marshals, and capabilities are plain data.
	result["capabilities"], _ = json.Marshal(capabilities)
	answer["result"], _ = json.Marshal(result)
	amended, _ := json.Marshal(answer)
	return append(amended, '\n')
}
