package mcptools

import (
	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/auth"
)

// Needs is the scope that a method needs for the tool, the prompt or the resource that it names; empty: none.
func Needs(method, target string) auth.Scope {
	switch mcp.MCPMethod(method) {
	case mcp.MethodToolsCall:
		for _, tool := range Tools() {
			if tool.Name == target {
				return tool.Scope
			}
		}
	case mcp.MethodPromptsGet:
		for _, starter := range Starters() {
			if starter.Name == target {
				return starter.Scope
			}
		}
	case mcp.MethodResourcesRead, mcp.MethodResourcesSubscribe, mcp.MethodSubscriptionsListen:
		kind, _, _ := kindOf(target) // what is no resource has no scope, and is not found
		return kind.Scope
	}
	return ""
}
