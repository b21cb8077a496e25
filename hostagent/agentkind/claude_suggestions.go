package agentkind

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
)

// claudeSuggestion is one change of permissions that the CLI offers with a question. Given back as it came, it
// takes effect.
type claudeSuggestion struct {
	Type        string   `json:"type"`
	Mode        string   `json:"mode"`
	Behavior    string   `json:"behavior"`
	Destination string   `json:"destination"`
	Directories []string `json:"directories"`
	Rules       []struct {
		Tool    string `json:"toolName"`
		Content string `json:"ruleContent"`
	} `json:"rules"`
	raw json.RawMessage
}

type claudeSuggestions []claudeSuggestion

// readSuggestions leaves out what it does not understand: nobody could be told what it would change.
func readSuggestions(text json.RawMessage) claudeSuggestions {
	var raws []json.RawMessage
	if json.Unmarshal(text, &raws) != nil {
		return nil
	}
	var all claudeSuggestions
	for _, raw := range raws {
		var s claudeSuggestion
		if json.Unmarshal(raw, &s) != nil {
			continue
		}
		s.raw = raw
		all = append(all, s)
	}
	return all
}

// rules are the suggestions that allow something from now on without a change of mode.
func (all claudeSuggestions) rules() claudeSuggestions {
	var rules claudeSuggestions
	for _, s := range all {
		addsRules := s.Type == "addRules" && s.Behavior == "allow" && len(s.Rules) > 0
		addsDirectories := s.Type == "addDirectories" && len(s.Directories) > 0
		if (addsRules || addsDirectories) && claudeDestinations[s.Destination] != "" {
			rules = append(rules, s)
		}
	}
	return rules
}

// acceptEdits is the only change of mode that is passed on: auto mode and worse are the owner's to choose.
func (all claudeSuggestions) acceptEdits() claudeSuggestions {
	for _, s := range all {
		if s.Type == "setMode" && s.Mode == "acceptEdits" && s.Destination == "session" {
			return claudeSuggestions{s}
		}
	}
	return nil
}

// claudeDestinations is where a rule is kept, in words.
var claudeDestinations = map[string]string{
	"session":         "for the rest of this session",
	"localSettings":   "in this project on this machine (.claude/settings.local.json)",
	"projectSettings": "in this project for everyone (.claude/settings.json)",
	"userSettings":    "in every project of this user (~/.claude/settings.json)",
}

// label is true to what follows: a directory that is added ends no questions about the same command. With
// `touch a.txt` the CLI suggests only the working directory, and asks at the next touch again.
func (all claudeSuggestions) label() string {
	var directories []string
	for _, s := range all {
		if s.Type == "addRules" {
			return "Yes, and do not ask again"
		}
		directories = append(directories, s.Directories...)
	}
	// The name is enough beside the effect, which has the whole path.
	label := "Yes, and allow access to " + oneLine(filepath.Base(directories[0]))
	if more := len(directories) - 1; more > 0 {
		label += fmt.Sprintf(" and %d more", more)
	}
	return label
}

func (all claudeSuggestions) effect() string {
	var parts []string
	for _, s := range all {
		parts = append(parts, s.effect())
	}
	return strings.Join(parts, "; ")
}

func (s claudeSuggestion) effect() string {
	where := claudeDestinations[s.Destination]
	if s.Type == "addDirectories" {
		return "allows access to " + strings.Join(s.Directories, ", ") + " without asking, " + where
	}
	var rules []string
	for _, r := range s.Rules {
		rule := r.Tool
		if r.Content != "" {
			rule += "(" + r.Content + ")"
		}
		rules = append(rules, rule)
	}
	return "allows " + strings.Join(rules, ", ") + " without asking, " + where
}

func (all claudeSuggestions) rawUpdates() []json.RawMessage {
	var raws []json.RawMessage
	for _, s := range all {
		raws = append(raws, s.raw)
	}
	return raws
}
