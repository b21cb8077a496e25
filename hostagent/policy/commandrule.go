package policy

import (
	"errors"
	"strings"
)

// commandPattern is what a rule like Bash(git push *) says about commands.
type commandPattern struct {
	whole    text   // the words as one, * for any text
	words    []text // without an open end
	open     bool   // more words may follow
	options  []string
	operands []text
}

func parseCommandPattern(pattern string) (commandPattern, error) {
	if start, ok := strings.CutSuffix(pattern, ":*"); ok {
		pattern = start + " *"
	}
	words := strings.Fields(pattern)
	switch {
	case len(words) == 0:
		return commandPattern{}, errors.New("no command stands between the brackets")
	case strings.ContainsAny(pattern, "|;&<>$`()\n"):
		return commandPattern{}, errors.New("each command of a script is judged by itself, so a rule has no | ; & < > $ ` and no brackets")
	case strings.ContainsAny(pattern, `'"\`):
		return commandPattern{}, errors.New("a command is judged without its quotes, so a rule has none")
	case strings.Contains(words[0], "="):
		return commandPattern{}, errors.New("a command is judged without the variables before it, so a rule has none")
	}
	var p commandPattern
	for _, word := range words {
		if word == "~" || strings.HasPrefix(word, "~/") {
			word = inHome(word)
		}
		p.words = append(p.words, fold(word))
	}
	p.whole = join(p.words)
	if len(p.words) > 1 && string(p.words[len(p.words)-1]) == "*" {
		p.words, p.open = p.words[:len(p.words)-1], true
	}
	p.open = p.open || strings.HasSuffix(pattern, "*")
	for _, word := range p.words[1:] {
		if isOption(word) {
			p.options = append(p.options, string(word))
			continue
		}
		p.operands = append(p.operands, word)
	}
	return p, nil
}

func isOption(word text) bool { return len(word) > 1 && word[0] == '-' && string(word) != "--" }

// meets reports whether a command may be one that the pattern means: as it stands there, or with its options in
// another order, bundled or apart, with others among them.
func (p commandPattern) meets(command []text) bool {
	line := join(command)
	if mayMatch(p.whole, line) || p.open && mayMatch(join(p.words), line) {
		return true
	}
	if !mayMatch(p.words[0], command[0]) || command[0].splits() {
		return false
	}
	for _, option := range p.options {
		if !hasOption(command[1:], option) {
			return false
		}
	}
	return p.takes(command[1:])
}

// takes reports whether the pattern's operands can be the first ones of the command's. An option's value cannot be
// told from an operand, so each option may have one.
func (p commandPattern) takes(words []text) bool {
	at := make([]bool, len(p.operands)+1) // how many operands may have been found
	at[0] = true
	value := false // the word before was an option
	for _, word := range words {
		next := make([]bool, len(at))
		for found, possible := range at {
			if !possible {
				continue
			}
			last := found == len(p.operands)
			if last && p.open || !last && word.splits() && mayMatch(append(p.operands[found][:len(p.operands[found]):len(p.operands[found])], '*'), word) {
				return true
			}
			if isOption(word) || string(word) == "--" || value {
				next[found] = true
			}
			if !last && mayMatch(p.operands[found], word) {
				next[found+1] = true
			}
		}
		at, value = next, isOption(word)
	}
	return at[len(p.operands)]
}

// hasOption reports whether the option may be among the words: as it is, with a value, shortened, as a letter among
// others, or long instead of short. What is known only when the command runs may be any option.
func hasOption(words []text, option string) bool {
	for _, word := range words {
		if len(word) > 0 && (word[0] < 0 || word[0] == '-' && len(word) > 1 && word[1] < 0) || mayMatch(text(option), word) {
			return true
		}
	}
	if strings.HasPrefix(option, "--") {
		return hasLong(words, option) || hasLetter(words, rune(option[2]))
	}
	letters := text(option[1:])
	if len(letters) > 3 {
		return false // one word, as in find -delete
	}
	for _, letter := range letters {
		if !hasLetter(words, letter) {
			return false
		}
	}
	return true
}

func hasLong(words []text, option string) bool {
	for _, word := range words {
		name, _, _ := strings.Cut(string(word), "=")
		if len(name) > 3 && strings.HasPrefix(option, name) {
			return true
		}
	}
	return false
}

// hasLetter: a long option stands for its first letter.
func hasLetter(words []text, letter rune) bool {
	for _, word := range words {
		switch {
		case !isOption(word):
		case word[1] == '-':
			if len(word) > 2 && word[2] == letter {
				return true
			}
		default:
			for _, r := range word[1:] {
				if r == letter || r < 0 {
					return true
				}
			}
		}
	}
	return false
}
