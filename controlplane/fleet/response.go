package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"switchboard/hostagent/protocol"
)

// maxResponse is how many bytes a person's answer to a prompt may have.
const maxResponse = 10 << 10

// optionAlways is the option that allows the same thing from now on.
const optionAlways = "allow_always"

// meanings are the words with which people answer, and the option that each means. They apply only where the
// prompt has that option.
var meanings = map[string]string{
	"yes": protocol.OptionAllow, "y": protocol.OptionAllow, "yep": protocol.OptionAllow, "yeah": protocol.OptionAllow,
	"ok": protocol.OptionAllow, "okay": protocol.OptionAllow, "sure": protocol.OptionAllow, "allow": protocol.OptionAllow,
	"approve": protocol.OptionAllow, "approved": protocol.OptionAllow, "accept": protocol.OptionAllow,
	"go ahead": protocol.OptionAllow, "proceed": protocol.OptionAllow, "allow once": protocol.OptionAllow,

	"no": protocol.OptionDeny, "n": protocol.OptionDeny, "nope": protocol.OptionDeny, "deny": protocol.OptionDeny,
	"denied": protocol.OptionDeny, "reject": protocol.OptionDeny, "refuse": protocol.OptionDeny,
	"decline": protocol.OptionDeny, "disallow": protocol.OptionDeny,

	"always": optionAlways, "always allow": optionAlways, "allow always": optionAlways, "yes always": optionAlways,
	"yes, always": optionAlways,
}

// readResponse turns what a person said into an answer to exactly this prompt. It never guesses: what could mean
// two things, or nothing, is an error that lists what can be said.
func readResponse(p protocol.Prompt, response string) (protocol.Answer, error) {
	if err := checkResponse(response); err != nil {
		return protocol.Answer{}, err
	}
	if p.AtTerminal() {
		return protocol.Answer{}, refuse(ErrInvalid, "response: this prompt can be answered at the session's own terminal only")
	}
	response = strings.TrimSpace(response)
	if len(p.Questions) > 0 {
		return readChoices(p, response)
	}
	id, err := readOption(p, response)
	if err != nil {
		return protocol.Answer{}, err
	}
	if id != "" {
		return protocol.Answer{Option: id}, nil
	}
	if answer, ok := readDenial(p, response); ok {
		return answer, nil
	}
	if !p.AllowsText || beginsWithAnswer(p, response) {
		return protocol.Answer{}, refuse(ErrInvalid, "response %.80q: this prompt takes %s", response, optionList(p))
	}
	return protocol.Answer{Text: response}, nil
}

func checkResponse(response string) error {
	if strings.TrimSpace(response) == "" {
		return refuse(ErrInvalid, "response: empty")
	}
	if len(response) > maxResponse {
		return refuse(ErrInvalid, "response: %d bytes; at most %d are allowed", len(response), maxResponse)
	}
	if !utf8.ValidString(response) {
		return refuse(ErrInvalid, "response: not valid UTF-8")
	}
	for i, r := range response {
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			return refuse(ErrInvalid, "response: control character %U at byte %d", r, i)
		}
	}
	return nil
}

// readOption finds the one option that is meant by its id, its label, its number in the list, or a word for it. It
// returns "" if none is.
func readOption(p protocol.Prompt, response string) (string, error) {
	var found []string
	for i, o := range p.Options {
		if sameWords(o.ID, response) || sameWords(o.Label, response) || number(response) == i+1 {
			found = append(found, o.ID)
		}
	}
	if len(found) == 0 {
		if id := meanings[plain(response)]; id != "" && hasOption(p, id) {
			found = append(found, id)
		}
	}
	if len(slices.Compact(found)) > 1 {
		return "", refuse(ErrInvalid, "response %.80q could mean more than one option: this prompt takes %s", response, optionList(p))
	}
	if len(found) == 0 {
		return "", nil
	}
	return found[0], nil
}

// readDenial understands "no, use a branch": the refusal, and what the agent is told with it.
func readDenial(p protocol.Prompt, response string) (protocol.Answer, bool) {
	i := strings.IndexAny(response, ",;:.!–—\n")
	if i < 0 || !hasOption(p, protocol.OptionDeny) || meanings[plain(response[:i])] != protocol.OptionDeny {
		return protocol.Answer{}, false
	}
	reason := strings.TrimLeftFunc(response[i:], func(r rune) bool { return unicode.IsPunct(r) || unicode.IsSpace(r) })
	return protocol.Answer{Option: protocol.OptionDeny, Text: reason}, true
}

// beginsWithAnswer reports whether words begin like an answer and go on, or mean an option that is not there once:
// "yes but not on main", and "yes" to two kinds of yes, must be taken neither for a yes nor for a remark.
func beginsWithAnswer(p protocol.Prompt, response string) bool {
	if len(p.Options) == 0 {
		return false
	}
	said := plain(response)
	for word := range meanings {
		rest, begins := strings.CutPrefix(said, word)
		if begins && (rest == "" || !unicode.IsLetter([]rune(rest)[0])) {
			return true
		}
	}
	first, _, _ := strings.Cut(said, " ")
	return number(first) > 0
}

func hasOption(p protocol.Prompt, id string) bool {
	return slices.ContainsFunc(p.Options, func(o protocol.Option) bool { return o.ID == id })
}

// plain is text as it is compared: in lower case, with single spaces, straight apostrophes and no full stop.
func plain(s string) string {
	s = strings.Join(strings.Fields(strings.ToLower(s)), " ")
	return strings.TrimRight(strings.ReplaceAll(s, "’", "'"), ".! ")
}

// sameWords reports whether what was said is the option's text. A full stop alone says nothing.
func sameWords(option, said string) bool { return plain(said) != "" && plain(option) == plain(said) }

// number reads "2", "2." or "2)"; 0 is none.
func number(s string) int {
	n, err := strconv.Atoi(strings.TrimRight(strings.TrimSpace(s), ".)"))
	if err != nil || n < 1 {
		return 0
	}
	return n
}

// optionList says what can be answered.
func optionList(p protocol.Prompt) string {
	var words []string
	for i, o := range p.Options {
		words = append(words, fmt.Sprintf("%d %q (%s)", i+1, o.Label, o.ID))
	}
	if p.AllowsText {
		words = append(words, "or your own words")
	}
	return strings.Join(words, ", ")
}

// answerWords says an answer in a few words.
func answerWords(a protocol.Answer) string {
	switch {
	case a.Option != "" && a.Text != "":
		return fmt.Sprintf("%q (%.200s)", a.Option, a.Text)
	case a.Option != "":
		return strconv.Quote(a.Option)
	case a.Text != "":
		return fmt.Sprintf("%.200q", a.Text)
	}
	var words []string
	for _, labels := range a.Choices {
		words = append(words, strconv.Quote(strings.Join(labels, ", ")))
	}
	return strings.Join(words, "; ")
}

// settledWords says of a settled prompt when and how it ended.
func settledWords(p Prompt) string {
	return fmt.Sprintf("prompt %s (%.100s) was settled at %s: %s",
		p.ID, p.Title, p.Settlement.At.UTC().Format(time.RFC3339), settlementWords(*p.Settlement))
}

// settlementWords says how a prompt ended.
func settlementWords(s protocol.Settlement) string {
	words := string(s.Outcome)
	if s.Answer != "" {
		words += fmt.Sprintf(" (%.200s)", s.Answer)
	}
	if by := SettledBy(s); by != "" {
		words += " " + by
	}
	return words
}

// SettledBy says who settled a prompt, or where that was done; empty: nobody did.
func SettledBy(s protocol.Settlement) string {
	switch s.Where {
	case protocol.WhereRemote:
		return "by " + cmp.Or(s.Actor, "someone") + ", remotely"
	case protocol.WhereTerminal:
		return "at the terminal"
	case protocol.WhereRule:
		return "by a rule"
	}
	return ""
}
