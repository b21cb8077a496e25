package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// documents are what people read of this repository.
var documents = []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "deploy/README.md"}

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
	for _, document := range documents {
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

// serveLine and flagName find the flags with which the documents start a control plane.
var (
	serveLine = regexp.MustCompile("controlplane serve[^`\n]*|start with that as[^\n]*")
	flagName  = regexp.MustCompile(`--([a-z][a-z-]*)`)
)

func TestDocumentsNameRealFlags(t *testing.T) {
	parser, err := kong.New(&commands{}, kong.Vars{"version": version, "data": defaultData()})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"help": true}
	for _, command := range parser.Model.Children {
		for _, flag := range command.Flags {
			known[flag.Name] = true
		}
	}
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := serveLine.FindAllString(string(text), -1)
	if len(lines) < 3 {
		t.Errorf("found only %q", lines)
	}
	for _, flag := range flagName.FindAllStringSubmatch(strings.Join(lines, "\n"), -1) {
		if !known[flag[1]] {
			t.Errorf("README.md uses --%s, which there is not", flag[1])
		}
	}
}

// makeTarget finds what the documents have people make.
var makeTarget = regexp.MustCompile("(?m)(?:^|`)make ([a-z]+)")

func TestDocumentsNameRealTargets(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range documents {
		text, err := os.ReadFile(filepath.Join("..", document))
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range makeTarget.FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(string(makefile), "\n"+target[1]+": ") {
				t.Errorf("%s names `make %s`, which there is not", document, target[1])
			}
		}
	}
}
