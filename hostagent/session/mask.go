package session

import (
	"regexp"
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

func maskSecrets(text string) string {
	return secretShapes().ReplaceAllString(text, "[secret removed]")
}
