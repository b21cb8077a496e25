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

	"switchboard/controlplane/embedded"
)

const tokenKeySize = 32 // bytes

// tokenKeys reads the keys of OAuth's tokens from the data directory, making one at the first start. Each has its
// line: the first makes tokens, and the others still check those made before it was put in front of them. Replicas
// share them: copy the file, or mount one.
func tokenKeys(data string) ([][]byte, error) {
	path := filepath.Join(data, "keys", "oauth.key")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeTokenKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("token keys: %w", err)
	}
	keys, err := parseTokenKeys(string(text))
	if err != nil {
		return nil, fmt.Errorf("token keys in %s: %w", path, err)
	}
	return keys, nil
}

func parseTokenKeys(text string) ([][]byte, error) {
	var keys [][]byte
	for i, line := range strings.Fields(text) {
		key, err := hex.DecodeString(line) // whose error would show a part of the key
		if err != nil || len(key) != tokenKeySize {
			return nil, fmt.Errorf("key %d: want %d bytes in hexadecimal", i+1, tokenKeySize)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("there is none")
	}
	return keys, nil
}

func makeTokenKey(path string) ([][]byte, error) {
	key := make([]byte, tokenKeySize)
	rand.Read(key) // never fails
	if err := embedded.WriteSecret(path, hex.EncodeToString(key)+"\n"); err != nil {
		return nil, fmt.Errorf("token key: %w", err)
	}
	return [][]byte{key}, nil
}
