package agentkind

import (
	"slices"
	"strings"
)

// claudeDialogs are what the CLI may show before its hooks run; nothing but the screen reports them.
var claudeDialogs = []struct {
	name string
	all  []string // every one stands on the screen
}{
	{"trust", []string{"Accessing workspace:", "Yes, I trust this folder", "No, exit", "Enter to confirm"}},
	{"API key", []string{"Detected a custom API key in your environment", "Enter to confirm"}},
	{"theme", []string{"Choose the text style that looks best with your terminal"}},
	{"login", []string{"Select login method:"}},
	{"permission mode", []string{"Make auto mode your default permission mode?"}},
}

const (
	claudeTrusts  = "Yes, I trust this folder"
	claudeRefuses = "No, exit"
)

func readClaudeScreen(screen []string) (Dialog, bool) {
	text := strings.Join(screen, "\n")
	for _, d := range claudeDialogs {
		if slices.ContainsFunc(d.all, func(part string) bool { return !strings.Contains(text, part) }) {
			continue
		}
		if d.name == "trust" {
			return claudeTrustDialog(screen), true
		}
		return Dialog{Name: d.name}, true
	}
	return Dialog{}, false
}

// claudeTrustDialog has "No, exit" selected when it appears. A person may have moved the cursor.
func claudeTrustDialog(screen []string) Dialog {
	ask := Ask{
		Kind:   AskTrust,
		Title:  "Does the agent get to trust this directory?",
		Detail: between(screen, "Accessing workspace:", "Enter to confirm"),
		Options: []Option{
			{ID: OptionAllow, Label: claudeTrusts, Effect: "remembered for this directory and all below it"},
			{ID: OptionDeny, Label: claudeRefuses, Effect: "the agent exits"},
		},
	}
	dialog := Dialog{Name: "trust", Ask: &ask, Keys: map[string]Keys{
		OptionAllow: {Move: []byte("\x1b[B"), Confirm: []byte("\r")},
		OptionDeny:  {Move: []byte("\x1b[A"), Confirm: []byte("\r")},
	}}
	for _, line := range screen {
		switch strings.TrimSpace(line) {
		case "❯ " + claudeTrusts:
			dialog.Selected = OptionAllow
		case "❯ " + claudeRefuses:
			dialog.Selected = OptionDeny
		}
	}
	return dialog
}

// between is the text from the line that has first to the line before the one that has last, without options.
func between(screen []string, first, last string) string {
	var kept []string
	inside := false
	for _, line := range screen {
		if strings.Contains(line, last) {
			break
		}
		inside = inside || strings.Contains(line, first)
		line = strings.TrimSpace(line)
		option := strings.HasSuffix(line, claudeTrusts) || strings.HasSuffix(line, claudeRefuses)
		if inside && !option {
			kept = append(kept, line)
		}
	}
	return strings.TrimSpace(strings.Join(kept, "\n"))
}

// claudeBox looks at the input box: what stands between the last two rules across the screen. While messages are
// queued the empty box says so, which is no draft.
func claudeBox(screen []string) Box {
	rules := []int{}
	for i, line := range screen {
		if strings.HasPrefix(line, "────────") {
			rules = append(rules, i)
		}
	}
	if len(rules) < 2 {
		return BoxUnseen
	}
	box := screen[rules[len(rules)-2]+1 : rules[len(rules)-1]]
	if len(box) == 0 {
		return BoxUnseen
	}
	first, more := strings.TrimSpace(box[0]), strings.TrimSpace(strings.Join(box[1:], ""))
	if strings.HasPrefix(first, "!") {
		return BoxDraft // a shell command
	}
	first, isBox := strings.CutPrefix(first, "❯")
	if !isBox {
		return BoxUnseen
	}
	first = strings.TrimSpace(first)
	if first != "" && first != "Press up to edit queued messages" || more != "" {
		return BoxDraft
	}
	return BoxEmpty
}
