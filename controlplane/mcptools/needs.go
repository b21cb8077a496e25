package mcptools

import (
	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/auth"
)

// Needs says which scope a method needs for the tool, the prompt or the resource that it names; empty: none.
func Needs() func(method, target string) auth.Scope {
	tools, starters := map[string]auth.Scope{}, map[string]auth.Scope{}
	for _, tool := range Tools() {
		tools[tool.Name] = tool.Scope
	}
	for _, starter := range Starters() {
		starters[starter.Name] = starter.Scope
	}
	return func(method, target string) auth.Scope {
		switch mcp.MCPMethod(method) {
		case mcp.MethodToolsCall:
			return tools[target]
		case mcp.MethodPromptsGet:
			return starters[target]
		case mcp.MethodResourcesRead, mcp.MethodResourcesSubscribe, mcp.MethodSubscriptionsListen:
			kind, _, _ := kindOf(target) // what is no resource has no scope, and is not found
			return kind.Scope
		}
		return ""
	}
}
