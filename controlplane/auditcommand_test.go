package main

import (
	"io"
	"os"
	"strings"
	"testing"
)

// An empty database would be found unbroken, whatever has become of the one that was meant.
func TestAuditOfNothing(t *testing.T) {
	t.Setenv("DATABASE_URL", "")
	dir := t.TempDir()
	err := run(t.Context(), []string{"audit", "--data", dir}, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "there is no database in "+dir) {
		t.Errorf("audit of an empty directory: %v", err)
	}
	if made, err := os.ReadDir(dir); err != nil || len(made) > 0 {
		t.Errorf("audit made %v, %v", made, err)
	}
}
