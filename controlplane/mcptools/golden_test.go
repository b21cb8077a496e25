package mcptools

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files and the README's table")

// What clients see of a tool is stored by them for a long time: a change here is a change for them.
func TestGolden(t *testing.T) {
	names := map[string]bool{}
	for _, tool := range Tools() {
		t.Run(tool.Name, func(t *testing.T) {
			compareGolden(t, filepath.Join("testdata", tool.Name+".json"), indented(t, tool.listing()))
		})
		names[tool.Name+".json"] = true
	}
	names["resource_templates.json"], names["prompts.json"] = true, true // TestGoldenLists
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !file.IsDir() && !names[file.Name()] {
			t.Errorf("testdata/%s belongs to no tool", file.Name())
		}
	}
}

// The same holds for the templates of resources, and for the prompts.
func TestGoldenLists(t *testing.T) {
	var templates, prompts []any
	for _, kind := range resourceKinds() {
		templates = append(templates, kind.listing())
	}
	for _, starter := range Starters() {
		prompts = append(prompts, starter.listing())
	}
	compareGolden(t, filepath.Join("testdata", "resource_templates.json"), indented(t, templates))
	compareGolden(t, filepath.Join("testdata", "prompts.json"), indented(t, prompts))
}

func indented(t *testing.T, v any) string {
	t.Helper()
	compact, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := json.Indent(&text, compact, "", "  "); err != nil {
		t.Fatal(err)
	}
	return text.String() + "\n"
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), rewrite with -update:\n%s", name, diff)
	}
}

const tableBegin, tableEnd = "<!-- tools -->\n", "<!-- /tools -->"

func TestToolTable(t *testing.T) {
	const name = "../../README.md"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tableBegin)
	table, after, closed := strings.Cut(rest, tableEnd)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table", name)
	}
	want := toolTable()
	if *update {
		if err := os.WriteFile(name, []byte(before+tableBegin+want+tableEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Errorf("README.md's table of tools (-want +got), rewrite with -update:\n%s", diff)
	}
}

func toolTable() string {
	var table strings.Builder
	table.WriteString("| tool | what it does | scope |\n|---|---|---|\n")
	for _, tool := range Tools() {
		scope := "any"
		if tool.Scope != "" {
			scope = "`" + string(tool.Scope) + "`"
		}
		sentence, _, _ := strings.Cut(tool.Description, ". ")
		sentence, _, _ = strings.Cut(sentence, ": ")
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", tool.Name, strings.TrimSuffix(sentence, "."), scope)
	}
	return table.String()
}

func TestInstructionsBeginWithWhatMatters(t *testing.T) {
	first, _, _ := strings.Cut(instructions, "\n\n")
	if n := utf8.RuneCountInString(first); n > 512 {
		t.Errorf("the essentials have %d characters; clients show 512", n)
	}
	for _, phrase := range []string{"without asking", "keep going", "retry"} {
		for _, starter := range Starters() {
			if strings.Contains(strings.ToLower(starter.Description), phrase) {
				t.Errorf("%s says %q, which ChatGPT takes for a suspicious instruction", starter.Name, phrase)
			}
		}
		for _, tool := range Tools() {
			if strings.Contains(strings.ToLower(tool.Description), phrase) {
				t.Errorf("%s says %q, which ChatGPT takes for a suspicious instruction", tool.Name, phrase)
			}
		}
	}
}
