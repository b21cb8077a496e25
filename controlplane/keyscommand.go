package main

import (
	"fmt"
	"os"
	"path/filepath"

	"switchboard/controlplane/embedded"
)

// keysCommand is `controlplane keys`.
type keysCommand struct {
	location `embed:""`
}

// Run prints the variables that deploy/nats.conf refers to. They are the public halves: not secret.
func (c *keysCommand) Run(env environment) error {
	if err := os.MkdirAll(c.Data, 0o711); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	keys, err := embedded.LoadKeys(filepath.Join(c.Data, "keys"))
	if err != nil {
		return err
	}
	text, err := keys.Environment()
	if err != nil {
		return err
	}
	fmt.Fprint(env.stdout, text)
	return nil
}
