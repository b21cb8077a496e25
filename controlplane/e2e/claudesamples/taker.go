package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"switchboard/controlplane/e2e/sample"
	"switchboard/controlplane/e2e/stage"
)

// scene is one thing that the CLI does, and what is kept of it.
type scene struct {
	name  string // of the file
	about string
	play  func(*taker)
}

// taker keeps samples while a scene is played. The order in which it keeps them is the scene's, so that it is the same
// in every run.
type taker struct {
	*stage.Stage
	kept  sample.Scene
	plain sample.Plain
}

// attempts: a scene that fails is played again, since a machine that was busy for a moment makes the CLI miss a key.
const attempts = 2

func (s scene) record(ctx context.Context, house *stage.House) (kept sample.Scene, err error) {
	for range attempts {
		err = house.Play(ctx, func(on *stage.Stage) {
			k := &taker{Stage: on, kept: sample.Scene{About: s.about}}
			s.play(k)
			kept = k.kept
		})
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	return kept, err
}

// hook keeps the payload of an event's n-th hook, from 1.
func (k *taker) hook(event string, n int) *stage.Fired {
	f := k.Hook(event, n)
	k.payload(f)
	return f
}

func (k *taker) payload(f *stage.Fired) {
	k.kept.Hooks = append(k.kept.Hooks, k.record(f.Payload))
}

// record is a record of the CLI's, as it is kept.
func (k *taker) record(text []byte) json.RawMessage {
	return json.RawMessage(k.plain.Record(k.AsDev(string(text))))
}

// status keeps the CLI's file about itself.
func (k *taker) status() {
	text, err := os.ReadFile(k.Kind.StatusFile(k.Process))
	k.Check(err)
	k.kept.Statuses = append(k.kept.Statuses, k.record(text))
}

// still keeps the screen once it has come to rest.
func (k *taker) still(name string) {
	k.Quiet(400 * time.Millisecond)
	k.screen(name)
}

// screen keeps what is shown now.
func (k *taker) screen(name string) {
	shown := k.Shown()
	screen := sample.Screen{Name: name, Cols: shown.Cols, Rows: shown.Rows, Lines: k.lines(shown.Lines)}
	if strong := k.lines(shown.Strong); !slices.Equal(strong, screen.Lines) {
		screen.Strong = strong
	}
	k.kept.Screens = append(k.kept.Screens, screen)
}

func (k *taker) lines(lines []string) []string {
	return strings.Split(k.plain.Screen(k.AsDev(strings.Join(lines, "\n"))), "\n")
}

// transcript keeps the conversation's lines: those of the person and the agent, then the first one of each other type
// that is named here, as type or type/subtype. The CLI writes these whenever it comes to it.
func (k *taker) transcript(others ...string) {
	k.kept.Transcript = k.keptLines(k.TranscriptFile(), others)
}

// subagent keeps the lines of the only subagent's transcript, and the note beside it.
func (k *taker) subagent() {
	pattern := filepath.Join(strings.TrimSuffix(k.TranscriptFile(), ".jsonl"), "subagents", "agent-*.jsonl")
	paths, err := filepath.Glob(pattern)
	k.Check(err)
	if len(paths) != 1 {
		k.Fail("%d transcripts of subagents at %s", len(paths), pattern)
	}
	k.kept.Subagent = k.keptLines(paths[0], nil)
	note, err := os.ReadFile(strings.TrimSuffix(paths[0], ".jsonl") + ".meta.json")
	k.Check(err)
	k.kept.Note = k.record(note)
}

func (k *taker) keptLines(path string, others []string) []json.RawMessage {
	text, err := os.ReadFile(path)
	k.Check(err)
	var kept []json.RawMessage
	first := map[string]string{} // line of each type
	for line := range strings.Lines(string(text)) {
		name, line := k.lineType(line), strings.TrimSuffix(line, "\n")
		if slices.Contains(spoken, name) {
			kept = append(kept, k.record([]byte(line)))
		}
		if first[name] == "" {
			first[name] = line
		}
	}
	for _, name := range others {
		if first[name] == "" {
			k.Fail("no line %s in the transcript", name)
		}
		kept = append(kept, k.record([]byte(first[name])))
	}
	return kept
}

// spoken are the types of lines that the host agent reads. The rest is the CLI's own: prompts, reminders, settings.
var spoken = []string{"user", "assistant", "attachment/queued_command", "system/compact_boundary"}

func (k *taker) lineType(line string) string {
	var read struct {
		Type       string `json:"type"`
		Subtype    string `json:"subtype"`
		Attachment struct {
			Type string `json:"type"`
		} `json:"attachment"`
	}
	k.Check(json.Unmarshal([]byte(line), &read))
	switch {
	case read.Subtype != "":
		return read.Type + "/" + read.Subtype
	case read.Attachment.Type != "":
		return read.Type + "/" + read.Attachment.Type
	}
	return read.Type
}

// file makes a file in the project, which the scene needs.
func (k *taker) file(name, text string) {
	k.Check(errors.Join(
		os.MkdirAll(filepath.Dir(k.Path(name)), 0o700),
		os.WriteFile(k.Path(name), []byte(text), 0o600)))
}
