package session

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// secretShapes are tokens that can be told by their form alone. What they match never leaves the host. Like all that
// takes time or memory, they wait until they are needed: every hook and every holder is a process of this program.
var secretShapes = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?s)` +
		`\bsk-ant-[A-Za-z0-9_-]{8,}` + // Anthropic
		`|\bsk-(?:proj-)?[A-Za-z0-9_-]{32,}` + // OpenAI
		`|\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{30,}` + // GitHub
		`|\bgithub_pat_[A-Za-z0-9_]{30,}` +
		`|\bglpat-[A-Za-z0-9_-]{20,}` + // GitLab
		`|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b` + // AWS key ids
		`|\bxox[abprs]-[A-Za-z0-9-]{10,}` + // Slack
		`|\bAIza[A-Za-z0-9_-]{35}` + // Google
		`|\bsb_[a-z]+_[A-Za-z0-9_.-]{20,}` + // our own
		`|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)` +
		`|(?:[A-Za-z0-9+/=]{16,}\s+)*[A-Za-z0-9+/=]+\s+-----END [A-Z ]*PRIVATE KEY-----`) // whose beginning has left the screen
})

// secretMarks are what secrets of these shapes, and their beginnings, have in them.
var secretMarks = []string{"sk-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "AKIA", "ASIA", "xox", "AIza",
	"sb_", "PRIVATE KEY-----"}

// mayHaveSecrets reports whether a text is worth a closer look, which takes milliseconds for a screen.
func mayHaveSecrets(text string) bool {
	return slices.ContainsFunc(secretMarks, func(mark string) bool { return strings.Contains(text, mark) })
}

func maskSecrets(text string) string {
	if !mayHaveSecrets(text) {
		return text
	}
	return secretShapes().ReplaceAllString(text, "[secret removed]")
}
