package harness

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const formPage = `<!doctype html><title>Join</title>
<form method="post" action="/logout"><input type="hidden" name="csrf" value="a"><button>Log out</button></form>
<form method="post" action="/users?role=x">
<input type="hidden" name="csrf" value="b"><input name="name" value="alice"><input type="password" name="password">
<select name="role"><option value="member">member<option value="admin" selected>admin</select>
<input type="checkbox" name="on" value="yes" checked><input type="checkbox" name="off" value="yes">
<textarea name="note">two  words</textarea><button name="decision" value="allow">Allow <b>it</b></button>
<button type="button">Copy</button></form><code id="link">http://here/join/x</code>`

func TestForm(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			if err := r.ParseForm(); err != nil {
				t.Error(err)
			}
			_, _ = w.Write([]byte(r.URL.String() + " " + r.PostForm.Encode()))
			return
		}
		_, _ = w.Write([]byte(formPage))
	}))
	t.Cleanup(server.Close)
	browser, err := NewBrowser(server.URL, "alice", "secret")
	if err != nil {
		t.Fatal(err)
	}
	page, err := browser.Get(t.Context(), "/join")
	if err != nil {
		t.Fatal(err)
	}
	if got := page.Element("link"); got != "http://here/join/x" {
		t.Errorf("element: %q", got)
	}
	form, button, err := page.Form("allow")
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"csrf": {"b"}, "name": {"alice"}, "password": {""}, "role": {"admin"}, "on": {"yes"}, "note": {"two words"},
	}
	if diff := cmp.Diff(want, form.Values); diff != "" {
		t.Errorf("values differ (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Button{Label: "Allow it", Name: "decision", Value: "allow"}, button); diff != "" {
		t.Errorf("button differs (-want +got):\n%s", diff)
	}
	browser.fill(form)
	sent, err := browser.Press(t.Context(), form, button)
	if err != nil {
		t.Fatal(err)
	}
	const posted = "/users?role=x csrf=b&decision=allow&name=alice&note=two+words&on=yes&password=secret&role=admin"
	if sent.Body != posted {
		t.Errorf("sent %q, want %q", sent.Body, posted)
	}
}
