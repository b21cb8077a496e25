package main

import (
	"fmt"
	"strings"
	"time"

	"switchboard/auth"
)

// inviteCommand is `controlplane invite`: the way in for whoever runs the control plane, when no administrator can log
// in any more, because the login provider is gone or no longer knows any.
type inviteCommand struct {
	database  `embed:""`
	PublicURL string `default:"http://127.0.0.1:8420" env:"SWITCHBOARD_PUBLIC_URL" placeholder:"URL" help:"The address that the link begins with: the control plane's own."`
}

// Run makes a one-time link for one more administrator and prints it.
func (c *inviteCommand) Run(env environment) error {
	url := strings.TrimSuffix(c.PublicURL, "/")
	if err := checkPublicURL(url); err != nil {
		return err
	}
	s, err := openKnownDatabase(env, c.database)
	if err != nil {
		return err
	}
	defer s.close()
	accounts := &auth.Accounts{Store: s.db, Audit: s.db, PublicURL: url, Now: time.Now, Log: env.log}
	link, err := accounts.OperatorInvite(env.ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "One more administrator, once, within a day: %s\n", link)
	return nil
}
