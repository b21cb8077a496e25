package agentkind

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// An MCP server may ask the person something in the middle of a tool's call. The CLI opens a dialog for it only when
// the hook Elicitation has ended, so that this one is never held. The hook ElicitationResult comes when a person has
// closed the dialog, before the server is told, and can say something else in that answer's place.
const (
	claudeFormHook       = "Elicitation"
	claudeFormResultHook = "ElicitationResult"
)

// claudeForm is what the hooks of an MCP server's question have beside.
type claudeForm struct {
	Server  string          `json:"mcp_server_name"`
	Says    string          `json:"message"` // what is asked; of a Notification: what it tells
	Asks    string          `json:"mode"`    // form or url
	URL     string          `json:"url"`
	FormID  string          `json:"elicitation_id"`
	Schema  json.RawMessage `json:"requested_schema"` // the server's; it may be anything
	Action  string          `json:"action"`
	Content json.RawMessage `json:"content"`
	Notice  string          `json:"notification_type"`
}

// schema reads the form, and says why it could not be filled in from afar; empty: it can.
func (f claudeForm) schema() (schema claudeFormSchema, unfit string) {
	if len(f.Schema) == 0 {
		return schema, ""
	}
	if err := json.Unmarshal(f.Schema, &schema); err != nil {
		return schema, "its form cannot be read"
	}
	known := []string{"string", "integer", "number", "boolean", "array", ""}
	for _, field := range schema.Properties {
		if !slices.Contains(known, field.Type) || field.Type == "array" && len(field.values()) == 0 {
			return schema, fmt.Sprintf("its form has a field, %s, of a kind that is not known here", oneLine(field.Name))
		}
	}
	return schema, ""
}

// claudeFormSchema is the schema of a form: one flat object.
type claudeFormSchema struct {
	Properties claudeFields `json:"properties"`
	Required   []string     `json:"required"`
}

// claudeFields are a form's fields, in its order.
type claudeFields []claudeField

// claudeField is one field of a form, by the subset of JSON Schema that MCP allows there.
type claudeField struct {
	Name        string
	Type        string          `json:"type"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Format      string          `json:"format"`
	Pattern     string          `json:"pattern"`
	MinLength   *int            `json:"minLength"`
	MaxLength   *int            `json:"maxLength"`
	Minimum     *float64        `json:"minimum"`
	Maximum     *float64        `json:"maximum"`
	Default     json.RawMessage `json:"default"`
	claudeFieldValues
	Items    claudeFieldValues `json:"items"`
	MinItems *int              `json:"minItems"`
	MaxItems *int              `json:"maxItems"`
}

// claudeFieldValues are the values that a field is limited to, in each of the forms that MCP has had for that.
type claudeFieldValues struct {
	Enum  []string      `json:"enum"`
	Names []string      `json:"enumNames"`
	OneOf []claudeValue `json:"oneOf"`
	AnyOf []claudeValue `json:"anyOf"`
}

type claudeValue struct {
	Value string `json:"const"`
	Title string `json:"title"`
}

// UnmarshalJSON keeps the order, in which people read a form.
func (fields *claudeFields) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		var field claudeField
		if err := decoder.Decode(&field); err != nil {
			return err
		}
		field.Name = fmt.Sprint(name)
		*fields = append(*fields, field)
	}
	return nil
}

// values lists what the field is limited to; none for one that takes words.
func (f claudeField) values() []claudeValue {
	from := f.claudeFieldValues
	if f.Type == "array" {
		from = f.Items
	}
	if f.Type == "boolean" {
		return []claudeValue{{"true", "Yes"}, {"false", "No"}}
	}
	values := append(slices.Clone(from.OneOf), from.AnyOf...)
	for i, value := range from.Enum {
		name := value
		if i < len(from.Names) {
			name = from.Names[i]
		}
		values = append(values, claudeValue{value, name})
	}
	for i, value := range values {
		if value.Title == "" {
			values[i].Title = value.Value
		}
	}
	return values
}

func askForm(raw claudeHook) Ask {
	ask := Ask{
		Kind: AskForm, Tool: raw.Server,
		Title:   fmt.Sprintf("MCP server %s asks: %s", oneLine(raw.Server), oneLine(raw.Says)),
		Detail:  raw.Says,
		Options: []Option{{ID: OptionDeny, Label: "Decline", Effect: "the server is told that you decline"}},
	}
	if raw.Asks == "url" {
		ask.Detail += "\n\nIt wants this address opened:\n" + raw.URL
		ask.Options = slices.Insert(ask.Options, 0, Option{
			ID: OptionAllow, Label: "Accept", Effect: "the server is told that you agree; open the address yourself, it is opened nowhere",
		})
		return ask
	}
	schema, unfit := raw.schema()
	if unfit != "" {
		ask.AtTerminal = unfit
		return ask
	}
	for _, field := range schema.Properties {
		question := schema.question(field)
		ask.AllowsText = ask.AllowsText || len(question.Options) == 0
		ask.Questions = append(ask.Questions, question)
	}
	if len(ask.Questions) == 0 {
		ask.Options = slices.Insert(ask.Options, 0, Option{ID: OptionAllow, Label: "Accept"})
	}
	return ask
}

func (s claudeFormSchema) question(field claudeField) Question {
	q := Question{
		Header: field.Name, Text: field.Title, MultiSelect: field.Type == "array",
		Optional: !slices.Contains(s.Required, field.Name), Wants: field.wants(),
	}
	if q.Text == "" {
		q.Text = field.Name
	}
	if field.Description != "" {
		q.Text += ": " + field.Description
	}
	for _, value := range field.values() {
		q.Options = append(q.Options, QuestionOption{Label: value.Title})
	}
	return q
}

// wants says what an answer must be.
func (f claudeField) wants() string {
	var words []string
	switch f.Type {
	case "integer":
		words = append(words, "a whole number")
	case "number":
		words = append(words, "a number")
	case "string":
		if word := claudeFormats[f.Format].words; word != "" {
			words = append(words, word)
		}
	}
	words = append(words, bounds(f.Minimum, f.Maximum, "")...)
	words = append(words, bounds(asFloat(f.MinLength), asFloat(f.MaxLength), " characters")...)
	words = append(words, bounds(asFloat(f.MinItems), asFloat(f.MaxItems), " of them")...)
	if f.Pattern != "" {
		words = append(words, "matching "+f.Pattern)
	}
	if len(f.Default) > 0 {
		words = append(words, "left out: "+f.plainDefault())
	}
	return strings.Join(words, ", ")
}

func bounds(least, most *float64, of string) []string {
	switch {
	case least != nil && most != nil:
		return []string{fmt.Sprintf("%v to %v%s", *least, *most, of)}
	case least != nil:
		return []string{fmt.Sprintf("at least %v%s", *least, of)}
	case most != nil:
		return []string{fmt.Sprintf("at most %v%s", *most, of)}
	}
	return nil
}

func asFloat(n *int) *float64 {
	if n == nil {
		return nil
	}
	f := float64(*n)
	return &f
}

// plainDefault is the value that the dialog begins with, as people read it.
func (f claudeField) plainDefault() string {
	var value string
	if json.Unmarshal(f.Default, &value) != nil {
		value = string(f.Default)
	}
	for _, v := range f.values() {
		if v.Value == value {
			return v.Title
		}
	}
	return value
}

// values is what was filled in, in words.
func (f claudeForm) values() string {
	var filled map[string]any
	if json.Unmarshal(f.Content, &filled) != nil {
		return ""
	}
	var words []string
	for name, value := range filled {
		words = append(words, fmt.Sprintf("%s: %v", name, value))
	}
	slices.Sort(words)
	return strings.Join(words, "; ")
}

// claudeFormOver reads the notice of what a server was told: Elicitation response for server "asker": cancel.
func claudeFormOver(notice string) (server, action string) {
	words, action, _ := strings.Cut(notice, `": `)
	_, server, _ = strings.Cut(words, `"`)
	return server, action
}
