package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed templates
var templateFiles embed.FS

// templates are the pages by name: each is layout.html and the partials together with its own file, which defines
// "main".
var templates = parseTemplates()

var functions = template.FuncMap{
	"asset": func(name string) string { return assets[name].address },
	"under": func(at, section string) bool { return at == section || strings.HasPrefix(at, section+"/") },
	"line":  line,
	"text":  block,
	"pair":  pair,
	"prose": prose,
	"begin": beginning,
}

func parseTemplates() map[string]*template.Template {
	shared := template.Must(template.New("").Funcs(functions).ParseFS(templateFiles,
		"templates/layout.html", "templates/partials/*.html"))
	files, err := fs.Glob(templateFiles, "templates/pages/*.html")
	if err != nil {
		panic(err) // the pattern is constant
	}
	pages := map[string]*template.Template{}
	for _, file := range files {
		page := template.Must(template.Must(shared.Clone()).ParseFS(templateFiles, file))
		pages[strings.TrimSuffix(path.Base(file), ".html")] = page
	}
	return pages
}

// pair gives a partial two things: the page's view, for its CSRF token, and what it is about.
func pair(view view, item any) map[string]any { return map[string]any{"View": view, "Item": item} }

// view is what every template gets.
type view struct {
	Title string
	Path  string
	Visit *visit // nil: nobody is logged in
	CSRF  string
	Data  any // the page's own
}

// show writes a page. It is rendered whole before the first byte goes out, so an error can still become a page.
func (p *Pages) show(w http.ResponseWriter, status int, name string, v view) error {
	page, ok := templates[name]
	if !ok {
		return fmt.Errorf("page %s has no template", name)
	}
	var body bytes.Buffer
	if err := page.ExecuteTemplate(&body, "layout", v); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // the reader has gone; nobody is left to tell
	return nil
}
