package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"switchboard/hostagent/policy"
)

// policyInForce is the policy that the sessions here go by: that of the running host agent, which follows the owner's
// file, or else what the file says. broken is what is wrong with the file.
func (d hostDir) policyInForce() (inForce policy.Policy, broken error, err error) {
	inForce, broken = policy.Load(d.policy())
	if broken == nil {
		return inForce, nil, nil
	}
	inForce, err = policy.InForce(d.sessions())
	return inForce, broken, err
}

// policyState says in one line how the policy is.
func (d hostDir) policyState() string {
	rules, broken, _ := d.policyInForce()
	if broken != nil {
		return fmt.Sprintf("the one before is in force: %v", broken)
	}
	from := d.policy()
	if _, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) {
		from = "the defaults, since there is no " + from
	}
	state := fmt.Sprintf("%s (%d rules deny, %d ask)", from, len(rules.Deny), len(rules.Ask))
	if d.runs() && !d.isInForce(rules) {
		return state + ", not in force yet"
	}
	return state
}

func (d hostDir) isInForce(rules policy.Policy) bool {
	inForce, err := policy.InForce(d.sessions())
	if err != nil {
		return false
	}
	// A policy was read from JSON and can be written as such.
	want, _ := json.Marshal(rules)
	got, _ := json.Marshal(inForce)
	return bytes.Equal(want, got)
}
