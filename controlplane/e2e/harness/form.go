package harness

import (
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// Page is what a browser shows.
type Page struct {
	URL    *url.URL
	Status int
	Body   string

	root *html.Node
}

// Form is one form of a page, filled in as the page fills it.
type Form struct {
	Action  *url.URL
	Method  string
	Values  url.Values
	Buttons []Button
	fields  map[string]string // the name of each field to its type
}

// Button sends a form.
type Button struct{ Label, Name, Value string }

// Text is the page's visible text, with single spaces.
func (p *Page) Text() string {
	var words []string
	walk(p.root, func(n *html.Node) {
		hidden := n.Parent != nil && (n.Parent.Data == "script" || n.Parent.Data == "style")
		if n.Type == html.TextNode && !hidden {
			words = append(words, strings.Fields(n.Data)...)
		}
	})
	return strings.Join(words, " ")
}

// Element is the text of the element with this id; empty if there is none.
func (p *Page) Element(id string) string {
	var found string
	walk(p.root, func(n *html.Node) {
		if n.Type == html.ElementNode && attribute(n, "id") == id {
			found = (&Page{root: n}).Text()
		}
	})
	return found
}

// Forms are the page's forms.
func (p *Page) Forms() []Form {
	var forms []Form
	walk(p.root, func(n *html.Node) {
		if n.Type == html.ElementNode && n.Data == "form" {
			forms = append(forms, p.form(n))
		}
	})
	return forms
}

// Form finds the form with a button of this label, in whatever case.
func (p *Page) Form(label string) (Form, Button, error) {
	for _, form := range p.Forms() {
		for _, button := range form.Buttons {
			if strings.Contains(strings.ToLower(button.Label), strings.ToLower(label)) {
				return form, button, nil
			}
		}
	}
	return Form{}, Button{}, fmt.Errorf("%s (%d) has no button %q: %s", p.URL, p.Status, label, tail(p.Text()))
}

// passwordForm finds the form that asks for a password.
func (p *Page) passwordForm() (Form, bool) {
	for _, form := range p.Forms() {
		for _, kind := range form.fields {
			if kind == "password" {
				return form, true
			}
		}
	}
	return Form{}, false
}

func (p *Page) form(node *html.Node) Form {
	form := Form{
		Action: p.URL, Method: strings.ToUpper(attribute(node, "method")),
		Values: url.Values{}, fields: map[string]string{},
	}
	if action, err := p.URL.Parse(attribute(node, "action")); err == nil {
		form.Action = action
	}
	walk(node, func(n *html.Node) {
		if n.Type == html.ElementNode {
			form.add(n)
		}
	})
	return form
}

// add takes in one element of a form.
func (f *Form) add(n *html.Node) {
	name, kind, value := attribute(n, "name"), attribute(n, "type"), attribute(n, "value")
	switch n.Data {
	case "button":
		if kind == "" || kind == "submit" {
			f.Buttons = append(f.Buttons, Button{Label: (&Page{root: n}).Text(), Name: name, Value: value})
		}
	case "textarea":
		f.fields[name] = "text"
		f.Values.Set(name, (&Page{root: n}).Text())
	case "select":
		f.fields[name] = "select"
		walk(n, func(option *html.Node) {
			if option.Data == "option" && (!f.Values.Has(name) || has(option, "selected")) {
				f.Values.Set(name, attribute(option, "value"))
			}
		})
	case "input":
		f.addInput(n, name, kind, value)
	}
}

func (f *Form) addInput(n *html.Node, name, kind, value string) {
	switch kind {
	case "submit":
		f.Buttons = append(f.Buttons, Button{Label: value, Name: name, Value: value})
	case "checkbox", "radio":
		f.fields[name] = kind
		if has(n, "checked") {
			f.Values.Add(name, value)
		}
	default:
		f.fields[name] = kind
		f.Values.Set(name, value)
	}
}

func walk(n *html.Node, visit func(*html.Node)) {
	if n == nil {
		return
	}
	for child := range n.Descendants() {
		visit(child)
	}
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, key string) bool {
	for _, a := range n.Attr {
		if a.Key == key {
			return true
		}
	}
	return false
}
