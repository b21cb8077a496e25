package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"switchboard/controlplane/e2e/claudecli"
	"switchboard/controlplane/e2e/harness"
)

// written collects what two goroutines write.
type written struct {
	mu   sync.Mutex // guards the field below
	text bytes.Buffer
}

func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *written) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// TestDemo starts the demonstration, twice in the same place, and ends it as Ctrl-C does.
func TestDemo(t *testing.T) {
	if _, err := claudecli.Find(os.Getenv); errors.Is(err, claudecli.ErrMissing) {
		t.Skip(err)
	}
	dir, err := harness.TempDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(harness.EndAll(dir), os.RemoveAll(dir)); err != nil {
			t.Error(err)
		}
	})
	programs, err := harness.Build(t.Context(), os.Getenv, dir)
	if err != nil {
		t.Fatal(err)
	}
	listen, err := harness.FreeAddress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, start := range []string{"first", "second"} {
		t.Run(start, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var out written
			done := make(chan error, 1)
			go func() {
				done <- run(ctx, []string{"--listen", listen, "--model", "127.0.0.1:0",
					"--state", filepath.Join(dir, "state"), "--bin", filepath.Dir(programs.ControlPlane)}, os.Getenv, &out, &out)
			}()
			err := harness.Await(t.Context(), "the host to be connected", func(context.Context) (bool, error) {
				return strings.Contains(out.String(), "connected to the control plane"), errors.New(out.String())
			})
			if err != nil {
				t.Error(err)
			}
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}
