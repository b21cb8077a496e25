package session

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
	"switchboard/hostagent/terminal"
)

const (
	// maxSegments is how many segments of a recording are named, the newest: what fits into one message.
	maxSegments = 5000
	// maskContext is how much of the segments beside one is looked at for the rest of a secret, in bytes.
	maskContext = 64 << 10
	// maxMarks is how many markers a segment leaves the host with.
	maxMarks = 1000
)

// ReadRecording says what there is of a session's recording, or hands over one segment.
func (m *Manager) ReadRecording(_ context.Context, r protocol.ReadRecordingRequest) (protocol.ReadRecordingReply, error) {
	s, err := m.session(r.Session)
	if err != nil {
		return protocol.ReadRecordingReply{}, err
	}
	segments, err := terminal.Segments(s.recording())
	if err != nil {
		return protocol.ReadRecordingReply{}, unavailable("reading the recording", err)
	}
	if r.Segment == 0 {
		reply := protocol.ReadRecordingReply{Segments: []protocol.Segment{}}
		for _, segment := range segments[max(0, len(segments)-maxSegments):] {
			reply.Segments = append(reply.Segments, crossing(segment))
		}
		return reply, nil
	}
	at := slices.IndexFunc(segments, func(s terminal.Segment) bool { return s.Number == r.Segment })
	if at < 0 {
		return protocol.ReadRecordingReply{}, protocol.Errorf(protocol.CodeNotFound, "segment %d of the recording is not kept on this host", r.Segment)
	}
	packed, err := s.outgoingSegment(segments, at)
	if err != nil {
		return protocol.ReadRecordingReply{}, unavailable("reading the recording", err)
	}
	return protocol.ReadRecordingReply{Segments: []protocol.Segment{crossing(segments[at])}, Data: packed}, nil
}

func crossing(s terminal.Segment) protocol.Segment {
	return protocol.Segment{Number: s.Number, At: s.At.UTC(), End: s.End.UTC(), Closed: s.Closed}
}

// outgoingSegment is a segment as it may leave the host: packed, without secrets of a known shape, and with what its
// markers mean.
func (s *session) outgoingSegment(segments []terminal.Segment, at int) ([]byte, error) {
	text, err := segments[at].Read()
	if err != nil {
		return nil, err
	}
	cast, err := terminal.ParseCast(text)
	if err != nil {
		return nil, fmt.Errorf("segment %d: %w", segments[at].Number, err)
	}
	before, after := "", ""
	if at > 0 {
		before = outputOf(segments[at-1])
		before = before[max(0, len(before)-maskContext):]
	}
	if at+1 < len(segments) {
		after = outputOf(segments[at+1])
		after = after[:min(len(after), maskContext)]
	}
	maskCast(cast, before, after, !segments[at].Closed)
	if cast.Events, err = s.named(cast.Events); err != nil {
		return nil, err
	}
	packed, err := terminal.Pack(cast.Text())
	if err == nil && len(packed) > protocol.MaxSegment {
		err = fmt.Errorf("segment %d has %d packed bytes; %d can leave the host", segments[at].Number, len(packed), protocol.MaxSegment)
	}
	return packed, err
}

// outputOf is all that a segment adds to the one before. One that cannot be read adds nothing.
func outputOf(segment terminal.Segment) string {
	text, err := segment.Read()
	if err != nil {
		return ""
	}
	cast, err := terminal.ParseCast(text)
	if err != nil {
		return ""
	}
	var output []byte
	for _, e := range added(cast) {
		if e.Code == "o" {
			output = append(output, e.Text...)
		}
	}
	return string(output)
}

// added are the events without the one that draws the screen as it was.
func added(cast terminal.Cast) []terminal.CastEvent {
	if cast.Continued && len(cast.Events) > 0 {
		return cast.Events[1:]
	}
	return cast.Events
}

// maskCast masks the events in place. The screen as it was is one text by itself.
func maskCast(cast terminal.Cast, before, after string, growing bool) {
	events := added(cast)
	if len(events) < len(cast.Events) {
		cast.Events[0].Text = maskTerminal("", []string{cast.Events[0].Text}, "", true)[0]
	}
	var pieces []string
	for _, e := range events {
		if e.Code == "o" {
			pieces = append(pieces, e.Text)
		}
	}
	pieces = maskTerminal(before, pieces, after, growing)
	for i := range events {
		if events[i].Code == "o" {
			events[i].Text, pieces = pieces[0], pieces[1:]
		}
	}
}

// named are the events with what the markers mean, as the journal has it. A marker of an entry that nobody looks for
// is left out, and its time added to the next event.
func (s *session) named(events []terminal.CastEvent) ([]terminal.CastEvent, error) {
	marks, err := s.marks(events)
	if err != nil {
		return nil, err
	}
	kept, wait, count := events[:0], 0.0, 0
	for _, e := range events {
		e.Interval += wait
		wait = 0
		if e.Code == "m" {
			text, ok := markText(e.Text), true
			if n, ours := holder.ParseMark(e.Text); ours {
				text, ok = marks[n]
			}
			if e.Text = text; !ok || count == maxMarks {
				wait = e.Interval
				continue
			}
			count++
		}
		kept = append(kept, e)
	}
	return kept, nil
}

// marks are the texts of the journal entries that the events name.
func (s *session) marks(events []terminal.CastEvent) (map[uint64]string, error) {
	first, last := uint64(math.MaxUint64), uint64(0)
	for _, e := range events {
		if n, ok := holder.ParseMark(e.Text); e.Code == "m" && ok {
			first, last = min(first, n), max(last, n)
		}
	}
	marks := map[uint64]string{}
	if last == 0 {
		return marks, nil
	}
	entries, err := holder.ReadJournal(s.dir, first-1)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if text, ok := markOf(s.kind, e); ok && e.N <= last {
			marks[e.N] = text
		}
	}
	return marks, nil
}

// pruneRecordings deletes segments that the policy does not want to be kept any longer.
func (m *Manager) pruneRecordings() (err error) {
	keep := m.rules().Recording.Keep()
	if keep == 0 {
		return nil
	}
	for _, s := range m.all() {
		segments, listErr := terminal.Segments(s.recording())
		err = errors.Join(err, listErr)
		for _, segment := range segments {
			if segment.Closed && m.Now().Sub(segment.End) > keep {
				err = errors.Join(err, segment.Remove())
			}
		}
	}
	return err
}
