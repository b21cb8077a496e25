package mcphttp

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What a message may look like beyond being JSON.
const (
	maxDepth   = 64
	maxMembers = 64 // of the envelope and of params
)

// envelopeKeys and paramKeys are those whose spelling matters: mcp-go would also read them in another case.
var (
	envelopeKeys = []string{"jsonrpc", "id", "method", "params", "result", "error"}
	paramKeys    = []string{"_meta", "name", "arguments", "uri", "cursor", "requestId", "task", "inputResponses", "requestState",
		"notifications", "ref", "argument"}
)

// walk refuses valid JSON that means different things to different readers: repeated keys, keys that differ only
// in case, text that is not UTF-8, half a surrogate pair; and what nests too deeply. The error names the place.
func walk(text []byte) error {
	w := walker{text: text}
	return w.value()
}

// walker reads JSON that is known to be valid.
type walker struct {
	text []byte
	at   int
	path []string
}

func (w *walker) errorf(format string, args ...any) error {
	place := strings.Join(w.path, ".")
	if place == "" {
		place = "the message"
	}
	return fmt.Errorf("%.200s: %s", place, fmt.Sprintf(format, args...))
}

// skip goes on to the next byte that is no white space.
func (w *walker) skip() byte {
	for w.at < len(w.text) {
		switch w.text[w.at] {
		case ' ', '\t', '\r', '\n', ',', ':':
			w.at++
		default:
			return w.text[w.at]
		}
	}
	return 0
}

func (w *walker) value() error {
	first := w.skip()
	if len(w.path) >= maxDepth && (first == '{' || first == '[') {
		return fmt.Errorf("the message: nested deeper than %d", maxDepth)
	}
	switch first {
	case '{':
		return w.object()
	case '[':
		return w.array()
	case '"':
		_, err := w.string()
		return err
	}
	for w.at < len(w.text) && !strings.ContainsRune(" \t\r\n,]}", rune(w.text[w.at])) {
		w.at++ // a number, true, false or null
	}
	return nil
}

func (w *walker) array() error {
	w.at++
	for i := 0; w.skip() != ']'; i++ {
		w.path = append(w.path, strconv.Itoa(i))
		if err := w.value(); err != nil {
			return err
		}
		w.path = w.path[:len(w.path)-1]
	}
	w.at++
	return nil
}

func (w *walker) object() error {
	w.at++
	seen := map[string]bool{}
	known, exact := w.knownKeys()
	for w.skip() != '}' {
		key, err := w.string()
		if err != nil {
			return err
		}
		if seen[key] {
			return w.errorf("%.80q stands twice", key)
		}
		if exact && len(seen) == maxMembers {
			return w.errorf("more than %d members", maxMembers)
		}
		for _, name := range known {
			if key != name && strings.EqualFold(key, name) {
				return w.errorf("%.80q must be written %q", key, name)
			}
		}
		seen[key] = true
		w.path = append(w.path, key)
		if err := w.value(); err != nil {
			return err
		}
		w.path = w.path[:len(w.path)-1]
	}
	w.at++
	return nil
}

// knownKeys are the keys whose spelling matters in the object that begins here, if it is one with such keys.
func (w *walker) knownKeys() ([]string, bool) {
	switch {
	case len(w.path) == 0:
		return envelopeKeys, true
	case len(w.path) == 1 && w.path[0] == "params":
		return paramKeys, true
	}
	return nil, false
}

// string reads the string that begins at the next quote.
func (w *walker) string() (string, error) {
	start := w.at
	escaped := false
	for w.at++; w.text[w.at] != '"'; w.at++ {
		if w.text[w.at] != '\\' {
			continue
		}
		escaped = true
		w.at++
		if w.text[w.at] == 'u' && !w.surrogatesPair() {
			return "", w.errorf("half a surrogate pair is no character")
		}
	}
	w.at++
	raw := w.text[start:w.at]
	if !utf8.Valid(raw) {
		return "", w.errorf("not valid UTF-8")
	}
	if !escaped {
		return string(raw[1 : len(raw)-1]), nil
	}
	var unescaped string
	if err := json.Unmarshal(raw, &unescaped); err != nil {
		return "", w.errorf("%v", err)
	}
	return unescaped, nil
}

// surrogatesPair stands on the u of \uXXXX. If that is the first half of a pair, it goes on to the u of the second.
func (w *walker) surrogatesPair() bool {
	const highFirst, lowFirst, lowLast = 0xd800, 0xdc00, 0xdfff
	unit := w.unit(w.at)
	if unit < highFirst || unit > lowLast {
		return true
	}
	if unit >= lowFirst || !strings.HasPrefix(string(w.text[w.at+5:min(w.at+7, len(w.text))]), `\u`) {
		return false
	}
	w.at += 6
	second := w.unit(w.at)
	return second >= lowFirst && second <= lowLast
}

// unit is the number of the four hexadecimal digits behind the u at i.
func (w *walker) unit(i int) uint64 {
	n, err := strconv.ParseUint(string(w.text[i+1:i+5]), 16, 16)
	if err != nil {
		return 0
	}
	return n
}
