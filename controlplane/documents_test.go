package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// inBackticks finds paths of this repository in a document: `web/static`, `deploy/nats.conf`, `ARCHITECTURE.md`.
var inBackticks = regexp.MustCompile("`([A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*/?)`")

func TestDocumentsNameRealPaths(t *testing.T) {
	tops, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	ours := map[string]bool{}
	for _, top := range tops {
		ours[top.Name()] = true
	}
	for _, document := range []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "deploy/README.md"} {
		text, err := os.ReadFile(filepath.Join("..", document))
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range inBackticks.FindAllStringSubmatch(string(text), -1) {
			name := match[1]
			first, rest, nested := strings.Cut(name, "/")
			isPath := ours[first] && nested && rest != "" || strings.HasSuffix(name, ".md")
			if !isPath {
				continue
			}
			if _, err := os.Stat(filepath.Join("..", name)); err != nil {
				t.Errorf("%s names `%s`, which does not exist", document, name)
			}
		}
	}
}
