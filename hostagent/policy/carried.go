package policy

import (
	"slices"
	"strings"
)

// carried takes in the commands that a carrier may run: any of its arguments may be the first word of one.
func (s *script) carried(words []text, depth int) {
	if len(words) > maxCarried {
		s.hide("a command that runs another one has too many arguments to be read")
		return
	}
	appends, words := false, withGaps(words)
	for i := range words {
		rest := append([]text{bareName(words[i])}, words[i+1:]...)
		if appends {
			rest = append(rest, text{anyText})
		}
		name, known := rest[0].known()
		appends = appends || appenders[name]
		if i == 0 {
			continue
		}
		s.calls = append(s.calls, words[i:], rest)
		if known {
			s.inner(name, rest[1:], input{}, depth)
		}
		s.perhaps(words[i], depth)
	}
}

// withGaps puts gaps where a carrier puts words in: for the signs of find, xargs and parallel, and for what xargs -I
// names.
func withGaps(words []text) []text {
	signs := []string{"{}"}
	for i, word := range words {
		name, known := word.known()
		switch {
		case !known:
		case (name == "-i" || name == "-j") && i+1 < len(words): // folded, of -I and -J
			if sign, ok := words[i+1].known(); ok && sign != "" {
				signs = append(signs, sign)
			}
		case len(name) > 2 && strings.HasPrefix(name, "-i"):
			signs = append(signs, name[2:])
		case strings.HasPrefix(name, "--replace="):
			signs = append(signs, name[len("--replace="):])
		}
	}
	var all []text
	for _, word := range words {
		plain, known := word.known()
		switch {
		case known && strings.HasPrefix(plain, ":::"): // of parallel: what follows is put in
			return append(all, text{anyText})
		case known && slices.ContainsFunc(signs, func(sign string) bool { return strings.Contains(plain, sign) }):
			all = append(all, text{anyText})
		default:
			all = append(all, word)
		}
	}
	return all
}

// carriersInput: some carriers run what they read when their arguments name no command, or beside that.
func (s *script) carriersInput(name string, arguments []text, stdin input, depth int) {
	options, reads := inputReaders[name]
	asked := len(options) == 0 || slices.ContainsFunc(options, func(option string) bool { return hasOption(arguments, option) })
	switch {
	case !reads || !asked:
	case stdin.given:
		s.given(stdin.text, depth)
	case name == "at" || name == "batch":
		s.hide("it runs what it reads from elsewhere")
	}
}

// perhaps reads an argument that may be a script, also one that stands behind an option's letters or name; or it is a
// file's name with a space in it.
func (s *script) perhaps(word text, depth int) {
	source, known := word.known()
	if !known || !strings.ContainsAny(source, " \t\n;|&$`") {
		return
	}
	sources := []string{source}
	if _, value, found := strings.Cut(source, "="); found && strings.HasPrefix(source, "--") {
		sources = append(sources, value)
	} else if strings.HasPrefix(source, "-") {
		for letters := 2; letters <= min(4, len(source)); letters++ {
			sources = append(sources, source[letters:])
		}
	}
	for _, source := range sources {
		var inner script
		inner.read(source, depth+1)
		if inner.dark != "" {
			s.rough(text(source))
		}
		s.calls = append(s.calls, inner.calls...)
	}
}
