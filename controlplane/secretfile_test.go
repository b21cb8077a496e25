package main

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTokenKeys(t *testing.T) {
	one, two := bytes.Repeat([]byte{1}, tokenKeySize), bytes.Repeat([]byte{2}, tokenKeySize)
	inHex := hex.EncodeToString
	for _, test := range []struct {
		name, text string
		want       [][]byte
		err        string
	}{
		{"one", inHex(one) + "\n", [][]byte{one}, ""},
		{"a new one before an old one", inHex(two) + "\n" + inHex(one), [][]byte{two, one}, ""},
		{"empty", "\n", nil, "there is none"},
		{"short", inHex(one) + "\n31", nil, "key 2: want 32 bytes"},
		{"not hexadecimal", strings.Repeat("xy", tokenKeySize), nil, "key 1: want 32 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			data := t.TempDir()
			path := filepath.Join(data, "keys", "oauth.key")
			if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := tokenKeys(data)
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Fatalf("error %v, want %q", err, test.err)
			}
			if diff := cmp.Diff(got, test.want); diff != "" {
				t.Errorf("keys, got and wanted:\n%s", diff)
			}
		})
	}
}

func TestTokenKeyIsMadeOnce(t *testing.T) {
	data := t.TempDir()
	if err := os.Mkdir(filepath.Join(data, "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	first, err := tokenKeys(data)
	if err != nil {
		t.Fatal(err)
	}
	second, err := tokenKeys(data)
	if err != nil || !cmp.Equal(first, second) {
		t.Errorf("the second start has another key, or none: %v", err)
	}
}
