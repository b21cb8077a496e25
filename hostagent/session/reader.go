package session

import (
	"slices"
	"time"

	"switchboard/hostagent/agentkind"
)

// lookBytes bounds what one look reads of transcripts; the next look goes on. So a session whose transcript is long, and
// not read yet, still heeds its journal all the time.
const lookBytes = 1 << 20

// callLags is how long after what a subagent wrote the call that started it may be written (0.4 s, seen with 2.1.329).
const callLags = 3 * time.Second

// reader reads the transcripts for one look.
type reader struct {
	*session
	room    int64               // bytes that may still be read
	waiting map[string]*reading // subagents of which nothing is told yet, by the call that started them
	found   []*reading
}

// readTranscripts takes in what the agent and its subagents have added to their transcripts, and reports whether there
// is more. Only when a conversation's transcript has been read to its end does the next one's follow.
//
// What a subagent wrote is told after the call that started it, which stands in the transcript of its caller. That may
// be written later, when a transcript has just been begun.
func (s *session) readTranscripts(subagents bool) (more bool) {
	r := &reader{session: s, room: lookBytes, waiting: map[string]*reading{}}
	if subagents || s.behind() {
		r.find()
	}
	for _, found := range r.found {
		if found.told > 0 || found.subagent.ID == "" {
			r.read(found)
		}
	}
	for next := true; next && r.room > 0; {
		var at *reading
		s.view(func(f *fold) {
			if f.position.Transcript != "" {
				at = f.reading(f.position.Transcript)
			}
		})
		r.read(at)
		if r.room > 0 {
			s.mu.Lock()
			next = s.fold.nextTranscript()
			s.mu.Unlock()
		}
	}
	for _, found := range r.found {
		if !r.callIsDue(found) {
			r.read(found)
		}
	}
	return r.room <= 0
}

// callIsDue reports whether the call that started a subagent is still to be told. In an agent that has exited it no
// longer comes.
func (r *reader) callIsDue(at *reading) bool {
	var told bool
	r.view(func(f *fold) {
		told = slices.Contains(f.called, outgoingLine(at.subagent.Call)) || f.session.ExitedAt != nil
	})
	return !told && r.waiting[at.subagent.Call] == at && r.now().Sub(at.foundAt) < callLags
}

// read tells all that was added to a file, and all that a subagent wrote right after the call that started it.
func (r *reader) read(at *reading) {
	for at != nil && r.room > 0 {
		own := 1
		if at.subagent.ID != "" {
			own = subagentNames
		}
		tail, err := readTail(at.file, own, at.counted, at.past)
		if err != nil {
			if !at.refused {
				r.logger.Warn("transcript not readable", "file", at.file, "err", err)
			}
			at.refused = true
			return
		}
		if len(tail.lines) == 0 && tail.past <= at.past {
			return
		}
		r.room -= max(tail.past-at.past, 0)
		at.past = tail.past
		r.tell(at, tail)
	}
}

func (r *reader) tell(at *reading, tail tail) {
	unread := 0
	for i, text := range tail.lines {
		if r.room <= 0 {
			return
		}
		lines, err := r.kind.ReadTranscript(text)
		if err != nil && len(text) > 0 {
			unread++
		}
		r.room -= max(tail.ends[i]-at.counted, 0)
		r.observe(at, lines, tail.ends[i])
		for _, line := range lines {
			if line.Kind == agentkind.LineToolCall && r.waiting[line.ToolUse] != nil {
				called := r.waiting[line.ToolUse]
				delete(r.waiting, line.ToolUse)
				r.read(called)
			}
		}
	}
	if unread > 0 {
		r.logger.Warn("transcript lines not understood", "file", at.file, "lines", unread)
	}
}

func (r *reader) observe(at *reading, lines []agentkind.Line, end int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fold.observe(at, lines, end, r.now().UTC().Truncate(time.Millisecond))
	r.gather()
}

// behind reports whether there is more to be read than the last look could.
func (s *session) behind() (behind bool) {
	s.view(func(f *fold) { behind = f.behind })
	return behind
}
