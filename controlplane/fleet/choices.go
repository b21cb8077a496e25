package fleet

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"switchboard/hostagent/protocol"
)

// readChoices reads the answer to a prompt with questions: a line for each, in their order. To a single question
// the whole response is the answer.
func readChoices(p protocol.Prompt, response string) (protocol.Answer, error) {
	if id, err := namedOption(p, response); err != nil || id != "" {
		return protocol.Answer{Option: id}, err
	}
	lines := []string{quotedWords(p, response)}
	if len(p.Questions) > 1 {
		lines = nonEmptyLines(response)
	}
	if len(lines) != len(p.Questions) {
		return protocol.Answer{}, refuse(ErrInvalid, "response: %d lines for %d questions; give one line for each, in this order: %s",
			len(lines), len(p.Questions), questionList(p))
	}
	var choices [][]string
	for i, q := range p.Questions {
		labels, err := readChoice(q, lines[i], p.AllowsText && (p.Kind != protocol.PromptElicitation || len(q.Options) == 0))
		if err != nil {
			return protocol.Answer{}, err
		}
		choices = append(choices, labels)
	}
	return protocol.Answer{Choices: choices}, nil
}

// namedOption finds the option of the prompt as a whole that is meant by its id or its label. Numbers and words
// like "no" belong to the questions.
func namedOption(p protocol.Prompt, response string) (string, error) {
	if number(response) > 0 {
		return "", nil
	}
	for _, o := range p.Options {
		if !sameWords(o.ID, response) && !sameWords(o.Label, response) {
			continue
		}
		for _, q := range p.Questions {
			if label, err := readLabel(q, response); err != nil || label != "" {
				return "", refuse(ErrInvalid, "response %.80q could mean the option %q or an answer to %s", response, o.ID, optionsOf(q))
			}
		}
		if asksForWords(p) && response != o.ID {
			return "", refuse(ErrInvalid, "response %.80q could mean the option or the words: say %s for the option, or put the words in quotes, as in %q",
				response, o.ID, response)
		}
		return o.ID, nil
	}
	return "", nil
}

// asksForWords reports whether a response of one line may be any words, so that an option's label could be these.
func asksForWords(p protocol.Prompt) bool {
	return p.AllowsText && len(p.Questions) == 1 && len(p.Questions[0].Options) == 0
}

// quotedWords takes off the quotes that keep words from being taken for an option.
func quotedWords(p protocol.Prompt, response string) string {
	inner, ends := strings.CutSuffix(response, `"`)
	inner, begins := strings.CutPrefix(inner, `"`)
	isOption := slices.ContainsFunc(p.Options, func(o protocol.Option) bool {
		return sameWords(o.ID, inner) || sameWords(o.Label, inner)
	})
	if begins && ends && isOption && asksForWords(p) {
		return inner
	}
	return response
}

func nonEmptyLines(s string) []string {
	var lines []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// LeavesOut is said in place of an answer to a question that may be left without one.
const LeavesOut = "-"

// readChoice reads the answer to one question: a label or a number, several of them with commas or line ends
// between where that is possible, or words of one's own where they are.
func readChoice(q protocol.Question, said string, allowsText bool) ([]string, error) {
	switch {
	case q.Optional && said == LeavesOut:
		return []string{}, nil
	case len(q.Options) == 0 && allowsText:
		return []string{said}, nil
	}
	label, err := readLabel(q, said)
	if err != nil {
		return nil, err
	}
	if label != "" {
		return []string{label}, nil
	}
	labels, rest, err := readLabels(q, said)
	if err != nil {
		return nil, err
	}
	switch {
	case len(labels) > 0 && len(rest) == 0 && q.MultiSelect:
		return labels, nil
	case len(labels) > 0 && len(rest) == 0:
		return nil, refuse(ErrInvalid, "response %.80q: %q takes one answer", said, q.Text)
	case len(labels) > 0:
		return nil, refuse(ErrInvalid, "response %.80q: %.80q is no option of %s", said, rest[0], optionsOf(q))
	case !allowsText:
		return nil, refuse(ErrInvalid, "response %.80q: this question takes %s", said, optionsOf(q))
	case number(said) > 0:
		return nil, refuse(ErrInvalid, "response %.80q: there is no such number among %s", said, optionsOf(q))
	}
	return []string{said}, nil
}

// readLabels splits what was said at commas and line ends into labels and what is none. A label that holds commas
// itself is found before its parts are.
func readLabels(q protocol.Question, said string) (labels, rest []string, err error) {
	parts := strings.FieldsFunc(said, func(r rune) bool { return r == ',' || r == '\n' })
	for len(parts) > 0 {
		label, length, err := longestLabel(q, parts)
		if err != nil {
			return nil, nil, err
		}
		part := strings.TrimSpace(parts[0])
		switch {
		case label == "" && part != "":
			rest = append(rest, part)
		case label != "" && !slices.Contains(labels, label):
			labels = append(labels, label)
		}
		parts = parts[length:]
	}
	return labels, rest, nil
}

// maxCommas is how many commas in one label are understood.
const maxCommas = 20

// longestLabel finds the label that as many of the first parts as possible make up, and how many these are.
func longestLabel(q protocol.Question, parts []string) (label string, length int, err error) {
	for length = min(len(parts), maxCommas+1); length > 0; length-- {
		label, err = readLabel(q, strings.Join(parts[:length], ","))
		if label != "" || err != nil {
			return label, length, err
		}
	}
	return "", 1, nil
}

// readLabel finds the one option that is meant, or "".
func readLabel(q protocol.Question, said string) (string, error) {
	var found []string
	for i, o := range q.Options {
		if means(said, i+1, o) {
			found = append(found, o.Label)
		}
	}
	if len(found) > 1 {
		return "", refuse(ErrInvalid, "response %.80q could mean more than one of %s", said, optionsOf(q))
	}
	if len(found) == 0 {
		return "", nil
	}
	return found[0], nil
}

// means reports whether what was said is an option's label or its number in the list, or, as lists show it, both.
func means(said string, n int, o protocol.QuestionOption) bool {
	return number(said) == n || sameWords(o.Label, said) || sameWords(fmt.Sprintf("%d. %s", n, o.Label), said)
}

func optionsOf(q protocol.Question) string {
	var words []string
	for i, o := range q.Options {
		words = append(words, strconv.Itoa(i+1)+" "+strconv.Quote(o.Label))
	}
	if len(words) == 0 {
		words = append(words, "your own words")
	}
	if q.Wants != "" {
		words = append(words, "("+q.Wants+")")
	}
	if q.Optional {
		words = append(words, "or "+LeavesOut+" to leave it out")
	}
	return fmt.Sprintf("%q: %s", q.Text, strings.Join(words, ", "))
}

func questionList(p protocol.Prompt) string {
	var words []string
	for _, q := range p.Questions {
		words = append(words, optionsOf(q))
	}
	return strings.Join(words, "; ")
}
