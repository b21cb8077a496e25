package mcptools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// object is a struct type as JSON Schema sees it: its fields, in order. Their tags say what the schema says:
//
//	doc       what it is, for the model
//	required  the input must have it
//	enum      the values that it may have, divided by commas
//	min, max  of a number; of a string, max is in characters
//	lines     the string may have line breaks and tabs
type object struct{ fields []field }

type field struct {
	name     string
	index    int
	kind     reflect.Type // without the pointer that makes it optional
	doc      string
	required bool // of an input
	always   bool // of an output: never left out
	enum     []string
	min, max *int
	lines    bool
}

func objectOf(t reflect.Type) object {
	var o object
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		kind := f.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		o.fields = append(o.fields, field{
			name: name, index: i, kind: kind,
			doc:      f.Tag.Get("doc"),
			required: f.Tag.Get("required") == "true",
			always:   options == "",
			enum:     words(f.Tag.Get("enum")),
			min:      number(f.Tag.Get("min")), max: number(f.Tag.Get("max")),
			lines: f.Tag.Get("lines") == "true",
		})
	}
	return o
}

func words(tag string) []string {
	if tag == "" {
		return nil
	}
	return strings.Split(tag, ",")
}

func number(tag string) *int {
	n, err := strconv.Atoi(tag)
	if err != nil {
		return nil
	}
	return &n
}

// jsonSchema is the part of JSON Schema 2020-12 that the tools need.
type jsonSchema struct {
	Type                 string                `json:"type"`
	Description          string                `json:"description,omitempty"`
	Format               string                `json:"format,omitempty"`
	Enum                 []string              `json:"enum,omitempty"`
	MaxLength            *int                  `json:"maxLength,omitempty"`
	Minimum              *int                  `json:"minimum,omitempty"`
	Maximum              *int                  `json:"maximum,omitempty"`
	Items                *jsonSchema           `json:"items,omitempty"`
	Properties           map[string]jsonSchema `json:"properties,omitzero"`
	Required             []string              `json:"required,omitempty"`
	AdditionalProperties *bool                 `json:"additionalProperties,omitempty"`
}

// strictness says whether a schema admits what it does not name.
type strictness bool

const (
	strict strictness = true  // inputs: what is not known is refused
	open   strictness = false // outputs: a later version may say more
)

// schema is the object's JSON Schema.
func (o object) schema(s strictness) json.RawMessage {
	text, err := marshal(o.jsonSchema(s))
	if err != nil {
		panic(fmt.Sprintf("mcptools: a schema that cannot be marshalled: %v", err)) // strings and numbers
	}
	return text
}

func (o object) jsonSchema(s strictness) jsonSchema {
	schema := jsonSchema{Type: "object", Properties: map[string]jsonSchema{}}
	if s == strict {
		no := false
		schema.AdditionalProperties = &no
	}
	for _, f := range o.fields {
		schema.Properties[f.name] = f.jsonSchema(s)
		if (s == strict && f.required) || (s == open && f.always) {
			schema.Required = append(schema.Required, f.name)
		}
	}
	return schema
}

func (f field) jsonSchema(s strictness) jsonSchema {
	schema := typeSchema(f.kind, s)
	schema.Description, schema.Enum = f.doc, f.enum
	if f.kind.Kind() == reflect.String {
		schema.MaxLength = f.max
		return schema
	}
	schema.Minimum, schema.Maximum = f.min, f.max
	return schema
}

func typeSchema(t reflect.Type, s strictness) jsonSchema {
	if t == reflect.TypeFor[time.Time]() {
		return jsonSchema{Type: "string", Format: "date-time"}
	}
	switch t.Kind() {
	case reflect.String:
		return jsonSchema{Type: "string"}
	case reflect.Bool:
		return jsonSchema{Type: "boolean"}
	case reflect.Int:
		return jsonSchema{Type: "integer"}
	case reflect.Float64:
		return jsonSchema{Type: "number"}
	case reflect.Slice:
		items := typeSchema(t.Elem(), s)
		return jsonSchema{Type: "array", Items: &items}
	case reflect.Struct:
		return objectOf(t).jsonSchema(s)
	case reflect.Map:
		return jsonSchema{Type: "object"}
	}
	panic("mcptools: no schema for " + t.String()) // seen when the tools are listed, so by every test
}

// marshal writes JSON as a model reads it best: < stays <.
func marshal(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimRight(text.Bytes(), "\n"), nil
}

// has reports whether a field has this name.
func (o object) has(name string) bool {
	return slices.ContainsFunc(o.fields, func(f field) bool { return f.name == name })
}
