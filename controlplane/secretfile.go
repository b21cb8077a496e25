package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// oauthSecret reads the key that OAuth's tokens are made with from the data directory, making it at the first
// start. Replicas share it: copy the file, or mount one.
func oauthSecret(data string) ([]byte, error) {
	path := filepath.Join(data, "keys", "oauth.key")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeSecret(path)
	}
	if err != nil {
		return nil, fmt.Errorf("token key: %w", err)
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(secret) != 32 {
		return nil, fmt.Errorf("token key %s: want 32 bytes in hexadecimal", path)
	}
	return secret, nil
}

// makeSecret writes a new key under another name first, so that a crash leaves a whole file or none.
func makeSecret(path string) ([]byte, error) {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	temporary := path + ".new"
	if err := os.WriteFile(temporary, []byte(hex.EncodeToString(secret)+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("token key: %w", err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return nil, fmt.Errorf("token key: %w", err)
	}
	return secret, nil
}
