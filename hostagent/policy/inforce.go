package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// inForceFile holds the policy that the host agent goes by, in the sessions' directory. Agents' hooks judge by it, so
// that its rules hold also while the host agent is away, and while the owner's file cannot be read.
const inForceFile = "policy-in-force.json"

// PutInForce writes the policy for the hooks of the sessions in dir. Their next call finds it.
func (p Policy) PutInForce(dir string) error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("putting the policy in force: %w", err)
	}
	unfinished := filepath.Join(dir, inForceFile+".new")
	if err := os.WriteFile(unfinished, text, 0o600); err != nil {
		return fmt.Errorf("putting the policy in force: %w", err)
	}
	if err := os.Rename(unfinished, filepath.Join(dir, inForceFile)); err != nil {
		return fmt.Errorf("putting the policy in force: %w", err)
	}
	return nil
}

// InForce is the policy that was put in force last, or the default where none ever was. A field that this version
// does not know is none of its business: the file is the host agent's own.
func InForce(dir string) (Policy, error) {
	text, err := os.ReadFile(filepath.Join(dir, inForceFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Default(), nil
	}
	if err != nil {
		return Policy{}, fmt.Errorf("reading the policy in force: %w", err)
	}
	var p Policy
	if err := json.Unmarshal(text, &p); err != nil {
		return Policy{}, fmt.Errorf("reading the policy in force: %w", err)
	}
	return p, nil
}
