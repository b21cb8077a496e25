package session

import (
	"strings"
	"testing"
)

// TestMaskSecrets has a secret of each shape: one that is left out of secretMarks is not looked for.
func TestMaskSecrets(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a1B2", 10)
	for _, secret := range []string{
		"sk-ant-" + long, "sk-" + long, "sk-proj-" + long,
		"ghp_" + long, "gho_" + long, "ghu_" + long, "ghs_" + long, "ghr_" + long, "github_pat_" + long,
		"glpat-" + long, "AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE",
		"xoxa-" + long, "xoxb-" + long, "xoxp-" + long, "xoxr-" + long, "xoxs-" + long,
		"AIza" + long[:35], "sb_access_" + long,
		"-----BEGIN RSA PRIVATE KEY-----\n" + long + "\n-----END RSA PRIVATE KEY-----",
		"-----BEGIN PRIVATE KEY-----\n" + long, long + "\n" + long + "\n-----END PRIVATE KEY-----",
	} {
		if got, want := maskSecrets("a "+secret+" z"), "a [secret removed]"; !strings.HasPrefix(got, want) {
			t.Errorf("%q became %q", secret, got)
		}
		if got := maskTerminal("", []string{secret}, "", false)[0]; strings.Contains(got, "a1B2") || strings.Contains(got, "IOSFOD") {
			t.Errorf("%q became %q on a screen", secret, got)
		}
	}
	for _, begun := range []string{"sk-", "ghp_", "github_pat_", "glpat-", "AKIA", "ASIA", "xoxb-", "AIza", "sb_access_"} {
		if got := maskTerminal("", []string{begun + "x1"}, "", true)[0]; !strings.HasSuffix(got, "**") {
			t.Errorf("%q became %q while it grows", begun+"x1", got)
		}
	}
}
