package migrations

import (
	"fmt"
	"strings"
	"testing"
)

// Two migrations of one number make every database fail, though each is right where it was written.
func TestNumbers(t *testing.T) {
	entries, err := Files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for i, entry := range entries {
		if want := fmt.Sprintf("%04d_", i+1); !strings.HasPrefix(entry.Name(), want) {
			t.Errorf("%s stands where one that begins with %s belongs", entry.Name(), want)
		}
	}
}
