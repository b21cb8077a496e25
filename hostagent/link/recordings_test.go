package link_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"switchboard/hostagent/link"
	"switchboard/hostagent/protocol"
)

// shelf is segments that wait to be sent. Those of the session unknown are refused.
type shelf struct {
	mu      sync.Mutex // guards the fields below
	waiting []protocol.StoreSegmentRequest
	stored  chan struct{} // gets a value for each that is acknowledged
}

const unknown protocol.SessionID = "00000000-0000-4000-8000-000000000000"

func (s *shelf) NextSegment(leaveOut map[protocol.SessionID]bool) (protocol.StoreSegmentRequest, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.waiting {
		if !leaveOut[r.Session] {
			return r, true
		}
	}
	return protocol.StoreSegmentRequest{}, false
}

func (s *shelf) SegmentStored(id protocol.SessionID, number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range s.waiting {
		if r.Session == id && r.Segment.Number == number {
			s.waiting = append(s.waiting[:i:i], s.waiting[i+1:]...)
			s.stored <- struct{}{}
			return
		}
	}
}

func (p *plane) storeSegment(_ context.Context, _ protocol.HostID, r protocol.StoreSegmentRequest) (protocol.Nothing, error) {
	if r.Session == unknown {
		return protocol.Nothing{}, protocol.Errorf(protocol.CodeNotFound, "not known here")
	}
	p.update(func() { p.segments = append(p.segments, r) })
	return protocol.Nothing{}, nil
}

// TestSegmentsAreSentAcrossARestart: the longest that there are, in order, none lost, and a session that is refused
// holds up no other.
func TestSegmentsAreSentAcrossARestart(t *testing.T) {
	p := newPlane(t)
	const segments = 8
	s := &shelf{stored: make(chan struct{}, segments)}
	s.waiting = append(s.waiting, protocol.StoreSegmentRequest{Session: unknown, Segment: protocol.Segment{Number: 1}})
	noise := rand.NewChaCha8([32]byte{})
	for number := range uint64(segments) {
		data := make([]byte, protocol.MaxSegment)
		_, _ = noise.Read(data)
		s.waiting = append(s.waiting, protocol.StoreSegmentRequest{
			Session: protocol.SessionID("11111111-2222-4333-8444-555555555555"), Segment: protocol.Segment{Number: number + 1}, Data: data,
		})
	}
	want := append([]protocol.StoreSegmentRequest(nil), s.waiting[1:]...)
	l := p.link(t, "studio-1", p.enrol(t, "studio-1"), newScript())
	l.Recordings = link.Recordings(s)
	stop, _ := running(t, l)
	defer func() { must(t, stop()) }()
	for got := range segments {
		select {
		case <-s.stored:
		case <-time.After(30 * time.Second):
			t.Fatalf("only %d segments were sent", got)
		}
		if got == segments/2 {
			p.stop()
			p.start(t)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	next := 0
	for _, r := range p.segments {
		if next < segments && r.Segment.Number == want[next].Segment.Number && bytes.Equal(r.Data, want[next].Data) {
			next++
			continue
		}
		if r.Segment.Number != want[next-1].Segment.Number { // one whose acknowledgement was lost comes again
			t.Errorf("segment %d came after %d", r.Segment.Number, next)
		}
	}
	if next != segments {
		t.Errorf("%d of %d segments came", next, segments)
	}
}
