package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/nkeys"
)

// Keys are the control plane's own, by which NATS knows it. All replicas share them.
type Keys struct {
	User   nkeys.KeyPair // with which the control plane connects
	Issuer nkeys.KeyPair // an account key that signs what hosts may do
	Seal   nkeys.KeyPair // an x25519 key that seals what NATS asks about a connection
}

// The files in the keys' directory. The first holds the seeds; the second, for the configuration of an external
// NATS, only the public halves.
const (
	seedsFile  = "nats.seeds"
	publicFile = "nats.env"
)

// LoadKeys reads the keys from the directory, making them if there are none.
func LoadKeys(dir string) (Keys, error) {
	path := filepath.Join(dir, seedsFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKeys(dir)
	}
	if err != nil {
		return Keys{}, fmt.Errorf("NATS keys: %w", err)
	}
	keys, err := parseKeys(string(text))
	if err != nil {
		return Keys{}, fmt.Errorf("NATS keys in %s: %w", path, err)
	}
	return keys, nil
}

func parseKeys(text string) (Keys, error) {
	seeds := strings.Fields(text)
	if len(seeds) != 3 {
		return Keys{}, fmt.Errorf("want three seeds, found %d", len(seeds))
	}
	kinds := []nkeys.PrefixByte{nkeys.PrefixByteUser, nkeys.PrefixByteAccount, nkeys.PrefixByteCurve}
	var pairs [3]nkeys.KeyPair
	for i, seed := range seeds {
		kind, _, err := nkeys.DecodeSeed([]byte(seed))
		if err != nil || kind != kinds[i] {
			return Keys{}, fmt.Errorf("line %d is no seed of a %s key", i+1, kinds[i])
		}
		if kind == nkeys.PrefixByteCurve {
			pairs[i], err = nkeys.FromCurveSeed([]byte(seed))
		}
		if kind != nkeys.PrefixByteCurve {
			pairs[i], err = nkeys.FromSeed([]byte(seed))
		}
		if err != nil {
			return Keys{}, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return Keys{User: pairs[0], Issuer: pairs[1], Seal: pairs[2]}, nil
}

// makeKeys writes the public file first, then the seeds by a rename: what is read later is whole.
func makeKeys(dir string) (Keys, error) {
	var keys Keys
	var err error
	if keys.User, err = nkeys.CreateUser(); err != nil {
		return Keys{}, err
	}
	if keys.Issuer, err = nkeys.CreateAccount(); err != nil {
		return Keys{}, err
	}
	if keys.Seal, err = nkeys.CreateCurveKeys(); err != nil {
		return Keys{}, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Keys{}, fmt.Errorf("NATS keys: %w", err)
	}
	public, err := keys.Environment()
	if err != nil {
		return Keys{}, err
	}
	if err := os.WriteFile(filepath.Join(dir, publicFile), []byte(public), 0o644); err != nil {
		return Keys{}, fmt.Errorf("NATS keys: %w", err)
	}
	var seeds strings.Builder
	for _, pair := range []nkeys.KeyPair{keys.User, keys.Issuer, keys.Seal} {
		seed, err := pair.Seed()
		if err != nil {
			return Keys{}, err
		}
		fmt.Fprintf(&seeds, "%s\n", seed)
	}
	if err := WriteSecret(filepath.Join(dir, seedsFile), seeds.String()); err != nil {
		return Keys{}, fmt.Errorf("NATS keys: %w", err)
	}
	return keys, nil
}

// Environment sets the variables that deploy/nats.conf refers to. They are not secret.
func (k Keys) Environment() (string, error) {
	var text strings.Builder
	for _, variable := range []struct {
		name string
		pair nkeys.KeyPair
	}{
		{"SWITCHBOARD_NATS_USER", k.User},
		{"SWITCHBOARD_NATS_ISSUER", k.Issuer},
		{"SWITCHBOARD_NATS_XKEY", k.Seal},
	} {
		public, err := variable.pair.PublicKey()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&text, "%s=%s\n", variable.name, public)
	}
	return text.String(), nil
}

// Audience is the name that hosts put into their proofs: stable, whatever address leads to this control plane.
func (k Keys) Audience() (string, error) { return k.Issuer.PublicKey() }
