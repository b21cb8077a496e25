package session

import (
	"path/filepath"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/protocol"
)

// reading is how far one of the agent's transcripts has been read, and what was found in it so far.
type reading struct {
	file     string
	subagent subagent // whose it is; without an id: the agent's own

	told    int64 // all up to here is told
	counted int64 // and counted. Less than told where an earlier version told, which did not count.
	past    int64 // see readTail
	refused bool  // it could not be read, and that is logged
	foundAt time.Time

	use  protocol.Usage
	cost *cost // as the agent last said

	reply string         // whose use no entry tells yet, since nothing of it was to be read
	owing protocol.Usage // that use
}

// subagent is one that the agent, or another subagent, has started.
type subagent struct {
	ID   string
	Kind string // empty: what the agent notes of it was not read yet
	Call string // the id of the call that started it
}

// cost is what the agent says that a conversation has cost.
type cost struct {
	USD    float64 `json:"usd"`
	Tokens int64   `json:"tokens"` // that it is for
	Own    int64   `json:"own"`    // that the agent's own replies had taken by then, as we count
}

// mark is what a step keeps of the reading of the file that it tells from.
type mark struct {
	File  string         `json:"file,omitempty"`  // if it is not the transcript of the position
	Agent string         `json:"agent,omitempty"` // the subagent whose it is
	End   int64          `json:"end"`             // told and counted up to here
	Use   protocol.Usage `json:"use,omitzero"`
	Cost  *cost          `json:"cost,omitempty"`
}

// reading finds or begins that of a file.
func (f *fold) reading(file string) *reading {
	r := f.files[file]
	if r == nil {
		r = &reading{file: file}
		f.files[file] = r
	}
	return r
}

func (f *fold) markOf(r *reading) *mark {
	m := &mark{Agent: r.subagent.ID, End: r.told, Use: r.use, Cost: r.cost}
	if r.file != f.position.Transcript {
		m.File = r.file
	}
	return m
}

// rememberRead takes in how far a step from the event log had read.
func (f *fold) rememberRead(s step) {
	if s.Transcript != "" {
		r := f.reading(s.Transcript)
		r.told = max(r.told, s.Offset)
	}
	if s.Read == nil {
		return
	}
	file := s.Read.File
	if file == "" {
		file = s.Transcript
	}
	r := f.reading(file)
	r.subagent.ID = s.Read.Agent
	r.told, r.counted = max(r.told, s.Read.End), s.Read.End
	r.use, r.cost = s.Read.Use, s.Read.Cost
}

// lastTranscript is the one that the agent writes now.
func (f *fold) lastTranscript() string {
	if n := len(f.transcripts); n > 0 {
		return f.transcripts[n-1]
	}
	return f.position.Transcript
}

// nextTranscript goes on to the next transcript, if there is one. The one before must have been read to its end.
func (f *fold) nextTranscript() bool {
	if len(f.transcripts) == 0 {
		return false
	}
	f.turnTo(f.transcripts[0])
	f.transcripts = f.transcripts[1:]
	return true
}

// turnTo makes a transcript the one that is read.
func (f *fold) turnTo(file string) {
	if before := f.position.Transcript; before != file {
		f.before = before
	}
	f.position.Transcript = file
	f.position.Offset = 0
	if file != "" {
		f.position.Offset = f.reading(file).told
	}
}

// conversations are those whose files may grow: the one that is read, and the one before it, where the agent adds what
// it has cost when it is left, and whose subagents may go on for a while.
func (f *fold) conversations() []string {
	var files []string
	for _, file := range []string{f.position.Transcript, f.before} {
		if file != "" {
			files = append(files, file)
		}
	}
	return files
}

// knows reports whether a conversation is, or was, one of the session's own.
func (f *fold) knows(conversation string) bool {
	for file, r := range f.files {
		if r.subagent.ID == "" && r.told > 0 && conversationOf(file) == conversation {
			return true
		}
	}
	return false
}

// conversationOf is the agent's own id for the conversation of a transcript, after which the file is called.
func conversationOf(file string) string {
	name := filepath.Base(file)
	return name[:len(name)-len(filepath.Ext(name))]
}

// plainUse is what a reply took, as it crosses.
func plainUse(u agentkind.Use) protocol.Usage {
	return protocol.Usage{Input: u.Input, Output: u.Output, CacheRead: u.CacheRead, CacheWrite: u.CacheWrite}
}
