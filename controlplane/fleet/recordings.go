package fleet

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"time"

	"switchboard/auth"
	"switchboard/hostagent/protocol"
)

// Recordings says what is kept here of what terminals showed. The zero value keeps nothing.
type Recordings struct {
	HostBytes int64         // of one host's sessions; its oldest go first
	Keep      time.Duration // since they came
}

// RecordingStore keeps segments of recordings.
type RecordingStore interface {
	// StoreSegment keeps a segment of a session of this host, unless it is there, and drops the host's oldest beyond
	// most bytes.
	StoreSegment(ctx context.Context, host protocol.HostID, s StoredSegment, most int64, now time.Time) error
	// Segments are those of a session's recording that are kept, oldest first.
	Segments(ctx context.Context, session protocol.SessionID) ([]protocol.Segment, error)
	// Segment is what a segment holds, as it was stored.
	Segment(ctx context.Context, session protocol.SessionID, number uint64) ([]byte, error)
	// DeleteSegments removes those that were stored before.
	DeleteSegments(ctx context.Context, before time.Time) error
}

// StoredSegment is a segment with what it holds.
type StoredSegment struct {
	protocol.Segment
	Session protocol.SessionID
	SHA256  [sha256.Size]byte
	Data    []byte
}

// Recording is what there is of a session's recording, wherever it is.
type Recording struct {
	Session  Session
	Segments []protocol.Segment // oldest first; a gap in their numbers is a piece that nobody has any more
	Missing  string             // why the host's own are not among them; empty: they are
}

// maxSegments is how many segments a host is believed to have.
const maxSegments = 20_000

// Recording returns what there is of a session's recording: what its host has, if it can be asked, and what is kept
// here.
func (f *Fleet) Recording(ctx context.Context, c auth.Caller, ref string) (Recording, error) {
	session, err := f.session(ctx, c, reading("session.read_recording"), ref)
	if err != nil {
		return Recording{}, err
	}
	kept, err := f.Store.Segments(ctx, session.ID)
	if err != nil {
		return Recording{}, err
	}
	found := Recording{Session: session, Segments: kept}
	reply, err := ask(ctx, f, session.peer(), protocol.ReadRecording, protocol.ReadRecordingRequest{Session: session.ID})
	switch {
	case err == nil:
		found.Segments = merge(kept, reply.Segments)
	case len(kept) == 0:
		return found, err
	case ForPeople(err):
		found.Missing = err.Error()
	default:
		found.Missing = "the host could not be asked"
	}
	return found, nil
}

// merge has each number once, as the host says it if both do. What a host says that cannot be is left out.
func merge(kept, said []protocol.Segment) []protocol.Segment {
	merged := slices.DeleteFunc(slices.Clone(said[:min(len(said), maxSegments)]), func(s protocol.Segment) bool {
		return checkSegment(s) != nil
	})
	merged = append(merged, kept...)
	slices.SortStableFunc(merged, func(a, b protocol.Segment) int { return cmp.Compare(a.Number, b.Number) })
	return slices.CompactFunc(merged, func(a, b protocol.Segment) bool { return a.Number == b.Number })
}

func checkSegment(s protocol.Segment) error {
	switch {
	case s.Number == 0 || s.Number > math.MaxInt64:
		return errors.New("its number cannot be")
	case s.At.Year() < 2000 || s.End.Year() > 9000 || s.End.Before(s.At):
		return errors.New("its times cannot be")
	}
	return nil
}

// RecordingSegment returns what a segment holds, packed: what is kept here, or else what the host has. It is for
// whoever shows it to judge: it comes from the host.
func (f *Fleet) RecordingSegment(ctx context.Context, c auth.Caller, ref string, number uint64) ([]byte, error) {
	session, err := f.session(ctx, c, reading("session.read_recording"), ref)
	if err != nil {
		return nil, err
	}
	if number == 0 || number > math.MaxInt64 {
		return nil, refuse(auth.ErrNotFound, "the recording has no such segment")
	}
	data, err := f.Store.Segment(ctx, session.ID, number)
	if !errors.Is(err, auth.ErrNotFound) {
		return data, err
	}
	reply, err := ask(ctx, f, session.peer(), protocol.ReadRecording, protocol.ReadRecordingRequest{Session: session.ID, Segment: number})
	return reply.Data, err
}

// RecordSegment keeps a segment that a host hands over.
func (f *Fleet) RecordSegment(ctx context.Context, host protocol.HostID, r protocol.StoreSegmentRequest) (protocol.Nothing, error) {
	sum := sha256.Sum256(r.Data)
	_, err := protocol.ParseSessionID(string(r.Session))
	err = cmp.Or(err, checkSegment(r.Segment))
	switch {
	case err != nil:
		return protocol.Nothing{}, protocol.Errorf(protocol.CodeInvalid, "segment %d of session %.40q: %v", r.Segment.Number, r.Session, err)
	case len(r.Data) == 0 || len(r.Data) > protocol.MaxSegment:
		return protocol.Nothing{}, protocol.Errorf(protocol.CodeInvalid, "a segment has %d bytes: want 1 to %d", len(r.Data), protocol.MaxSegment)
	case hex.EncodeToString(sum[:]) != r.SHA256:
		return protocol.Nothing{}, protocol.Errorf(protocol.CodeInvalid, "a segment is not what its checksum says")
	case f.Recordings.HostBytes == 0:
		return protocol.Nothing{}, protocol.Errorf(protocol.CodeRefused, "this control plane keeps no recordings")
	}
	stored := StoredSegment{Segment: r.Segment, Session: r.Session, SHA256: sum, Data: r.Data}
	err = f.Store.StoreSegment(ctx, host, stored, f.Recordings.HostBytes, f.Now())
	return protocol.Nothing{}, toHost(err, "session "+string(r.Session))
}
