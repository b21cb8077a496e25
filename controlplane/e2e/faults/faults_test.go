package main

import (
	"os"
	"testing"
	"time"
)

// TestFaults is a short run. `make faults` takes longer ones, with other seeds.
func TestFaults(t *testing.T) {
	p := plan{seed: 1, duration: 25 * time.Second}
	found, err := p.execute(t.Context(), os.Getenv, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		t.Errorf("%s: %s", v.rule, v.what)
	}
}
