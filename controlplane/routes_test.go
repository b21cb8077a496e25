package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// route is one line of routes.go.
type route struct {
	method  string // empty: any
	pattern string // a path with its wildcards
}

// String is the route as routes.go has it.
func (r route) String() string { return strings.TrimSpace(r.method + " " + r.pattern) }

var wildcard = regexp.MustCompile(`\{[^}$]+\}`)

// at is the route's path with the same id for each wildcard.
func (r route) at(id string) string {
	return strings.TrimSuffix(wildcard.ReplaceAllLiteralString(r.pattern, url.PathEscape(id)), "{$}")
}

// allRoutes reads routes.go, so that a URL that is added there is under attack from then on.
func allRoutes(t testing.TB) []route {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "routes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	known := constants(t, "../auth", "../hostagent/protocol")
	var routes []route
	ast.Inspect(file, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok {
			return true
		}
		if f, ok := call.Fun.(*ast.SelectorExpr); ok && (f.Sel.Name == "Handle" || f.Sel.Name == "HandleFunc") {
			method, pattern, ok := strings.Cut(value(t, call.Args[0], known), " ")
			if !ok {
				method, pattern = "", method
			}
			routes = append(routes, route{method, pattern})
		}
		return true
	})
	if len(routes) < 50 {
		t.Fatalf("routes.go has %d routes: it is read wrongly", len(routes))
	}
	return routes
}

// constants are the constants of strings that packages declare, by their names.
func constants(t testing.TB, dirs ...string) map[string]ast.Expr {
	t.Helper()
	found := map[string]ast.Expr{}
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(node ast.Node) bool {
				if spec, ok := node.(*ast.ValueSpec); ok && len(spec.Values) == len(spec.Names) {
					for i, name := range spec.Names {
						found[name.Name] = spec.Values[i]
					}
				}
				return true
			})
		}
	}
	return found
}

// value is what an expression of string constants comes to.
func value(t testing.TB, e ast.Expr, known map[string]ast.Expr) string {
	t.Helper()
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		return text
	case *ast.BinaryExpr:
		return value(t, e.X, known) + value(t, e.Y, known)
	case *ast.SelectorExpr:
		return value(t, known[e.Sel.Name], known)
	case *ast.Ident:
		return value(t, known[e.Name], known)
	}
	t.Fatalf("routes.go has an address that is not made of constants: %T", e)
	return ""
}
