package session

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/protocol"
)

const (
	// maxSubagents is of how many subagents of a conversation the transcripts are followed.
	maxSubagents = 1000
	// maxAbout is how long the agent's note of a subagent may be.
	maxAbout = 64 << 10 // bytes
	// subagentNames is how many names at the end of such a transcript's path the agent has given: conversation, directory,
	// file.
	subagentNames = 3
	// subagentsEvery is how often their directory is looked at while nothing is reported.
	subagentsEvery = time.Second
)

// find looks for files of the session's conversations that have grown, beside the transcript that is read. They are not
// watched, since there may be many: what a subagent does it reports by hooks, and while one runs they are looked at
// every second.
func (r *reader) find() {
	var conversations []string
	var current string
	r.view(func(f *fold) { conversations, current = f.conversations(), f.position.Transcript })
	for _, transcript := range conversations {
		r.findSubagents(transcript)
		if transcript != current {
			r.view(func(f *fold) { r.found = append(r.found, f.reading(transcript)) })
		}
	}
}

func (r *reader) findSubagents(transcript string) {
	dir := r.kind.SubagentDir(transcript)
	if dir == "" {
		return
	}
	names, crowded, err := listPlain(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		r.logger.Warn("subagents' transcripts not found", "err", err)
		return
	}
	count := 0
	for _, name := range names {
		id, about, ok := r.kind.SubagentFile(name)
		if !ok {
			continue
		}
		if count++; count > maxSubagents {
			crowded = true
			break
		}
		r.findSubagent(filepath.Join(dir, name), id, filepath.Join(dir, about))
	}
	if crowded {
		r.tellCrowded()
	}
}

// findSubagent adds a subagent's transcript to what is to be read, if there is more of it than was read.
func (r *reader) findSubagent(file, id, about string) {
	info, err := os.Lstat(file)
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	var at *reading
	r.view(func(f *fold) {
		at = f.reading(file)
		at.subagent.ID = id
	})
	if info.Size() <= at.counted {
		return
	}
	if at.subagent.Kind == "" {
		described := r.describe(about)
		r.view(func(*fold) { at.subagent.Kind, at.subagent.Call = described.Kind, described.Call })
	}
	if at.foundAt.IsZero() {
		at.foundAt = r.now()
	}
	r.found = append(r.found, at)
	if at.told == 0 && at.subagent.Call != "" {
		r.waiting[at.subagent.Call] = at
	}
}

func (r *reader) describe(about string) agentkind.Subagent {
	text, err := readPlain(about)
	if err != nil {
		r.logger.Warn("subagent not described", "err", err)
		return agentkind.Subagent{}
	}
	return r.kind.ReadSubagent(text)
}

// readPlain reads a short file among the subagents'.
func readPlain(path string) ([]byte, error) {
	file, err := openPlain(path, subagentNames)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxAbout))
}

// listPlain lists the subagents' directory, or as much of it as one that only the agent writes can have.
func listPlain(dir string) (names []string, crowded bool, err error) {
	file, err := openPlain(dir, subagentNames-1)
	if err != nil {
		return nil, false, err
	}
	defer file.Close()
	names, err = file.Readdirnames(4 * maxSubagents)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, fmt.Errorf("listing %s: %w", dir, err)
	}
	slices.Sort(names)
	return names, len(names) == 4*maxSubagents, nil
}

// tooManySubagents is told once.
var tooManySubagents = fmt.Sprintf("This conversation has had more than %d subagents. What some of them did is only in the agent's own transcripts.", maxSubagents)

func (r *reader) tellCrowded() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fold.crowded {
		return
	}
	r.fold.crowded = true
	r.fold.tell(r.now().UTC().Truncate(time.Millisecond), protocol.EventEntry, protocol.Entry{Role: protocol.RoleNotice, Text: tooManySubagents})
	r.gather()
}
