package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// auditCommand is `controlplane audit`.
type auditCommand struct {
	database `embed:""`
}

// Run checks the chain from its first record to its last.
func (c *auditCommand) Run(env environment) error {
	if c.DatabaseURL == "" {
		// An empty database, made for the purpose, would be found unbroken.
		if _, err := os.Stat(c.postgres()); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no database in %s: say --data or --database-url", c.Data)
		}
	}
	s := &stores{}
	defer s.close()
	if err := s.openDatabase(env.ctx, c.database, env.log); err != nil {
		return err
	}
	last, err := s.db.VerifyAudit(env.ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "The audit log is unbroken. Its last record is number %d; that one's hash is %x\n", last.Seq, last.Hash)
	return nil
}
