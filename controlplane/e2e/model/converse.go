package model

import (
	"fmt"
	"regexp"
	"strings"
)

// requests are the sentences that are understood without a script, first match first. $tests stands for the
// command that runs the tests, $1 for what the expression caught.
var requests = []struct {
	said *regexp.Regexp
	step string
}{
	{regexp.MustCompile("(?i)\\brun\\b.*`([^`]+)`"), "bash $1"},
	{regexp.MustCompile(`(?i)\b(?:run|execute)\b.*\btests?\b`), "bash $tests"},
	{regexp.MustCompile(`(?i)\b(?:list|show|which)\b.*\bfiles\b`), "bash ls -la"},
	{regexp.MustCompile(`(?i)\bwhat\b.*\bchanged\b|\bgit status\b`), "bash git status --short"},
	{regexp.MustCompile(`(?i)\b(?:write|create|add)\b.*\b(?:note|notes|file|readme)\b`), "write NOTES.md Notes, written by the demonstration."},
	{regexp.MustCompile(`(?i)\b(?:database|ask me|question|choose)\b`), "ask"},
	{regexp.MustCompile(`(?i)\b(?:slowly|take your time|long)\b`), "slow 20"},
}

// converse answers a prompt that holds no script: it begins what it understands, then says how that went.
func (s *Server) converse(req request, prompt string, step int) turn {
	if step > 0 {
		return conclude(req)
	}
	tests := s.TestCommand
	if tests == "" {
		tests = "./run-tests.sh"
	}
	for _, request := range requests {
		match := request.said.FindStringSubmatchIndex(prompt)
		if match == nil {
			continue
		}
		step := string(request.said.ExpandString(nil, strings.ReplaceAll(request.step, "$tests", tests), prompt, match))
		return play(req, step)
	}
	return say(fmt.Sprintf("You said: %s\n\nI am a scripted model. Ask me to run the tests, to list the files, "+
		"to write a note, or to ask you a question.", shorten(prompt, 200)))
}

// conclude tells how the last tool went.
func conclude(req request) turn {
	result, failed, ok := req.result()
	if !ok {
		return say("Done.")
	}
	if failed {
		return say("That did not work: " + shorten(result, 400))
	}
	if result == "" {
		return say("Done.")
	}
	return say("Done. It said:\n\n" + shorten(result, 400))
}

// shorten keeps the first n runes.
func shorten(text string, n int) string {
	text = strings.TrimSpace(text)
	for i := range text {
		if n == 0 {
			return text[:i] + "…"
		}
		n--
	}
	return text
}
