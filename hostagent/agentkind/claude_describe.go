package agentkind

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
)

// described is what a tool's call would do, in words, and which fields of its input these words hold.
type described struct {
	title  string // empty: there are no words for such an input
	detail string
	fields []string
}

// claudeTools says how each tool's call is shown. A tool that is missing here is shown with its input as it came.
var claudeTools = map[string]func(claudeInput) described{
	"Bash":         describeCommand,
	"PowerShell":   describeCommand,
	"Monitor":      describeCommand,
	"Write":        describeWrite,
	"Edit":         describeEdit,
	"MultiEdit":    describeEdits,
	"NotebookEdit": describeNotebook,
	"Read":         describeRead,
	"Glob":         describeSearch,
	"Grep":         describeSearch,
	"WebFetch":     describeFetch,
	"WebSearch":    describeWebSearch,
	"Skill":        describeSkill,
	"Agent":        describeSubagent,
	"Task":         describeSubagent,
}

// describeTool says what would be done, all of it: a field of the input that no words hold follows as it came.
func describeTool(raw claudeHook, input claudeInput) (title, detail string) {
	d := described{}
	if describe, ok := claudeTools[raw.Tool]; ok {
		d = describe(input)
	}
	if d.title == "" {
		return "Use " + oneLine(claudeToolName(raw.Tool)), indented(raw.ToolInput)
	}
	if rest := withoutFields(raw.ToolInput, d.fields); rest != "" {
		d.detail += "\n\nwith " + rest
	}
	return d.title, d.detail
}

// claudeToolName names a tool of an MCP server's as people do.
func claudeToolName(tool string) string {
	server, name := claudeServerTool(tool)
	if server == "" {
		return tool
	}
	return fmt.Sprintf("%s of MCP server %s", name, server)
}

// claudeServerTool takes the name of an MCP server's tool apart; server is empty for any other.
func claudeServerTool(tool string) (server, name string) {
	name, isServers := strings.CutPrefix(tool, "mcp__")
	server, name, isTool := strings.Cut(name, "__")
	if !isServers || !isTool {
		return "", tool
	}
	return server, name
}

func withoutFields(input json.RawMessage, shown []string) string {
	var fields map[string]json.RawMessage
	if json.Unmarshal(input, &fields) != nil {
		return ""
	}
	for _, name := range shown {
		delete(fields, name)
	}
	if len(fields) == 0 {
		return ""
	}
	// Messages that were read just now always marshal.
	rest, _ := json.Marshal(fields)
	return indented(rest)
}

func describeCommand(in claudeInput) described {
	if in.Command == "" {
		return described{}
	}
	d := described{"Run " + oneLine(in.Command), in.Command, []string{"command", "description"}}
	if in.Description != "" {
		d.detail += "\n\n(the agent says: " + in.Description + ")"
	}
	return d
}

func describeWrite(in claudeInput) described {
	return onFile("Write ", in.FilePath, in.Content, "file_path", "content")
}

func describeEdit(in claudeInput) described {
	return onFile("Edit ", in.FilePath, in.change(), "file_path", "old_string", "new_string", "replace_all")
}

func describeEdits(in claudeInput) described {
	var changes []string
	for _, edit := range in.Edits {
		changes = append(changes, edit.change())
	}
	return onFile("Edit ", in.FilePath, strings.Join(changes, "\n\n"), "file_path", "edits")
}

func describeNotebook(in claudeInput) described {
	where := "a cell"
	if in.Cell != "" {
		where = "cell " + in.Cell
	}
	does := map[string]string{
		"insert": "Insert a new cell behind " + where, "delete": "Delete " + where,
	}[in.EditMode]
	if does == "" {
		does = "Replace " + where
	}
	if in.CellType != "" {
		does += " (" + in.CellType + ")"
	}
	change := does
	if in.EditMode != "delete" {
		change += ":\n" + in.NewSource
	}
	return onFile("Edit ", in.Notebook, change, "notebook_path", "cell_id", "cell_type", "edit_mode", "new_source")
}

func describeRead(in claudeInput) described {
	return onFile("Read ", in.FilePath, "", "file_path")
}

func describeSearch(in claudeInput) described {
	if in.Path == "" {
		return described{}
	}
	return described{
		"Search " + oneLine(in.Path) + " for " + oneLine(in.Pattern), in.Path + "\n\n" + in.Pattern, []string{"path", "pattern"},
	}
}

func describeFetch(in claudeInput) described {
	if in.URL == "" {
		return described{}
	}
	return described{"Fetch " + oneLine(in.URL), in.URL + "\n\nand ask of it: " + in.Prompt, []string{"url", "prompt"}}
}

func describeWebSearch(in claudeInput) described {
	if in.Query == "" {
		return described{}
	}
	return described{"Search the web for " + oneLine(in.Query), in.Query, []string{"query"}}
}

func describeSkill(in claudeInput) described {
	if in.Skill == "" {
		return described{}
	}
	return described{
		"Use the skill " + oneLine(in.Skill), strings.TrimSpace(in.Skill + " " + in.Args), []string{"skill", "args"},
	}
}

func describeSubagent(in claudeInput) described {
	if in.Prompt == "" {
		return described{}
	}
	title := "Start a subagent"
	if in.Subagent != "" {
		title += " (" + oneLine(in.Subagent) + ")"
	}
	return described{title + ": " + oneLine(in.Description), in.Prompt, []string{"prompt", "subagent_type", "description"}}
}

// onFile shows what would be done to a file: its name, and then its whole path and the change.
func onFile(does, path, change string, fields ...string) described {
	if path == "" {
		return described{}
	}
	detail := path
	if change != "" {
		detail += "\n\n" + change
	}
	return described{does + oneLine(filepath.Base(path)), detail, fields}
}

func (e claudeEdit) change() string {
	change := prefixLines("- ", e.Old) + "\n" + prefixLines("+ ", e.New)
	if e.All {
		change += "\n(everywhere in the file)"
	}
	return change
}

func prefixLines(prefix, text string) string {
	return prefix + strings.ReplaceAll(text, "\n", "\n"+prefix)
}
