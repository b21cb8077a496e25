package model

import (
	"encoding/json"
	"strings"
)

// fields is the input of a tool.
type fields map[string]any

// calls are the steps that use a tool: from the rest of the step to the tool's name and input.
var calls = map[string]func(req request, rest string) (tool string, input any){
	"bash": func(_ request, rest string) (string, any) {
		word, _, _ := strings.Cut(rest, " ")
		return "Bash", fields{"command": rest, "description": "Run " + word}
	},
	"write": func(_ request, rest string) (string, any) { // write PATH TEXT
		path, text, _ := strings.Cut(rest, " ")
		return "Write", fields{"file_path": path, "content": text + "\n"}
	},
	"edit": func(_ request, rest string) (string, any) { // edit PATH OLD => NEW
		path, change, _ := strings.Cut(rest, " ")
		before, after, _ := strings.Cut(change, "=>")
		return "Edit", fields{
			"file_path": path, "old_string": strings.TrimSpace(before), "new_string": strings.TrimSpace(after),
		}
	},
	"read": func(_ request, rest string) (string, any) { return "Read", fields{"file_path": rest} },
	"ask":  func(request, string) (string, any) { return "AskUserQuestion", fields{"questions": []any{database}} },
	"ask2": func(request, string) (string, any) {
		return "AskUserQuestion", fields{"questions": []any{database, features}}
	},
	"plan": func(_ request, rest string) (string, any) { return "ExitPlanMode", fields{"plan": rest} },
	"planwrite": func(req request, rest string) (string, any) {
		return "Write", fields{"file_path": req.planFile(), "content": "# Plan\n\n" + rest + "\n"}
	},
	"exitplan": func(request, string) (string, any) { return "ExitPlanMode", fields{} },
	"task": func(req request, rest string) (string, any) { // in the subagent's script, ",," stands for ";;"
		return req.tool("Agent", "Task"), fields{
			"description": "Scripted work", "subagent_type": "general-purpose",
			"prompt": strings.ReplaceAll(rest, ",,", ";;"),
		}
	},
	"tool": func(_ request, rest string) (string, any) { // tool NAME {json}
		name, input, _ := strings.Cut(rest, " ")
		if !json.Valid([]byte(input)) {
			input = "{}"
		}
		return name, json.RawMessage(input)
	},
}

// database and features are the questions that the model asks.
var (
	database = fields{
		"question": "Which database should we use?", "header": "Database", "multiSelect": false,
		"options": []any{
			fields{"label": "PostgreSQL", "description": "A server; good for many writers"},
			fields{"label": "SQLite", "description": "A file; nothing to run"},
		},
	}
	features = fields{
		"question": "Which features do you want?", "header": "Features", "multiSelect": true,
		"options": []any{
			fields{"label": "Login", "description": "Accounts and passwords"},
			fields{"label": "Search", "description": "Full-text search"},
			fields{"label": "Export", "description": "CSV files"},
		},
	}
)
