package terminal

import "strings"

const (
	maxTitle  = 512 // bytes
	maxTitles = 10
)

// command acts on a whole OSC. Of all commands only the title is the model's business: hyperlinks, colours and
// notifications are for real terminals, and the clipboard is nobody's.
func (t *Terminal) command(text string) {
	number, rest, _ := strings.Cut(text, ";")
	if number == "0" || number == "2" {
		t.setTitle(cut(Sanitize(rest), maxTitle))
	}
}

func (t *Terminal) setTitle(title string) {
	if title == t.title {
		return
	}
	t.title = title
	if t.Retitled != nil {
		t.Retitled(title)
	}
}

// cut keeps at most n bytes, in whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
