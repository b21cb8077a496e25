package fleet_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

func segmentOf(session protocol.SessionID, number uint64, data []byte) protocol.StoreSegmentRequest {
	at := time.Now().UTC().Truncate(time.Second).Add(time.Duration(number) * time.Second)
	sum := sha256.Sum256(data)
	return protocol.StoreSegmentRequest{
		Session: session, Segment: protocol.Segment{Number: number, At: at, End: at.Add(time.Second), Closed: true},
		SHA256: hex.EncodeToString(sum[:]), Data: data,
	}
}

func numbers(segments []protocol.Segment) (all []uint64) {
	for _, s := range segments {
		all = append(all, s.Number)
	}
	return all
}

// TestARecordingIsShownFromWhereItIs: from the host and from what is kept here, each without the other.
func TestARecordingIsShownFromWhereItIs(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "studio")
	session := w.session(alice, h, "web-app")
	first, second := segmentOf(session.ID, 2, []byte("kept")), segmentOf(session.ID, 3, []byte("other"))
	h.segments = []protocol.Segment{second.Segment, {Number: 0, At: time.Now(), End: time.Now()}, {Number: 9}}
	for range 2 { // a repeat changes nothing
		must(report(h, protocol.StoreSegment, first))(t)
	}
	found := must(w.Recording(t.Context(), alice, session.Handle))(t)
	if diff := cmp.Diff([]uint64{2, 3}, numbers(found.Segments)); diff != "" || found.Missing != "" {
		t.Errorf("%s, missing: %s", diff, found.Missing)
	}
	for number, want := range map[uint64]string{2: "kept", 3: "from the host"} {
		if got := must(w.RecordingSegment(t.Context(), alice, session.Handle, number))(t); string(got) != want {
			t.Errorf("segment %d is %q, want %q", number, got, want)
		}
	}
	h.offline()
	found = must(w.Recording(t.Context(), alice, session.Handle))(t)
	if diff := cmp.Diff([]uint64{2}, numbers(found.Segments)); diff != "" || found.Missing == "" {
		t.Errorf("%s, missing: %s", diff, found.Missing)
	}
	if got := must(w.RecordingSegment(t.Context(), alice, session.Handle, 2))(t); string(got) != "kept" {
		t.Errorf("segment 2 is %q", got)
	}
	if _, err := w.RecordingSegment(t.Context(), alice, session.Handle, 3); !errors.Is(err, fleet.ErrUnavailable) {
		t.Errorf("segment 3: %v", err)
	}
	mallory := w.person("mallory", auth.RoleAdmin)
	_, one := w.RecordingSegment(t.Context(), mallory, string(session.ID), 2)
	_, none := w.RecordingSegment(t.Context(), mallory, string(protocol.NewSessionID()), 2)
	if !errors.Is(one, auth.ErrNotFound) || !errors.Is(none, auth.ErrNotFound) {
		t.Errorf("another's: %v, nobody's: %v", one, none)
	}
}

// TestSegmentsThatAreNotKept, and why.
func TestSegmentsThatAreNotKept(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h, other := w.newHost(alice, "studio"), w.newHost(alice, "laptop")
	session := w.session(alice, h, "web-app")
	good := segmentOf(session.ID, 1, []byte("data"))
	tests := map[string]struct {
		from   *host
		change func(*protocol.StoreSegmentRequest)
		want   protocol.Code
	}{
		"another host's":  {other, func(*protocol.StoreSegmentRequest) {}, protocol.CodeNotFound},
		"unknown session": {h, func(r *protocol.StoreSegmentRequest) { r.Session = protocol.NewSessionID() }, protocol.CodeNotFound},
		"no session":      {h, func(r *protocol.StoreSegmentRequest) { r.Session = "x" }, protocol.CodeInvalid},
		"no number":       {h, func(r *protocol.StoreSegmentRequest) { r.Segment.Number = 0 }, protocol.CodeInvalid},
		"huge number":     {h, func(r *protocol.StoreSegmentRequest) { r.Segment.Number = 1 << 63 }, protocol.CodeInvalid},
		"no time":         {h, func(r *protocol.StoreSegmentRequest) { r.Segment.At = time.Time{} }, protocol.CodeInvalid},
		"ends before":     {h, func(r *protocol.StoreSegmentRequest) { r.Segment.End = r.Segment.At.Add(-1) }, protocol.CodeInvalid},
		"empty":           {h, func(r *protocol.StoreSegmentRequest) { r.Data = nil }, protocol.CodeInvalid},
		"changed":         {h, func(r *protocol.StoreSegmentRequest) { r.Data = []byte("dat4") }, protocol.CodeInvalid},
		"too long": {h, func(r *protocol.StoreSegmentRequest) {
			*r = segmentOf(r.Session, 1, make([]byte, protocol.MaxSegment+1))
		}, protocol.CodeInvalid},
	}
	for name, test := range tests {
		r := good
		test.change(&r)
		_, err := report(test.from, protocol.StoreSegment, r)
		var refused *protocol.Error
		if !errors.As(err, &refused) || refused.Code != test.want {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
	w.Recordings = fleet.Recordings{}
	var refused *protocol.Error
	if _, err := report(h, protocol.StoreSegment, good); !errors.As(err, &refused) || refused.Code != protocol.CodeRefused {
		t.Errorf("where none are kept: %v", err)
	}
	if _, err := w.Store.Segment(t.Context(), session.ID, 1); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("something is kept: %v", err)
	}
}

// TestWhatIsKeptIsBounded: of one host by its size, the oldest goes first, and of all by age.
func TestWhatIsKeptIsBounded(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h, other := w.newHost(alice, "studio"), w.newHost(alice, "laptop")
	mine, theirs := w.session(alice, h, "web-app"), w.session(alice, other, "api")
	must(report(other, protocol.StoreSegment, segmentOf(theirs.ID, 1, []byte("theirs"))))(t)
	for number := range uint64(6) {
		must(report(h, protocol.StoreSegment, segmentOf(mine.ID, number+1, bytes.Repeat([]byte("x"), 300<<10))))(t)
	}
	kept := must(w.Store.Segments(t.Context(), mine.ID))(t)
	if diff := cmp.Diff([]uint64{4, 5, 6}, numbers(kept)); diff != "" {
		t.Error(diff)
	}
	for number := range uint64(300) { // a row takes room and time, however small what it holds is
		must(report(h, protocol.StoreSegment, segmentOf(mine.ID, number+7, []byte("x"))))(t)
	}
	if kept := must(w.Store.Segments(t.Context(), mine.ID))(t); len(kept) < 10 || len(kept) > 128 {
		t.Errorf("%d tiny segments are kept in 1 MiB", len(kept))
	}
	for age, left := range map[time.Duration]int{59 * time.Minute: 1, 61 * time.Minute: 0} {
		w.Now = func() time.Time { return time.Now().Add(age) }
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := must(w.Store.Segments(t.Context(), theirs.ID))(t); age > time.Hour && len(got) != left {
			t.Errorf("after %s %d segments are kept, want %d", age, len(got), left)
		}
	}
}
