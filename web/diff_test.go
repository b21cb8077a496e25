package web

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDiffLines(t *testing.T) {
	got := diffLines("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n-old\x1b[31m\n+++ not a header\n same\n")
	want := []diffLine{
		{"file", "diff --git a/x b/x"}, {"", "--- a/x"}, {"", "+++ b/x"}, {"hunk", "@@ -1 +1,2 @@"},
		{"del", "-old[31m"}, {"add", "+++ not a header"}, {"", " same"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
