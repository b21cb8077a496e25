package agentkind

import (
	"strings"
	"testing"
)

func TestClaudeScreens(t *testing.T) {
	type seen struct {
		dialog, selected string
		box              Box
	}
	tests := map[string]seen{
		"trust/refused":                        {"trust", OptionDeny, BoxUnseen},
		"trust/trusted":                        {"trust", OptionAllow, BoxUnseen},
		"trust-in-a-small-terminal/refused":    {"trust", OptionDeny, BoxUnseen},
		"api-key/asked":                        {"API key", "", BoxUnseen},
		"mode-offer/asked":                     {"permission mode", "", BoxUnseen},
		"slash-login/open":                     {"login", "", BoxUnseen},
		"no-network/ended":                     {"", "", BoxUnseen},
		"model-picker/open":                    {"", "", BoxUnseen},
		"bash/idle":                            {"", "", BoxEmpty},
		"bash/asked":                           {"", "", BoxUnseen},
		"bash/done":                            {"", "", BoxEmpty},
		"small-terminal/idle":                  {"", "", BoxEmpty},
		"small-terminal/asked":                 {"", "", BoxUnseen},
		"mcp-tool/asked":                       {"", "", BoxUnseen},
		"mcp-tool/elicitation":                 {"", "", BoxUnseen},
		"question/asked":                       {"", "", BoxUnseen},
		"questions/submit":                     {"", "", BoxUnseen},
		"plan/asked":                           {"", "", BoxUnseen},
		"draft/draft":                          {"", "", BoxDraft},
		"draft/put aside":                      {"", "", BoxEmpty},
		"draft-of-several-lines/draft":         {"", "", BoxDraft},
		"draft-of-many-lines/draft":            {"", "", BoxDraft},
		"draft-of-many-lines/at its beginning": {"", "", BoxDraft},
		"draft-of-a-shell-command/draft":       {"", "", BoxDraft},
		"draft-of-a-heading/draft":             {"", "", BoxDraft},
		"interrupted-early/working":            {"", "", BoxEmpty},
		"interrupted-early/after Esc":          {"", "", BoxDraft},
		"queued/queued":                        {"", "", BoxEmpty},
		"api-error-401/failed":                 {"", "", BoxEmpty},
		"retrying/retrying":                    {"", "", BoxEmpty},
	}
	for name, want := range tests {
		of, which, _ := strings.Cut(name, "/")
		screen, err := scene(t, of).Screen(which)
		if err != nil {
			t.Fatal(err)
		}
		dialog, ok := Claude().ReadScreen(screen.Lines)
		if got := (seen{dialog.Name, dialog.Selected, Claude().ReadBox(screen.Unfaint())}); got != want || ok != (want.dialog != "") {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
		// A screen that is drawn only in part may hide the box, but never a draft in it.
		for cut := range screen.Lines {
			if got := Claude().ReadBox(screen.Unfaint()[:cut]); got == BoxEmpty && want.box == BoxDraft {
				t.Errorf("%s: the first %d lines show an empty box", name, cut)
			}
		}
	}
}
