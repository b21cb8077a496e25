package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// File is the name of the owner's file, beside the sessions' directory.
const File = "policy.json"

// Load reads the owner's file. A missing file is the default; a field that is unknown or stands there twice is an
// error, because a misspelt limit would be no limit.
func Load(path string) (Policy, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Default(), nil
	}
	if err != nil {
		return Policy{}, fmt.Errorf("reading the policy: %w", err)
	}
	p, err := parsePolicy(text)
	if err != nil {
		return Policy{}, fmt.Errorf("policy %s: %w", path, err)
	}
	return p, nil
}

func parsePolicy(text []byte) (Policy, error) {
	p := Default()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil {
		return Policy{}, atLine(text, decoder.InputOffset(), err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Policy{}, atLine(text, decoder.InputOffset(), errors.New("more stands behind the policy's last bracket"))
	}
	seen := map[string]bool{}
	for _, s := range settings(text) {
		if seen[s.name] {
			return Policy{}, fmt.Errorf("line %d: %s stands there twice", s.line, s.name)
		}
		seen[s.name] = true
	}
	return p, p.check()
}

func (p Policy) check() error {
	if len(p.Roots) == 0 || p.MaxSessions < 1 || p.MaxSessions > mostSessions || p.KeepDays < 0 || p.MaxEachPerson < 0 {
		return fmt.Errorf("want at least one root, max_sessions of 1 to %d, and keep_days and max_sessions_per_person of 0 or more", mostSessions)
	}
	if slices.ContainsFunc(append(slices.Clone(p.Deny), p.Ask...), func(r Rule) bool { return r.text == "" }) {
		return errors.New("a rule in deny or ask is empty")
	}
	for _, q := range p.QuietHours {
		if err := q.check(); err != nil {
			return err
		}
	}
	return errors.Join(p.AfterRestart.check(), p.Recording.check())
}

// setting is where a setting stands in the owner's file.
type setting struct {
	name  string
	line  int
	items []int // lines, of a list
}

// settings finds the settings of a file that is valid.
func settings(text []byte) []setting {
	decoder := json.NewDecoder(bytes.NewReader(text))
	var all []setting
	_, _ = decoder.Token() // {
	for decoder.More() {
		line := lineAt(text, decoder.InputOffset())
		name, err := decoder.Token()
		if err != nil {
			return all
		}
		found := setting{name: strings.ToLower(fmt.Sprint(name)), line: line}
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			return all
		}
		found.items = itemLines(text, value, decoder.InputOffset()-int64(len(value)))
		all = append(all, found)
	}
	return all
}

func itemLines(text []byte, value json.RawMessage, from int64) []int {
	decoder := json.NewDecoder(bytes.NewReader(value))
	if first, err := decoder.Token(); err != nil || first != json.Delim('[') {
		return nil
	}
	var lines []int
	for decoder.More() {
		lines = append(lines, lineAt(text, from+decoder.InputOffset()))
		var item json.RawMessage
		if decoder.Decode(&item) != nil {
			break
		}
	}
	return lines
}

// lineAt is the line, from 1, of what follows an offset after spaces and commas.
func lineAt(text []byte, offset int64) int {
	at := min(int(offset), len(text))
	for at < len(text) && strings.IndexByte(" \t\r\n,", text[at]) >= 0 {
		at++
	}
	return 1 + bytes.Count(text[:at], []byte("\n"))
}

func atLine(text []byte, offset int64, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		offset = int64(len(text))
	}
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		offset = syntax.Offset - 1
	}
	if kind := (*json.UnmarshalTypeError)(nil); errors.As(err, &kind) {
		offset = kind.Offset - 1
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(text[:min(max(offset, 0), int64(len(text)))], []byte("\n")), err)
}

// Line is where in the owner's file a setting stands, or that item of it if it is a list with as many; 0: nowhere.
func Line(path, name string, item int) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	for _, s := range settings(text) {
		switch {
		case s.name != name:
		case item >= 0 && item < len(s.items):
			return s.items[item]
		default:
			return s.line
		}
	}
	return 0
}
