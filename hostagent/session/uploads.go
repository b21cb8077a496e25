package session

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"

	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
	"switchboard/hostagent/terminal"
)

// storedFile holds the number of the segment up to which the control plane has a session's recording.
const storedFile = "recording.stored"

// NextSegment is the oldest segment that the policy sends to the control plane and that it does not have, of one of
// the sessions that are not to be left out. False: there is none.
func (m *Manager) NextSegment(leaveOut map[protocol.SessionID]bool) (protocol.StoreSegmentRequest, bool) {
	upload := m.rules().Recording.Upload
	if upload == policy.UploadNever {
		return protocol.StoreSegmentRequest{}, false
	}
	for _, session := range m.Sessions() {
		if leaveOut[session.ID] || upload == policy.UploadEnd && session.State != protocol.StateExited {
			continue
		}
		s, err := m.session(session.ID)
		if err != nil {
			continue // forgotten in this moment
		}
		if request, ok := s.nextSegment(); ok {
			return request, true
		}
	}
	return protocol.StoreSegmentRequest{}, false
}

func (s *session) nextSegment() (protocol.StoreSegmentRequest, bool) {
	segments, err := terminal.Segments(s.recording())
	if err != nil {
		s.logger.Warn("recording not read", "err", err)
		return protocol.StoreSegmentRequest{}, false
	}
	stored := s.storedSegment()
	for i, segment := range segments {
		if segment.Number <= stored || !segment.Closed {
			continue
		}
		data, err := s.outgoingSegment(segments, i)
		if err != nil { // it will not get better: the rest is worth more than this one
			s.logger.Error("segment of the recording not sent", "segment", segment.Number, "err", err)
			s.noteStored(segment.Number)
			continue
		}
		sum := sha256.Sum256(data)
		return protocol.StoreSegmentRequest{
			Session: s.id, Segment: crossing(segment), SHA256: hex.EncodeToString(sum[:]), Data: data,
		}, true
	}
	return protocol.StoreSegmentRequest{}, false
}

// SegmentStored remembers that the control plane has a session's segments up to this one.
func (m *Manager) SegmentStored(id protocol.SessionID, number uint64) {
	if s, err := m.session(id); err == nil {
		s.noteStored(number)
	}
}

func (s *session) noteStored(number uint64) {
	if err := replaceFile(filepath.Join(s.dir, storedFile), strconv.AppendUint(nil, number, 10)); err != nil {
		s.logger.Error("acknowledgement not noted", "err", err)
	}
}

func (s *session) storedSegment() uint64 {
	text, err := os.ReadFile(filepath.Join(s.dir, storedFile))
	if err != nil {
		return 0
	}
	number, err := strconv.ParseUint(string(text), 10, 64)
	if err != nil {
		return 0 // it is sent once more than need be
	}
	return number
}
