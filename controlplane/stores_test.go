package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"switchboard/controlplane/embedded/pgtest"
)

// What cannot be opened is an error that names it, and leaves nothing running.
func TestStoresThatCannotBeOpened(t *testing.T) {
	good := t.TempDir()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, data, database, bus, want string }{
		{"data directory", file, "", "", "data directory"},
		{"database", good, "postgres://nobody@127.0.0.1:1/none", "", "database"},
		{"bus", good, pgtest.New(t), "nats://127.0.0.1:1", "NATS"},
	} {
		c := config{NATSURL: test.bus}
		c.Data, c.DatabaseURL = test.data, test.database
		s, err := openStores(t.Context(), c, slog.New(slog.DiscardHandler))
		if err == nil {
			s.close()
			t.Errorf("%s: no error", test.name)
			continue
		}
		if s != nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, error %v", test.name, s, err)
		}
	}
}
