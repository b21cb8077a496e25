package policy

import (
	"os"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"
)

// wordText is a word of a shell command, unquoted. What the shell would put in its place later is a gap.
func wordText(word *syntax.Word) text {
	if word == nil {
		return nil
	}
	all := partsText(word.Parts, false)
	if len(all) > 0 && all[0] == '~' && (len(all) == 1 || all[1] == '/') {
		if home, err := os.UserHomeDir(); err == nil {
			all = append(fold(home), all[1:]...)
		}
	}
	return all
}

func partsText(parts []syntax.WordPart, quoted bool) text {
	var all text
	for _, part := range parts {
		switch part := part.(type) {
		case *syntax.Lit:
			all = append(all, literal(part.Value, quoted)...)
		case *syntax.SglQuoted:
			if part.Dollar && strings.Contains(part.Value, `\`) {
				all = append(all, anyText) // $'\x67it'
				continue
			}
			all = append(all, fold(part.Value)...)
		case *syntax.DblQuoted:
			all = append(all, partsText(part.Parts, true)...)
		default:
			all = append(all, gapFor(part, quoted))
		}
	}
	return all
}

// gapFor: within quotes only "$@" and what looks like it becomes several words.
func gapFor(part syntax.WordPart, quoted bool) rune {
	expansion, ok := part.(*syntax.ParamExp)
	several := ok && (expansion.Index != nil || expansion.Param == nil || strings.Contains("@*", expansion.Param.Value))
	if !quoted || several {
		return anyText
	}
	return anyWord
}

// literal takes out backslashes. Unquoted, braces and wildcards become what the shell makes of them.
func literal(value string, quoted bool) text {
	if !quoted && strings.ContainsAny(value, "{*?[") {
		return unquotedPattern(value)
	}
	var plain strings.Builder
	for i := 0; i < len(value); i++ {
		if value[i] != '\\' || i+1 == len(value) || quoted && !strings.ContainsRune("$`\"\\\n", rune(value[i+1])) {
			plain.WriteByte(value[i])
			continue
		}
		if i++; value[i] != '\n' {
			plain.WriteByte(value[i])
		}
	}
	return fold(plain.String())
}

// unquotedPattern is text in which g?t, g[i]t or {git,push} stand: a gap for each such sign, and for all that lies
// between brackets.
func unquotedPattern(value string) text {
	var all text
	for len(value) > 0 {
		next := strings.IndexAny(value, `\{[*?`)
		if next < 0 {
			next = len(value)
		}
		all, value = append(all, fold(value[:next])...), value[next:]
		switch {
		case value == "":
		case value[0] == '\\':
			_, size := utf8.DecodeRuneInString(value[1:])
			all, value = append(all, fold(value[1:1+size])...), value[1+size:]
		case value[0] == '{' || value[0] == '[':
			all, value = append(all, anyText), value[1+max(0, strings.LastIndexAny(value[1:], "]}")):]
		default:
			all, value = append(all, anyText), value[1:]
		}
	}
	return all
}
