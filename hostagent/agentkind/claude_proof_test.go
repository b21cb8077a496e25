package agentkind

import (
	"encoding/json"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"switchboard/controlplane/e2e/claudecli"
)

// TestClaudeProofs: each file is what its name says, whole, and without a row that no feature of ours knows.
func TestClaudeProofs(t *testing.T) {
	paths, err := fs.Glob(claudeProofFiles, "claude/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := claudeProofFiles.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var proof Proof
		if err := json.Unmarshal(text, &proof); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if path != "claude/"+proof.Version+".json" || len(proof.Rows) < 40 {
			t.Errorf("%s is of version %q and has %d rows; make compat writes it whole", path, proof.Version, len(proof.Rows))
		}
		for _, row := range proof.Rows {
			known := row.Feature == "" || slices.Contains(Features(), row.Feature)
			if !known || !slices.Contains([]Result{Pass, Fail, Unknown}, row.Result) || row.Evidence == "" {
				t.Errorf("%s: row %+v", path, row)
			}
		}
	}
	for _, feature := range Features() {
		if why := Claude().Withheld(claudecli.Version, feature); why != "" {
			t.Errorf("the pinned version: %s is withheld: %s", feature, why)
		}
	}
}

func TestWithheld(t *testing.T) {
	claude := Claude()
	claude.Proof = func(version string) (Proof, bool) {
		return Proof{Version: version, Rows: []Row{
			{Name: "allow", Feature: FeaturePrompts, Result: Fail}, {Name: "deny", Feature: FeaturePrompts, Result: Pass},
			{Name: "resume", Feature: FeatureResume, Result: Unknown}, {Name: "title", Result: Fail},
		}}, version == "3.0.0"
	}
	tests := map[string]struct {
		version string
		feature Feature
		want    string
	}{
		"a row fails":             {"3.0.0", FeaturePrompts, "claude 3.0.0 fails our test of: allow"},
		"a row could not be told": {"3.0.0", FeatureResume, ""},
		"no row":                  {"3.0.0", FeatureMessages, ""},
		"no version":              {"", FeatureMessages, ""},
	}
	for name, test := range tests {
		if got := claude.Withheld(test.version, test.feature); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	if got := claude.VersionWords("3.0.1"); got != "3.0.1 (not tested)" {
		t.Errorf("version in words: %q", got)
	}
	if got := claude.Caveat("3.0.0"); !strings.HasSuffix(got, "use the terminal for: prompts (allow).") {
		t.Errorf("caveat: %q", got)
	}
}

// TestProofOfAnyVersion: a version comes from a program's output and from a file of the agent's.
func TestProofOfAnyVersion(t *testing.T) {
	for _, version := range []string{"", "..", "../2.1.329", "/etc/passwd", "2.1.329.json", "a\x00b"} {
		if Claude().Tested(version) {
			t.Errorf("version %q counts as tested", version)
		}
	}
	if !Claude().Tested(claudecli.Version) {
		t.Errorf("the pinned version %s was not tried; run make compat KEEP=1", claudecli.Version)
	}
}
