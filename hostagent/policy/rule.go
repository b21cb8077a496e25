package policy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Rule names calls of agents' tools, as Claude Code's permission rules do: a tool, or a tool and in brackets which
// of its calls. Its text is what the owner wrote.
type Rule struct {
	text    string
	tool    string // folded; * is any text
	matches func(*Call) bool
	command commandPattern // of a rule about commands
}

// String is the rule as it was written.
func (r Rule) String() string { return r.text }

// MarshalText is the rule as it was written.
func (r Rule) MarshalText() ([]byte, error) { return []byte(r.text), nil }

// UnmarshalText reads a rule. What would never match is an error, because a misspelt rule would be none.
func (r *Rule) UnmarshalText(written []byte) error {
	parsed, err := ParseRule(string(written))
	*r = parsed
	return err
}

// maxRule is how many bytes a rule may have.
const maxRule = 1000

// patterns says what stands between the brackets, by tool. Other tools have no brackets.
var patterns = map[string]func(pattern string) (func(*Call) bool, error){
	"bash":     matchCommand,
	"read":     matchPath,
	"edit":     matchPath,
	"write":    matchPath,
	"webfetch": matchDomain,
	"agent":    matchSubagent,
	"task":     matchSubagent,
}

// ParseRule reads a rule like Bash(git push *), Edit(~/.ssh/**), WebFetch(domain:example.com), WebSearch or mcp__github.
func ParseRule(written string) (Rule, error) {
	wrong := func(why error) (Rule, error) {
		return Rule{}, fmt.Errorf("the rule %.100q: %w", written, why)
	}
	if len(written) > maxRule {
		return wrong(fmt.Errorf("it is longer than %d bytes", maxRule))
	}
	tool, rest, bracket := strings.Cut(strings.TrimSpace(written), "(")
	rule := Rule{text: written, tool: string(fold(tool)), matches: func(*Call) bool { return true }}
	if tool == "" || strings.ContainsFunc(tool, func(r rune) bool { return !isNameRune(r) }) {
		return wrong(errors.New("want the name of a tool, as in Bash(git push *) or WebFetch"))
	}
	if !bracket {
		return rule, nil
	}
	pattern, closed := strings.CutSuffix(rest, ")")
	if !closed {
		return wrong(errors.New("its last character is not the closing bracket"))
	}
	if pattern == "*" {
		return rule, nil
	}
	parse, known := patterns[rule.tool]
	if !known {
		return wrong(errors.New("only Bash, Read, Edit, Write, WebFetch and Agent take something in brackets; leave them out"))
	}
	var err error
	if rule.tool == "bash" {
		rule.command, _ = parseCommandPattern(pattern) // parse says what is wrong with it
	}
	if rule.matches, err = parse(pattern); err != nil {
		return wrong(err)
	}
	return rule, nil
}

func isNameRune(r rune) bool {
	return r == '_' || r == '-' || r == '*' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// meets reports whether the rule means this call, or might.
func (r Rule) meets(c *Call) bool {
	if len(c.Tools) == 0 {
		return true // not even the tool's name could be read
	}
	named := slices.ContainsFunc(c.Tools, func(tool string) bool {
		name := fold(tool)
		server := strings.HasPrefix(r.tool, "mcp__") && mayMatch(text(r.tool+"__*"), name)
		return server || mayMatch(text(r.tool), name)
	})
	return named && (c.Unread || r.matches(c))
}

func matchCommand(pattern string) (func(*Call) bool, error) {
	p, err := parseCommandPattern(pattern)
	return func(c *Call) bool {
		return c.script().dark != "" || slices.ContainsFunc(c.script().calls, p.meets)
	}, err
}

func matchSubagent(pattern string) (func(*Call) bool, error) {
	if pattern == "" {
		return nil, errors.New("no kind of subagent stands between the brackets")
	}
	wanted := fold(pattern)
	return func(c *Call) bool { return mayMatch(wanted, fold(c.Subagent)) }, nil
}

// inHome puts the home in the place of a leading ~.
func inHome(path string) string {
	home, err := os.UserHomeDir()
	if err != nil {
		return path
	}
	return filepath.Join(home, path[1:])
}
