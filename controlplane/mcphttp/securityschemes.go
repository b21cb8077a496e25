package mcphttp

import "encoding/json"

// liftSecuritySchemes copies each listed tool's _meta.securitySchemes to the tool itself, where ChatGPT also looks
// for them: mcp-go's Tool has no such field. What is not a tools/list result stays as it is.
func liftSecuritySchemes(body []byte) []byte {
	var answer, result map[string]json.RawMessage
	var tools []map[string]json.RawMessage
	if json.Unmarshal(body, &answer) != nil || json.Unmarshal(answer["result"], &result) != nil ||
		json.Unmarshal(result["tools"], &tools) != nil {
		return body
	}
	for _, tool := range tools {
		var meta struct {
			SecuritySchemes json.RawMessage `json:"securitySchemes"`
		}
		if json.Unmarshal(tool["_meta"], &meta) == nil && meta.SecuritySchemes != nil {
			tool["securitySchemes"] = meta.SecuritySchemes
		}
	}
	// Raw messages that were valid JSON always marshal.
	result["tools"], _ = json.Marshal(tools)
	answer["result"], _ = json.Marshal(result)
	lifted, _ := json.Marshal(answer)
	return append(lifted, '\n')
}
