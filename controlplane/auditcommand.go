package main

import "fmt"

// auditCommand is `controlplane audit`.
type auditCommand struct {
	config `embed:""`
}

// Run checks the chain from its first record to its last.
func (c *auditCommand) Run(env environment) error {
	s := &stores{}
	defer s.close()
	if err := s.openDatabase(env.ctx, c.config, env.log); err != nil {
		return err
	}
	last, err := s.db.VerifyAudit(env.ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "%d audit records, unbroken; the hash of the last one is %x\n", last.Seq, last.Hash)
	return nil
}
