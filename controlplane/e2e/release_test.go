package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What the conformance suite calls is in no release, and is in the build that the suite runs against.
func TestReleaseHasNoFixtures(t *testing.T) {
	const fixtures = "switchboard/controlplane/e2e/fixtures"
	for name, build := range map[string]struct {
		tags []string
		want bool
	}{
		"release":     {nil, false},
		"conformance": {[]string{"-tags", "conformance"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			deps := strings.Fields(goTool(t, slices.Concat([]string{"list", "-deps"}, build.tags, []string{"switchboard/controlplane"})...))
			if got := slices.Contains(deps, fixtures); got != build.want {
				t.Errorf("depends on %s: %t, want %t", fixtures, got, build.want)
			}
			if !build.want && slices.ContainsFunc(deps, func(dep string) bool { return strings.HasPrefix(dep, "switchboard/controlplane/e2e") }) {
				t.Error("depends on test equipment")
			}
			program := filepath.Join(t.TempDir(), "controlplane")
			goTool(t, slices.Concat([]string{"build", "-o", program}, build.tags, []string{"switchboard/controlplane"})...)
			text, err := os.ReadFile(program)
			must(t, err)
			for _, sign := range []string{fixtures, "test_simple_text", "test://static-text", "test_input_required_result", "json_schema_2020_12_tool"} {
				if got := bytes.Contains(text, []byte(sign)); got != build.want {
					t.Errorf("contains %q: %t, want %t", sign, got, build.want)
				}
			}
		})
	}
}

func goTool(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", args...).Output()
	must(t, err)
	return string(out)
}
