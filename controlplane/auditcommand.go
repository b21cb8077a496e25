package main

import "fmt"

// auditCommand is `controlplane audit`.
type auditCommand struct {
	database `embed:""`
}

// Run checks the chain from its first record to its last.
func (c *auditCommand) Run(env environment) error {
	s, err := openKnownDatabase(env, c.database)
	if err != nil {
		return err
	}
	defer s.close()
	last, err := s.db.VerifyAudit(env.ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "The audit log is unbroken. Its last record is number %d; that one's hash is %x\n", last.Seq, last.Hash)
	return nil
}
