// Package stage plays scenes with the real Claude Code CLI: each on a home, a project and a terminal of its own, with
// a scripted model behind it and hooks as the host agent has them. A scene reads as a test does: what it needs and does
// not get ends it. The programs that play scenes serve as the CLI's hooks too: see Serve.
package stage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"switchboard/controlplane/e2e/harness"
	"switchboard/controlplane/e2e/model"
	"switchboard/hostagent/agentkind"
)

// House has stages for one CLI, and one scripted model behind them all.
type House struct {
	cli      string
	model    *model.Server
	endpoint *model.Endpoint
}

// Open begins with a model of its own. The house is to be closed.
func Open(ctx context.Context, cli string) (*House, error) {
	server := new(model.Server)
	endpoint, err := server.Start(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &House{cli: cli, model: server, endpoint: endpoint}, nil
}

// Close ends the model.
func (h *House) Close() error { return h.endpoint.Close() }

// Failure is what a scene needs of the CLI and did not get.
type Failure struct{ Reason string }

func (f Failure) Error() string { return f.Reason }

// Unproven is a failure of the scene's, and not of the CLI.
type Unproven struct{ Reason string }

func (u Unproven) Error() string { return u.Reason }

// Play plays one scene on a stage of its own. It returns a Failure or an Unproven as what they are; any other error is
// the machine's.
func (h *House) Play(ctx context.Context, scene func(*Stage)) (err error) {
	dir, err := tempDir()
	if err != nil {
		return err
	}
	s := &Stage{
		ctx: ctx, cli: h.cli, Kind: agentkind.Claude(), Model: h.model, Dir: dir,
		Cols: usualCols, Rows: usualRows, Patience: usualPatience,
	}
	s.modelAt = strings.TrimPrefix(h.endpoint.URL, "http://")
	if err := s.prepare(h.endpoint.URL); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	defer func() {
		said := recover()
		err = errors.Join(s.end(), harness.EndAll(s.Dir), os.RemoveAll(s.Dir), ctx.Err())
		if said == nil || err != nil {
			return
		}
		switch said := said.(type) {
		case Failure:
			err = Failure{s.Plain(said.Reason)}
		case Unproven:
			err = Unproven{s.Plain(said.Reason)}
		default:
			panic(said)
		}
	}()
	scene(s)
	return nil
}

// plainDir stands for a stage's directory in all that is kept.
const plainDir = "/home/dev"

// tempDir makes a directory whose name is as long as plainDir, so that nothing on a screen moves when the one is put
// for the other. It is short, because the paths of Unix sockets are.
func tempDir() (string, error) {
	const parent = "/tmp/"
	for {
		dir := parent + rand.Text()[:len(plainDir)-len(parent)]
		err := os.Mkdir(dir, 0o700)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("making a directory: %w", err)
		}
		return filepath.EvalSymlinks(dir)
	}
}

// Plain takes out of a text what differs from stage to stage.
func (s *Stage) Plain(text string) string {
	return strings.NewReplacer("\u00a0", " ", s.Session, "SESSION", s.modelAt, "MODEL").Replace(s.AsDev(text))
}

// AsDev is a text as if the stage's directory were plainDir.
func (s *Stage) AsDev(text string) string {
	return strings.NewReplacer(s.Dir, plainDir, dashed(s.Dir), dashed(plainDir)).Replace(text)
}

// dashed is a path as the CLI makes a name of it.
func dashed(path string) string { return strings.ReplaceAll(path, string(filepath.Separator), "-") }
