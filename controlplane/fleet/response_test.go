package fleet

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/hostagent/protocol"
)

var permission = protocol.Prompt{
	Kind: protocol.PromptPermission, AllowsText: true,
	Options: []protocol.Option{
		{ID: "allow", Label: "Yes"},
		{ID: "allow_always", Label: "Yes, and don’t ask again for make"},
		{ID: "deny", Label: "No"},
	},
}

var wordless = protocol.Prompt{Kind: protocol.PromptPermission, Options: permission.Options}

var plan = protocol.Prompt{
	Kind: protocol.PromptPlan, AllowsText: true,
	Options: []protocol.Option{
		{ID: "allow_accept_edits", Label: "Yes, and auto-accept edits"},
		{ID: "allow_manual", Label: "Yes, and approve edits by hand"},
		{ID: "deny", Label: "No, keep planning"},
	},
}

func option(id string) protocol.Answer       { return protocol.Answer{Option: id} }
func denial(reason string) protocol.Answer   { return protocol.Answer{Option: "deny", Text: reason} }
func words(text string) protocol.Answer      { return protocol.Answer{Text: text} }
func choices(of ...[]string) protocol.Answer { return protocol.Answer{Choices: of} }
func question(multi bool) protocol.Question {
	return protocol.Question{Text: "Which database?", MultiSelect: multi, Options: []protocol.QuestionOption{
		{Label: "SQLite"}, {Label: "PostgreSQL"}, {Label: "None, for now"},
	}}
}

func asking(text bool, questions ...protocol.Question) protocol.Prompt {
	return protocol.Prompt{
		Kind: protocol.PromptChoice, AllowsText: text, Questions: questions, Options: []protocol.Option{{ID: "decline", Label: "Decline"}},
	}
}

// form is an MCP server's question.
var form = protocol.Prompt{
	Kind: protocol.PromptElicitation, AllowsText: true, Options: []protocol.Option{{ID: "deny", Label: "Decline"}},
	Questions: []protocol.Question{
		{Text: "Colour"},
		{Text: "Coats", Wants: "a whole number, 1 to 9", Optional: true},
		{Text: "Sure?", Options: []protocol.QuestionOption{{Label: "Yes"}, {Label: "No"}}},
	},
}

// wordForm is one that asks for nothing but words.
var wordForm = protocol.Prompt{
	Kind: protocol.PromptElicitation, AllowsText: true, Options: form.Options, Questions: form.Questions[:1],
}

func TestReadResponse(t *testing.T) {
	whole, numberedWhole := asking(false, question(false)), asking(false, question(false))
	whole.Options = []protocol.Option{{ID: "deny", Label: "No"}, {ID: "chat", Label: "Chat about this"}}
	numberedWhole.Options = []protocol.Option{{ID: "2", Label: "1"}, {ID: "1", Label: "2"}}
	numbered := protocol.Question{Text: "How many?", Options: []protocol.QuestionOption{{Label: "2"}, {Label: "1"}}}
	tests := []struct {
		name     string
		prompt   protocol.Prompt
		response string
		want     protocol.Answer
		invalid  string // part of the error
	}{
		{"yes", permission, "yes", option("allow"), ""},
		{"in capitals and with a full stop", permission, " YES. ", option("allow"), ""},
		{"approve", permission, "approve", option("allow"), ""},
		{"go ahead", permission, "Go ahead!", option("allow"), ""},
		{"an option's id", permission, "allow_always", option("allow_always"), ""},
		{"always", permission, "always", option("allow_always"), ""},
		{"a label with another apostrophe", permission, "yes, and don't ask again for make", option("allow_always"), ""},
		{"a number", permission, "2", option("allow_always"), ""},
		{"a number with a bracket", permission, "3)", option("deny"), ""},
		{"no", permission, "no", option("deny"), ""},
		{"no with a reason", permission, "no, use a branch", denial("use a branch"), ""},
		{"no with a reason and a dash", permission, "No – use a branch.", denial("use a branch."), ""},
		{"deny with a reason", permission, "deny: not on main", denial("not on main"), ""},
		{"no with a reason on the next line", permission, "no\nnot on main", denial("not on main"), ""},
		{"no with a reason, though words are not allowed", wordless, "no, use a branch", denial("use a branch"), ""},
		{"words", permission, "use a branch instead", words("use a branch instead"), ""},
		{"words where none are allowed", wordless, "use a branch instead", protocol.Answer{}, `1 "Yes" (allow)`},
		{"yes with a condition", permission, "yes but not on main", protocol.Answer{}, "takes 1"},
		{"yes with a condition after a comma", permission, "yes, but not on main", protocol.Answer{}, "takes 1"},
		{"no that means yes", permission, "no problem, go ahead", protocol.Answer{}, "takes 1"},
		{"a word that begins like an answer", permission, "allowlist it first", words("allowlist it first"), ""},
		{"a question withheld from afar", protocol.Prompt{Kind: protocol.PromptChoice, Questions: []protocol.Question{question(false)}}, "SQLite", protocol.Answer{}, "terminal only"},
		{"yes where there is nothing but words", protocol.Prompt{AllowsText: true}, "yes", words("yes"), ""},
		{"no such number", permission, "4", protocol.Answer{}, "takes 1"},
		{"zero", wordless, "0", protocol.Answer{}, "takes 1"},
		{"nothing", permission, " \n", protocol.Answer{}, "empty"},
		{"a full stop", wordless, ".", protocol.Answer{}, "takes 1"},
		{"too long", permission, strings.Repeat("x", maxResponse+1), protocol.Answer{}, "at most"},
		{"control character", permission, "yes\x1b[A", protocol.Answer{}, "U+001B at byte 3"},
		{"invalid UTF-8", permission, "yes\xff", protocol.Answer{}, "UTF-8"},

		{"yes to a plan with two kinds of it", plan, "yes", protocol.Answer{}, "takes 1"},
		{"a plan's option", plan, "1", option("allow_accept_edits"), ""},
		{"a plan's denial by its label", plan, "no, keep planning", option("deny"), ""},
		{"a plan's denial with a reason", plan, "no, add tests", denial("add tests"), ""},

		{"a label", asking(false, question(false)), "postgresql", choices([]string{"PostgreSQL"}), ""},
		{"a label's number", asking(false, question(false)), "1", choices([]string{"SQLite"}), ""},
		{"a label with a comma", asking(false, question(true)), "none, for now", choices([]string{"None, for now"}), ""},
		{"a label with a comma and another", asking(false, question(true)), "None, for now, SQLite", choices([]string{"None, for now", "SQLite"}), ""},
		{"another and a label with a comma", asking(false, question(true)), "sqlite,none, for now", choices([]string{"SQLite", "None, for now"}), ""},
		{"half of a label with a comma", asking(false, question(true)), "none, SQLite", protocol.Answer{}, `"none" is no option`},
		{"a label as lists show it", asking(false, question(true)), "2. PostgreSQL, 3. None, for now",
			choices([]string{"PostgreSQL", "None, for now"}), ""},
		{"a label with another's number", asking(false, question(false)), "1. PostgreSQL", protocol.Answer{}, `2 "PostgreSQL"`},
		{"a number, beside options of the whole", whole, "2", choices([]string{"PostgreSQL"}), ""},
		{"a number, beside options of the whole that have numbers for names", numberedWhole, "2", choices([]string{"PostgreSQL"}), ""},
		{"an option of the whole", whole, "Chat about this", option("chat"), ""},
		{"several labels", asking(false, question(true)), "1, postgresql, 1", choices([]string{"SQLite", "PostgreSQL"}), ""},
		{"several lines", asking(false, question(true)), "1\n2", choices([]string{"SQLite", "PostgreSQL"}), ""},
		{"two labels where one is wanted", asking(true, question(false)), "1, 2", protocol.Answer{}, "takes one answer"},
		{"a label and something else", asking(true, question(true)), "1, MySQL", protocol.Answer{}, `"MySQL" is no option`},
		{"own words", asking(true, question(false)), "MySQL", choices([]string{"MySQL"}), ""},
		{"own words where none are allowed", asking(false, question(false)), "MySQL", protocol.Answer{}, `2 "PostgreSQL"`},
		{"a number that no label has", asking(true, question(false)), "7", protocol.Answer{}, "no such number"},
		{"a label that is another's number", asking(false, numbered), "1", protocol.Answer{}, "more than one"},
		{"two questions", asking(false, question(false), question(true)), "2\n1, 2",
			choices([]string{"PostgreSQL"}, []string{"SQLite", "PostgreSQL"}), ""},
		{"a form", form, "red\n7\nno", choices([]string{"red"}, []string{"7"}, []string{"No"}), ""},
		{"a form with what may be left out", form, "red, or blue\n-\n1", choices([]string{"red, or blue"}, []string{}, []string{"Yes"}), ""},
		{"a form with words for a choice", form, "red\n-\nperhaps", protocol.Answer{}, `takes "Sure?": 1 "Yes", 2 "No"`},
		{"a form, declined", form, "decline", option("deny"), ""},
		{"a form for words, declined", wordForm, "deny", option("deny"), ""},
		{"a form for words, with an option's label", wordForm, "Decline", protocol.Answer{}, `say deny for the option, or put the words in quotes, as in "Decline"`},
		{"a form for words, with a label in quotes", wordForm, `"Decline"`, choices([]string{"Decline"}), ""},
		{"a form for words, with an id in quotes", wordForm, `"deny"`, choices([]string{"deny"}), ""},
		{"a form for words, with other quotes", wordForm, `"red"`, choices([]string{`"red"`}), ""},
		{"a form, half", form, "red", protocol.Answer{}, `"Coats": your own words, (a whole number, 1 to 9), or - to leave it out`},
		{"at the terminal only", protocol.Prompt{Kind: protocol.PromptDialog}, "yes", protocol.Answer{}, "own terminal only"},
		{"two questions, one line", asking(true, question(false), question(false)), "2", protocol.Answer{}, "1 lines for 2 questions"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := readResponse(test.prompt, test.response)
			if test.invalid != "" {
				if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), test.invalid) {
					t.Fatalf("answer %+v, error %v; want an invalid one with %q", got, err, test.invalid)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, test.want); diff != "" {
				t.Errorf("answer (got -, want +):\n%s", diff)
			}
		})
	}
}

// FuzzReadResponse checks that whatever is said becomes an answer that the prompt really offers, or an error.
func FuzzReadResponse(f *testing.F) {
	prompts := []protocol.Prompt{permission, wordless, plan, asking(false, question(false)), asking(true, question(true), question(false)), form}
	for _, said := range []string{"yes", "no, use a branch", "2.", "1, 2", "1\n2", "…", "ok\n", "-1", ","} {
		f.Add(uint8(0), said)
		f.Add(uint8(4), said)
	}
	f.Fuzz(func(t *testing.T, which uint8, said string) {
		p := prompts[int(which)%len(prompts)]
		answer, err := readResponse(p, said)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("error %v", err)
			}
			return
		}
		checkOffered(t, p, answer)
	})
}

func checkOffered(t *testing.T, p protocol.Prompt, a protocol.Answer) {
	t.Helper()
	if a.Option != "" && !slices.ContainsFunc(p.Options, func(o protocol.Option) bool { return o.ID == a.Option }) {
		t.Fatalf("option %q is not offered", a.Option)
	}
	if a.Option == "" && a.Text != "" && !p.AllowsText {
		t.Fatalf("words %q are not allowed", a.Text)
	}
	if a.Option == "" && a.Text == "" && len(a.Choices) == 0 {
		t.Fatal("an answer that says nothing")
	}
	if a.Option != "" || a.Text != "" {
		return
	}
	if len(a.Choices) != len(p.Questions) {
		t.Fatalf("%d choices for %d questions", len(a.Choices), len(p.Questions))
	}
	for i, labels := range a.Choices {
		q := p.Questions[i]
		if (len(labels) == 0 && !q.Optional) || (len(labels) > 1 && !q.MultiSelect) {
			t.Fatalf("choices %q to question %d", labels, i+1)
		}
		for _, label := range labels {
			offered := slices.ContainsFunc(q.Options, func(o protocol.QuestionOption) bool { return o.Label == label })
			if !offered && (!p.AllowsText || len(labels) > 1 || p.Kind == protocol.PromptElicitation && len(q.Options) > 0) {
				t.Fatalf("label %q is not offered", label)
			}
		}
	}
}
