package main

import (
	"io"
	"os"
	"strings"
	"testing"
)

// A database made for the purpose would be nobody's.
func TestInviteToNothing(t *testing.T) {
	t.Setenv("DATABASE_URL", "")
	dir := t.TempDir()
	err := run(t.Context(), []string{"invite", "--data", dir}, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "there is no database in "+dir) {
		t.Errorf("invite: %v", err)
	}
	if made, err := os.ReadDir(dir); err != nil || len(made) > 0 {
		t.Errorf("invite made %v, %v", made, err)
	}
	err = run(t.Context(), []string{"invite", "--data", dir, "--public-url", "http://switchboard.example"}, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "loopback only") {
		t.Errorf("invite over plain http: %v", err)
	}
}
