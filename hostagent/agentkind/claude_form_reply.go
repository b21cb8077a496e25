package agentkind

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// claudeFormats are the formats of text that MCP knows in a form.
var claudeFormats = map[string]struct {
	words string
	check func(string) error
}{
	"email": {"an e-mail address", func(s string) error { _, err := mail.ParseAddress(s); return err }},
	"uri":   {"an address with its scheme", func(s string) error { return absoluteURL(s) }},
	"date":  {"a date such as 2026-11-29", func(s string) error { _, err := time.Parse(time.DateOnly, s); return err }},
	"date-time": {"a time such as 2026-11-29T14:10:00Z", func(s string) error {
		_, err := time.Parse(time.RFC3339, s)
		return err
	}},
}

func absoluteURL(s string) error {
	address, err := url.Parse(s)
	if err == nil && !address.IsAbs() {
		return errors.New("no scheme")
	}
	return err
}

// claudeFormReply is the answer to an ElicitationResult hook. It is checked against the form's schema here, since the
// CLI passes on what a hook says as it is.
func claudeFormReply(raw claudeHook, ask Ask, a Answer) ([]byte, error) {
	output := map[string]any{"hookEventName": claudeFormResultHook}
	switch {
	case a.Option == OptionDeny:
		output["action"] = FormDeclined // the server hears no words
		return claudeOutput(output)
	case a.Option != "" && !ask.offers(a.Option):
		return nil, fmt.Errorf("this prompt has no option %q; it has %s", a.Option, ask.optionIDs())
	case a.Option == "" && len(ask.Questions) == 0:
		return nil, fmt.Errorf("answer this prompt with one of its options: %s", ask.optionIDs())
	}
	schema, unfit := raw.schema()
	if unfit != "" {
		return nil, errors.New(unfit)
	}
	content, err := schema.fill(a)
	if err != nil {
		return nil, err
	}
	output["action"] = FormAccepted
	if raw.Asks != "url" {
		output["content"] = content
	}
	return claudeOutput(output)
}

// fill puts an answer's values into the form.
func (s claudeFormSchema) fill(a Answer) (map[string]any, error) {
	choices := a.Choices
	if len(choices) == 0 && a.Text != "" && len(s.Properties) == 1 {
		choices = [][]string{{a.Text}}
	}
	if len(choices) != len(s.Properties) {
		return nil, fmt.Errorf("this prompt has %d questions; the answer has %d", len(s.Properties), len(choices))
	}
	content := map[string]any{}
	for i, field := range s.Properties {
		value, err := field.read(choices[i])
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", field.Name, err)
		case value != nil:
			content[field.Name] = value
		case slices.Contains(s.Required, field.Name):
			return nil, fmt.Errorf("%s: needs an answer", field.Name)
		}
	}
	return content, nil
}

// read makes of an answer the value that the schema wants; nil if it is left out.
func (f claudeField) read(answer []string) (any, error) {
	if len(answer) == 0 || len(answer) == 1 && strings.TrimSpace(answer[0]) == "" {
		return f.leftOut()
	}
	if f.Type == "array" {
		return f.readSeveral(answer)
	}
	if len(answer) > 1 {
		return nil, errors.New("takes one answer")
	}
	text := answer[0]
	if values := f.values(); len(values) > 0 {
		value, err := choose(values, text)
		if err != nil || f.Type != "boolean" {
			return value, err
		}
		return value == "true", nil
	}
	switch f.Type {
	case "integer", "number":
		return f.readNumber(text)
	case "string", "":
		return text, f.checkText(text)
	}
	return nil, errors.New("is of a kind that is not known here") // schema has refused it
}

func (f claudeField) leftOut() (any, error) {
	if len(f.Default) == 0 {
		return nil, nil
	}
	var value any
	if err := json.Unmarshal(f.Default, &value); err != nil {
		return nil, fmt.Errorf("its default cannot be read: %w", err)
	}
	return value, nil
}

func (f claudeField) readSeveral(answer []string) (any, error) {
	var chosen []string
	for _, label := range answer {
		value, err := choose(f.values(), label)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, value)
	}
	if err := within(float64(len(chosen)), asFloat(f.MinItems), asFloat(f.MaxItems), " of them"); err != nil {
		return nil, err
	}
	return chosen, nil
}

func choose(values []claudeValue, label string) (string, error) {
	var titles []string
	for _, v := range values {
		if strings.EqualFold(v.Title, label) || v.Value == label {
			return v.Value, nil
		}
		titles = append(titles, v.Title)
	}
	return "", fmt.Errorf("%.80q is none of %s", label, strings.Join(titles, ", "))
}

func (f claudeField) readNumber(text string) (any, error) {
	number, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsInf(number, 0) || math.IsNaN(number) {
		return nil, fmt.Errorf("%.80q is no number", text)
	}
	if f.Type == "integer" && number != math.Trunc(number) {
		return nil, fmt.Errorf("%.80q is no whole number", text)
	}
	return number, within(number, f.Minimum, f.Maximum, "")
}

func (f claudeField) checkText(text string) error {
	if err := within(float64(utf8.RuneCountInString(text)), asFloat(f.MinLength), asFloat(f.MaxLength), " characters"); err != nil {
		return err
	}
	if format, ok := claudeFormats[f.Format]; ok && format.check(text) != nil {
		return fmt.Errorf("%.80q is not %s", text, format.words)
	}
	pattern, err := regexp.Compile(f.Pattern)
	if err == nil && !pattern.MatchString(text) { // one that Go cannot read is the server's to check
		return fmt.Errorf("%.80q does not match %s", text, f.Pattern)
	}
	return nil
}

func within(n float64, least, most *float64, of string) error {
	if least != nil && n < *least || most != nil && n > *most {
		return fmt.Errorf("want %s", strings.Join(bounds(least, most, of), ""))
	}
	return nil
}
