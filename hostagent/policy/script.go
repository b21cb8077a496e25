package policy

import (
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"mvdan.cc/sh/v3/syntax"
)

// Limits of what is read of a script. Beyond them it counts as one that cannot be seen.
const (
	maxScript  = 64 << 10 // bytes
	maxOpened  = 5000     // brackets and the like; the parser takes stack for each that is not closed
	maxNested  = 8        // scripts within scripts
	maxCarried = 64       // words of a command that carries another
	maxCalls   = 20_000
)

// script is what a shell script would run, as far as that can be told without running it.
type script struct {
	calls [][]text // each the words of one command, its program's bare name first
	dark  string   // why there may be more; empty: these are all
}

// readScript finds the commands in every corner: in chains, loops, functions, substitutions, and in the arguments
// of programs that run commands.
func readScript(source string) script {
	var s script
	s.read(source, 0)
	return s
}

func (s *script) read(source string, depth int) {
	opened := strings.Count(source, "(") + strings.Count(source, "{") + strings.Count(source, "`")
	if len(source) > maxScript || opened > maxOpened || depth > maxNested || len(s.calls) > maxCalls {
		s.hide("it is too long or too deeply nested to be read")
		return
	}
	if strings.ContainsFunc(source, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' }) {
		s.hide("it has control characters")
		return
	}
	file, err := parse(source)
	if err != nil {
		s.hide("it does not read as a shell's script")
		return
	}
	s.walk(file, depth)
}

func (s *script) walk(root syntax.Node, depth int) {
	syntax.Walk(root, func(node syntax.Node) bool {
		switch node := node.(type) {
		case *syntax.Stmt:
			if call, ok := node.Cmd.(*syntax.CallExpr); ok {
				s.add(call, node.Redirs, depth)
			}
		case *syntax.Word:
			s.quoted(node, depth)
		}
		return true
	})
}

// quoted finds substitutions that stand in quotes: what ${x@P}, PS4, arithmetic or [[ -v ]] make of a text may run them.
func (s *script) quoted(word *syntax.Word, depth int) {
	var source strings.Builder
	for _, r := range wordText(word) {
		if r >= 0 {
			source.WriteRune(r)
		}
	}
	if !strings.Contains(source.String(), "$(") && !strings.Contains(source.String(), "`") {
		return
	}
	if depth > maxNested || len(s.calls) > maxCalls {
		s.hide("it is too long or too deeply nested to be read")
		return
	}
	inner, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Document(strings.NewReader(source.String()))
	if err == nil { // or else no shell could run it either
		s.walk(inner, depth+1)
	}
}

// parse reads the script as bash, or else as zsh, which is a Mac's.
func parse(source string) (*syntax.File, error) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(source), "")
	if err == nil {
		return file, nil
	}
	return syntax.NewParser(syntax.Variant(syntax.LangZsh)).Parse(strings.NewReader(source), "")
}

// hide keeps the first reason.
func (s *script) hide(why string) {
	if s.dark == "" {
		s.dark = why
	}
}

func (s *script) add(call *syntax.CallExpr, redirections []*syntax.Redirect, depth int) {
	words := make([]text, 0, len(call.Args))
	for _, arg := range call.Args {
		words = append(words, wordText(arg))
	}
	if len(words) == 0 {
		return
	}
	s.command(words, standardInput(redirections), depth)
}

// input is what a command reads, if the script says that itself.
type input struct {
	text  text
	given bool
}

func standardInput(redirections []*syntax.Redirect) input {
	for _, r := range slices.Backward(redirections) {
		switch {
		case r.Hdoc != nil:
			return input{wordText(r.Hdoc), true}
		case r.Op == syntax.WordHdoc:
			return input{wordText(r.Word), true}
		}
	}
	return input{}
}

// command takes in one command's words and what they carry: another command, a script, an alias.
func (s *script) command(words []text, stdin input, depth int) {
	s.calls = append(s.calls, words)
	words = append([]text{bareName(words[0])}, words[1:]...)
	s.calls = append(s.calls, words)
	name, known := words[0].known()
	switch {
	case !known:
	case carries(name, words[1:]):
		s.carried(words, depth)
		s.carriersInput(name, words[1:], stdin, depth)
	case name == "alias":
		s.alias(words[1:], depth)
	default:
		s.inner(name, words[1:], stdin, depth)
	}
}

// inner reads the scripts that a program is given.
func (s *script) inner(name string, arguments []text, stdin input, depth int) {
	switch {
	case shells[name]:
		s.shell(arguments, stdin, depth)
	case name == "." || name == "source":
		s.sourced(arguments, stdin, depth)
	case scriptArguments[name]:
		if len(arguments) > 0 && string(arguments[0]) == "--" {
			arguments = arguments[1:]
		}
		s.given(join(arguments), depth)
	case interprets(name):
		for _, argument := range append(slices.Clone(arguments), stdin.text) {
			s.rough(argument)
		}
		if !stdin.given && (len(arguments) == 0 || string(arguments[0]) == "-") {
			s.hide("it runs code from elsewhere")
		}
	}
}

// bareName is a program without its directory, and without the = by which zsh looks it up in PATH.
func bareName(word text) text {
	for i := len(word) - 1; i >= 0; i-- {
		if word[i] == '/' {
			return word[i+1:]
		}
	}
	if len(word) > 1 && word[0] == '=' {
		return word[1:]
	}
	return word
}

// sourced reads what is run in the shell itself. A script in a file is not looked at.
func (s *script) sourced(arguments []text, stdin input, depth int) {
	if len(arguments) == 0 {
		return
	}
	file, known := arguments[0].known()
	switch {
	case known && !isDevice(file), !known && arguments[0][len(arguments[0])-1] >= 0: // $DIR/file
	case known && stdin.given:
		s.given(stdin.text, depth)
	default:
		s.hide("it runs a script that is known only when it runs")
	}
}

// isDevice: what is read there is no file's.
func isDevice(path string) bool {
	path = filepath.Clean(path)
	return path == "-" || strings.HasPrefix(path, "/dev/") || strings.HasPrefix(path, "/proc/")
}

// given reads what is certainly a script.
func (s *script) given(source text, depth int) {
	known, ok := source.known()
	if !ok {
		s.hide("it runs a script that is put together only when it runs")
		return
	}
	s.read(known, depth+1)
}

// shell reads the script that a shell is called with. A script in a file is not looked at.
func (s *script) shell(arguments []text, stdin input, depth int) {
	file, isScript, isValue := false, false, false
	for _, argument := range arguments {
		word, known := argument.known()
		switch {
		case !known && (isScript || !file):
			s.hide("it runs a shell on what is known only when it runs")
			return
		case !known:
		case isValue: // of -o, as in -o pipefail
			isValue = false
		case len(word) > 1 && (word[0] == '-' || word[0] == '+'):
			isValue = strings.HasSuffix(word, "o")
			if name, value, assigned := strings.Cut(word, "="); assigned && strings.HasPrefix(name, "--c") {
				s.given(text(value), depth)
			}
			isScript = isScript || strings.Contains(word, "c") && (word[0] != '-' || word[1] != '-' || strings.HasPrefix(word, "--c"))
		case isScript:
			s.given(argument, depth)
			file = true
		default:
			file = !isDevice(word)
		}
	}
	switch {
	case file || isScript:
	case stdin.given:
		s.given(stdin.text, depth)
	default:
		s.hide("it runs a shell on text from elsewhere")
	}
}

// alias: what an alias stands for may get any arguments later.
func (s *script) alias(definitions []text, depth int) {
	for _, definition := range definitions {
		known, ok := definition.known()
		if !ok {
			s.hide("it defines an alias that is known only when it runs")
			return
		}
		if strings.HasPrefix(known, "-") && strings.ContainsAny(known, "gs") {
			s.hide("it defines an alias for any word") // zsh
			return
		}
		_, value, _ := strings.Cut(known, "=")
		var inner script
		inner.read(value, depth+1)
		if inner.dark != "" {
			s.hide(inner.dark)
		}
		for _, call := range inner.calls {
			s.calls = append(s.calls, append(call, text{anyText}))
		}
	}
}

// separators stand between words in most languages.
const separators = "'\"`;|&()[]{}<>,$!"

// rough reads text of any language: each of its words may begin a command. A single word is none.
func (s *script) rough(code text) {
	if !slices.ContainsFunc(code, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(separators, r) }) {
		return
	}
	var words []text
	var word text
	end := func() {
		if len(word) > 0 {
			words, word = append(words, word), nil
		}
	}
	for _, r := range code {
		switch {
		case r == anyText || r == anyWord:
			word = append(word, anyWord)
		case r == '\\':
		case unicode.IsSpace(r) || strings.ContainsRune(separators, r):
			end()
		default:
			word = append(word, r)
		}
	}
	end()
	if len(words) > maxCalls/10 {
		s.hide("it holds code that is too long to be read")
		return
	}
	for i := range words {
		most := min(len(words), i+maxCarried)
		s.calls = append(s.calls, append([]text{bareName(words[i])}, words[i+1:most]...))
	}
}
