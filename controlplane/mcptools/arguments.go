package mcptools

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// argumentError says what is wrong with which argument, for the model to do better.
type argumentError struct{ argument, problem string }

func (e *argumentError) Error() string { return e.argument + ": " + e.problem }

func wrong(argument, format string, args ...any) error {
	return &argumentError{argument: argument, problem: fmt.Sprintf(format, args...)}
}

// decode reads a call's arguments into the struct that in points to, and admits nothing that the schema does not.
// Null is taken for left out, as many clients send it.
func (o object) decode(arguments json.RawMessage, in any) error {
	var given map[string]json.RawMessage
	if len(arguments) > 0 {
		if err := json.Unmarshal(arguments, &given); err != nil {
			return wrong("arguments", "want an object")
		}
	}
	if err := o.unknown(given); err != nil {
		return err
	}
	target := reflect.ValueOf(in).Elem()
	for _, f := range o.fields {
		text, ok := given[f.name]
		if !ok || string(text) == "null" {
			if f.required {
				return wrong(f.name, "is required")
			}
			continue
		}
		if err := f.decode(text, target.Field(f.index)); err != nil {
			return err
		}
	}
	return nil
}

// unknown refuses the first argument, in the alphabet, that no field has.
func (o object) unknown(given map[string]json.RawMessage) error {
	names := make([]string, len(o.fields))
	for i, f := range o.fields {
		names[i] = f.name
	}
	var strangers []string
	for name := range given {
		if !slices.Contains(names, name) {
			strangers = append(strangers, name)
		}
	}
	if len(strangers) == 0 {
		return nil
	}
	known := "this tool takes none"
	if len(names) > 0 {
		known = "known are " + strings.Join(names, ", ")
	}
	return wrong(fmt.Sprintf("%.60q", slices.Min(strangers)), "unknown argument; %s", known)
}

func (f field) decode(text json.RawMessage, into reflect.Value) error {
	if into.Kind() == reflect.Pointer {
		into.Set(reflect.New(f.kind))
		into = into.Elem()
	}
	switch f.kind.Kind() {
	case reflect.String:
		var s string
		if json.Unmarshal(text, &s) != nil {
			return wrong(f.name, "want a string")
		}
		into.SetString(s)
		return f.checkString(s)
	case reflect.Bool:
		var b bool
		if json.Unmarshal(text, &b) != nil {
			return wrong(f.name, "want true or false")
		}
		into.SetBool(b)
		return nil
	case reflect.Int:
		var n float64 // 5.0 is a whole number in JSON Schema
		if json.Unmarshal(text, &n) != nil || n != math.Trunc(n) || math.Abs(n) > math.MaxInt32 {
			return wrong(f.name, "want a whole number")
		}
		into.SetInt(int64(n))
		return f.checkInt(int(n))
	}
	panic("mcptools: no input can be a " + f.kind.String()) // a programming error
}

func (f field) checkString(s string) error {
	switch {
	case !utf8.ValidString(s):
		return wrong(f.name, "is not valid UTF-8")
	case f.max != nil && utf8.RuneCountInString(s) > *f.max:
		return wrong(f.name, "is longer than %d characters", *f.max)
	case f.required && strings.TrimSpace(s) == "":
		return wrong(f.name, "is empty")
	case len(f.enum) > 0 && !slices.Contains(f.enum, s):
		return wrong(f.name, "want one of %s", strings.Join(f.enum, ", "))
	}
	for _, r := range s {
		if unicode.IsControl(r) && (!f.lines || !strings.ContainsRune("\n\r\t", r)) {
			return wrong(f.name, "has the control character %U", r)
		}
	}
	return nil
}

func (f field) checkInt(n int) error {
	if (f.min != nil && n < *f.min) || (f.max != nil && n > *f.max) {
		return wrong(f.name, "want %d to %d", *f.min, *f.max)
	}
	return nil
}
