package main

import (
	"errors"
	"fmt"
	"os"

	"switchboard/hostagent/protocol"
	"switchboard/hostagent/session"
)

// statusCommand is `hostagent status`.
type statusCommand struct{}

// Run says what is known here, without asking the control plane.
func (statusCommand) Run(env environment) error {
	config, err := env.dir.load()
	if err != nil {
		return err
	}
	sessions, err := session.List(env.dir.sessions())
	if err != nil {
		return err
	}
	live := 0
	for _, s := range sessions {
		if s.State != protocol.StateExited {
			live++
		}
	}
	fmt.Fprintf(env.stdout, "host:          %s (%s)\ncontrol plane: %s\nhost agent:    %s\npolicy:        %s\nsessions:      %d live, %d in all\n",
		config.Name, config.Host, config.URL, env.dir.agentState(), env.dir.policyState(), live, len(sessions))
	return nil
}

func (d hostDir) agentState() string {
	if _, err := os.Stat(d.removed()); err == nil {
		return "stopped: this host was removed by an administrator"
	}
	if d.runs() {
		return "running"
	}
	return "not running (`hostagent run`, or `hostagent install`)"
}

// errProblems makes doctor's exit status tell what its lines say.
var errProblems = errors.New("not all is well")
