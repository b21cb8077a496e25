package agentkind

import (
	"slices"
	"strings"
)

// claudeDialog is a screen of the CLI's own.
type claudeDialog struct {
	name  string
	all   []string // every one stands on the screen, and the dialog begins with the first
	title string
	why   string // it is answered at the terminal
}

// claudeDialogs are the screens that nothing else reports. A login may come in the middle of a session too.
var claudeDialogs = []claudeDialog{
	{name: "trust", all: []string{"Accessing workspace:", "Yes, I trust this folder", "No, exit", "Enter to confirm"}},
	{
		"API key", []string{"Detected a custom API key in your environment", "Enter to confirm"},
		"May the agent use the API key of its environment?", "it decides who pays for this machine's sessions",
	},
	{
		"theme", []string{"Choose the text style that looks best with your terminal"},
		"Which colours does the terminal get?", "it is about how that terminal looks",
	},
	{
		"login", []string{"Select login method:"},
		"The agent asks to be logged in", "a login needs the browser and the account of the person at this machine",
	},
	{
		"permission mode", []string{"Make auto mode your default permission mode?"},
		"May the agent make auto mode the default of this machine?", "it is about every session of this machine",
	},
	{
		"auto mode", []string{"Auto mode can't check actions in this session", "Enter to stay in auto mode"},
		"Does the agent stay in auto mode, though its actions cannot be checked?", "it is about what runs without a question from now on",
	},
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
		return d.read(screen), true
	}
	return Dialog{}, false
}

func (d claudeDialog) read(screen []string) Dialog {
	first := slices.IndexFunc(screen, func(line string) bool { return strings.Contains(line, d.all[0]) })
	var lines []string
	for _, line := range screen[first:] {
		lines = append(lines, strings.TrimSpace(line))
	}
	return Dialog{Name: d.name, Ask: &Ask{
		Kind: AskDialog, Title: d.title, Detail: strings.TrimSpace(strings.Join(lines, "\n")), AtTerminal: d.why,
	}}
}

// readClaudeUnreported is of a dialog that the status file alone tells of. One such asks for what auto mode could not
// check. What it asks stands below a rule across the screen, the last that something stands below.
func readClaudeUnreported(s Status, screen []string) Dialog {
	var asks, below []string
	for _, line := range append(slices.Clone(screen), claudeRule) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, claudeThinRule): // a phone would break it
		case !strings.HasPrefix(line, claudeRule):
			below = append(below, line)
		default:
			if strings.Join(below, "") != "" {
				asks = below
			}
			below = nil
		}
	}
	return Dialog{Name: s.Dialog, Unreported: true, Ask: &Ask{
		Kind: AskDialog, Title: "The agent waits at its terminal: " + oneLine(s.Dialog),
		Detail: strings.TrimSpace(strings.Join(asks, "\n")), AtTerminal: "the agent reports this question by no hook",
	}}
}

// Rules begin lines that go across the screen; the thin one divides a dialog.
const (
	claudeRule     = "────────"
	claudeThinRule = "╌╌╌╌╌╌╌╌"
)

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
		if strings.HasPrefix(line, claudeRule) || isScrolled(line) {
			rules = append(rules, i)
		}
	}
	if len(rules) < 2 {
		return BoxUnseen
	}
	above, below := rules[len(rules)-2], rules[len(rules)-1]
	if isScrolled(screen[above]) || isScrolled(screen[below]) {
		return BoxDraft
	}
	box := screen[above+1 : below]
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

// isScrolled reports whether a line is a rule of an input box that has no room for all that stands in it.
func isScrolled(line string) bool {
	return strings.HasPrefix(line, "─── ↑ ") || strings.HasPrefix(line, "─── ↓ ")
}

// claudeShowsForm looks for the dialog of an MCP server's question: its title, and then the beginning of what is asked.
func claudeShowsForm(screen []string, payload []byte) bool {
	raw, err := parseClaudeHook(payload)
	if err != nil {
		return false
	}
	title := "MCP server “" + raw.Server + "” requests your input"
	if raw.Asks == "url" {
		title = "MCP server “" + raw.Server + "” wants to open a URL"
	}
	_, dialog, found := strings.Cut(plainSpaces(strings.Join(screen, "\n")), title)
	const most = 60 // runes of the question
	asks := []rune(plainSpaces(raw.Says))
	begins := strings.TrimSpace(string(asks[:min(len(asks), most)]))
	return found && strings.HasPrefix(strings.TrimSpace(dialog), begins) && strings.Contains(dialog, "Esc to cancel")
}

func plainSpaces(text string) string { return strings.Join(strings.Fields(text), " ") }
