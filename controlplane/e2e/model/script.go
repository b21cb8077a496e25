package model

import (
	"crypto/rand"
	"encoding/json"
	"iter"
	"strconv"
	"strings"
	"time"
)

// turn is what the model says once.
type turn struct {
	blocks []block
	status int           // instead of an answer: an HTTP error
	pace   time.Duration // between the lines of a text; 0: at once
	wait   time.Duration // before the first word
	tokens int           // of the context so far; 0: a plausible count
}

// toolUse is a block that calls a tool, and why a turn with one ends.
const toolUse = "tool_use"

func (t turn) stopReason() string {
	for _, b := range t.blocks {
		if b.Type == toolUse {
			return toolUse
		}
	}
	return "end_turn"
}

// written is a plausible count of the turn's own tokens.
func (t turn) written() int {
	count := 0
	for _, b := range t.blocks {
		count += tokens(b.Text + string(b.Input))
	}
	return count
}

// marker begins each step of a script.
const marker = "fake:"

// steps takes the script out of a prompt. Words before the first marker belong to the person who reads along.
func steps(prompt string) []string {
	_, script, found := strings.Cut(prompt, marker)
	if !found {
		return nil
	}
	var list []string
	for part := range strings.SplitSeq(script, ";;") {
		part = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(part), marker))
		if part != "" {
			list = append(list, part)
		}
	}
	return list
}

// turn answers one request: with the script's next step, or as a helpful agent would.
func (s *Server) turn(req request, prompt string, step int) turn {
	if len(req.Tools) == 0 {
		return say("ok")
	}
	script := steps(prompt)
	if script == nil {
		return s.converse(req, prompt, step)
	}
	for next := range turns(req, script) {
		if step == 0 {
			return next
		}
		step--
	}
	return say("done")
}

// turns divides a script into turns. One ends with a tool's call, whose result the next turn sees, or with an
// error; text before that is said in the same breath.
func turns(req request, script []string) iter.Seq[turn] {
	return func(yield func(turn) bool) {
		var now turn
		for _, step := range script {
			next := play(req, step)
			now.blocks = append(now.blocks, next.blocks...)
			now.status, now.pace = next.status, max(now.pace, next.pace)
			now.wait, now.tokens = max(now.wait, next.wait), max(now.tokens, next.tokens)
			ends := next.status != 0 || next.stopReason() == toolUse
			if !ends {
				continue
			}
			if !yield(now) {
				return
			}
			now = turn{}
		}
		if len(now.blocks) > 0 || now.wait > 0 {
			yield(now)
		}
	}
}

// play carries out one step.
func play(req request, step string) turn {
	word, rest, _ := strings.Cut(step, " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "text":
		return say(rest)
	case "slow":
		return slow(rest)
	case "wait": // SECONDS before the next word
		seconds, _ := strconv.Atoi(rest)
		return turn{wait: time.Duration(min(max(seconds, 0), 600)) * time.Second}
	case "full": // the context has TOKENS by now
		count, _ := strconv.Atoi(rest)
		return turn{tokens: count}
	case "error":
		status, err := strconv.Atoi(rest)
		if err != nil || status < 400 || status > 599 {
			return say("error: want a status from 400 to 599, not " + rest)
		}
		return turn{status: status}
	case "multi":
		var all turn
		for part := range strings.SplitSeq(rest, "&&") {
			all.blocks = append(all.blocks, play(req, strings.TrimSpace(part)).blocks...)
		}
		return all
	}
	call, known := calls[word]
	if !known {
		return say("echo: " + step)
	}
	name, input := call(req, rest)
	return use(name, input)
}

func say(text string) turn {
	if text == "" {
		text = "(nothing)"
	}
	return turn{blocks: []block{{Type: "text", Text: text}}}
}

// slowPace is the time between two lines of a slow answer.
const slowPace = 200 * time.Millisecond

// slow is a text that takes the given number of seconds to arrive.
func slow(seconds string) turn {
	n, err := strconv.Atoi(seconds)
	if err != nil || n < 1 || n > 600 {
		return say("slow: want 1 to 600 seconds, not " + seconds)
	}
	var text strings.Builder
	for line := range n * int(time.Second/slowPace) {
		text.WriteString("line " + strconv.Itoa(line+1) + " of a slow answer\n")
	}
	return turn{blocks: say(text.String()).blocks, pace: slowPace}
}

func use(tool string, input any) turn {
	// The inputs are maps of strings, or JSON that was checked: they always marshal.
	data, _ := json.Marshal(input)
	return turn{blocks: []block{{Type: toolUse, ID: "toolu_" + rand.Text(), Name: tool, Input: data}}}
}
