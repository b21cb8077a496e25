package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// mayImport is ARCHITECTURE.md's table: which of our packages each of our packages may import. What is not
// listed may import nothing of ours. Tests may import more.
var mayImport = map[string][]string{
	"auth":                  {"auth/audit", "auth/outbound", "auth/seal"},
	"hostagent/holder":      {"hostagent/protocol", "hostagent/socket", "hostagent/terminal"},
	"hostagent/link":        {"hostagent/protocol"},
	"hostagent/session":     {"hostagent/protocol", "hostagent/agentkind", "hostagent/terminal", "hostagent/holder", "hostagent/policy"},
	"controlplane/dispatch": {"hostagent/protocol"},
	"controlplane/notify":   {"auth", "auth/outbound"},
	"controlplane/fleet": {"auth", "auth/audit", "auth/outbound", "auth/seal", "controlplane/dispatch", "controlplane/notify",
		"hostagent/protocol"},
	"controlplane/mcphttp":    {"auth", "controlplane/mcpsession"},
	"controlplane/mcpsession": {"auth"},
	"controlplane/mcptools":   {"auth", "auth/seal", "controlplane/fleet", "hostagent/protocol"},
	"controlplane/postgres":   {"auth", "auth/audit", "controlplane/fleet", "controlplane/mcpsession", "hostagent/protocol", "migrations"},
	"web":                     {"auth", "auth/audit", "controlplane/fleet", "hostagent/protocol", "hostagent/terminal"},
	"hostagent": {"hostagent/protocol", "hostagent/agentkind", "hostagent/holder", "hostagent/link", "hostagent/policy",
		"hostagent/session", "hostagent/socket", "hostagent/terminal"},
	"controlplane": {"auth", "auth/outbound", "auth/seal", "controlplane/notify", "controlplane/dispatch", "controlplane/embedded", "controlplane/fleet",
		"controlplane/mcphttp", "controlplane/mcptools", "controlplane/postgres", "hostagent/protocol", "web"},
}

// equipment is for tests, and in no program.
var equipment = []string{"controlplane/embedded/pgtest", "auth/outbound/outboundtest"}

// knows says which packages alone may import a library whose misuse would break the design.
var knows = map[string][]string{
	"github.com/jackc/pgx/v5":         {"controlplane/postgres", "controlplane/embedded", "controlplane/embedded/pgtest"},
	"github.com/nats-io/nats.go":      {"controlplane/dispatch", "controlplane/embedded", "hostagent/link", "controlplane", "hostagent"},
	"github.com/nats-io/nats-server":  {"controlplane/embedded"},
	"github.com/ory/fosite":           {"auth"},
	"github.com/go-webauthn/webauthn": {"auth"},
	"github.com/coreos/go-oidc":       {"auth"},
	"golang.org/x/oauth2":             {"auth"},
	"github.com/mark3labs/mcp-go":     {"controlplane/mcptools", "controlplane/mcphttp"},
	"mvdan.cc/sh":                     {"hostagent/policy"},
	"github.com/creack/pty":           {"hostagent/terminal", "hostagent/holder"},
}

// exempt are files that no release is built from.
var exempt = map[string]string{"controlplane/conformance.go": "controlplane/e2e/fixtures"}

func TestImports(t *testing.T) {
	for pkg, files := range goFiles(t) {
		if strings.HasPrefix(pkg, "controlplane/e2e") || slices.Contains(equipment, pkg) {
			continue // test equipment: in no program
		}
		for _, file := range files {
			for _, imported := range imports(t, file) {
				ours, ok := strings.CutPrefix(imported, "switchboard/")
				if ok && !slices.Contains(mayImport[pkg], ours) && exempt[path.Join(pkg, filepath.Base(file))] != ours {
					t.Errorf("%s imports %s; ARCHITECTURE.md's table does not let package %s", file, ours, pkg)
				}
				for library, users := range knows {
					if strings.HasPrefix(imported, library) && !slices.Contains(users, pkg) {
						t.Errorf("%s imports %s, which only %s may know", file, imported, strings.Join(users, ", "))
					}
				}
			}
		}
	}
}

func TestPackageComments(t *testing.T) {
	for pkg, files := range goFiles(t) {
		var with []string
		for _, file := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if parsed.Doc != nil {
				with = append(with, filepath.Base(file))
			}
		}
		if len(with) != 1 {
			t.Errorf("package %s has %d package comments %v, want exactly one", pkg, len(with), with)
		}
	}
}

// goFiles lists the module's Go files that are not tests, by package directory.
func goFiles(t *testing.T) map[string][]string {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]string{}
	err = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			relative, err := filepath.Rel(root, name)
			if err != nil {
				return err
			}
			pkg := path.Dir(filepath.ToSlash(relative))
			files[pkg] = append(files[pkg], name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func imports(t *testing.T, file string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, imported)
	}
	return paths
}
