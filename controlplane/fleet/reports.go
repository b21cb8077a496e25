package fleet

import (
	"context"
	"errors"
	"fmt"
	"math"

	"switchboard/auth"
	"switchboard/hostagent/protocol"
)

// Greeted is what became of a host's hello.
type Greeted struct {
	LastSeq map[protocol.SessionID]uint64 // of those sessions it named that are its own
	Changed []protocol.SessionID          // to be told to who waits
}

// RecordHello stores who a host is and all that it runs. A session of it that lived and that it does not name any
// more is lost.
func (f *Fleet) RecordHello(ctx context.Context, host protocol.HostID, r protocol.HelloRequest) (protocol.HelloReply, error) {
	if !protocol.Compatible(r.Version) {
		return protocol.HelloReply{}, protocol.Errorf(protocol.CodeRefused,
			"this control plane speaks version %d of the contract and the host agent version %d; upgrade the older one",
			protocol.Version, r.Version)
	}
	r = clean(r)
	for i, s := range r.Sessions {
		if _, err := protocol.ParseSessionID(string(s.ID)); err != nil {
			return protocol.HelloReply{}, protocol.Errorf(protocol.CodeInvalid, "hello: %v", err)
		}
		r.Sessions[i] = known(s)
	}
	greeted, err := f.Store.RecordHello(ctx, host, r, f.Now())
	if err != nil {
		return protocol.HelloReply{}, toHost(err, "hello")
	}
	f.publish(host, greeted.Changed)
	return protocol.HelloReply{LastSeq: greeted.LastSeq, Now: f.Now()}, nil
}

// RecordHeartbeat stores that a host is there.
func (f *Fleet) RecordHeartbeat(ctx context.Context, host protocol.HostID, _ protocol.HeartbeatRequest) (protocol.Nothing, error) {
	err := f.Store.RecordHeartbeat(ctx, host, f.Now())
	return protocol.Nothing{}, toHost(err, "heartbeat")
}

// RecordLeaving stores that a host is about to be away.
func (f *Fleet) RecordLeaving(ctx context.Context, host protocol.HostID, _ protocol.Nothing) (protocol.Nothing, error) {
	return protocol.Nothing{}, toHost(f.RecordAway(ctx, host), "leaving")
}

// RecordAway stores that a host's connection is gone.
func (f *Fleet) RecordAway(ctx context.Context, host protocol.HostID) error {
	sessions, err := f.Store.RecordAway(ctx, host, f.Now())
	f.publish(host, sessions)
	return err
}

// RecordRestart stores that nobody is connected: a control plane that carries all hosts itself has just started. What
// it was told before it stopped, perhaps without a word to anyone, would hold until OfflineAfter.
func (f *Fleet) RecordRestart(ctx context.Context) error { return f.Store.RecordRestart(ctx) }

// RecordEvents commits a run of one session's events and what follows from them. The reply says up to where all is
// committed, so that a host which repeats or skips some finds its place again.
func (f *Fleet) RecordEvents(ctx context.Context, host protocol.HostID, r protocol.EventsRequest) (protocol.EventsReply, error) {
	batch, err := f.batch(ctx, r)
	if err != nil {
		return protocol.EventsReply{}, err
	}
	if batch.Revived {
		if err := f.recordRevival(ctx, host, r.Session); err != nil {
			return protocol.EventsReply{}, err
		}
	}
	last, err := f.Store.RecordEvents(ctx, host, batch)
	if err != nil {
		return protocol.EventsReply{}, toHost(err, "session "+string(r.Session))
	}
	f.Changes.Publish(host, r.Session)
	return protocol.EventsReply{LastSeq: last}, nil
}

// batch reads events. One that cannot be read is kept as it came, since a host would send it for ever.
func (f *Fleet) batch(ctx context.Context, r protocol.EventsRequest) (Batch, error) {
	if _, err := protocol.ParseSessionID(string(r.Session)); err != nil {
		return Batch{}, protocol.Errorf(protocol.CodeInvalid, "events: %v", err)
	}
	if len(r.Events) == 0 || r.Events[0].Seq == 0 || r.Events[0].Seq > math.MaxInt64-uint64(len(r.Events)) {
		return Batch{}, protocol.Errorf(protocol.CodeInvalid, "events of session %s: want at least one, with seq from 1", r.Session)
	}
	batch := Batch{Session: r.Session}
	for i, e := range r.Events {
		if e.Seq != r.Events[0].Seq+uint64(i) {
			return Batch{}, protocol.Errorf(protocol.CodeInvalid, "events of session %s: seq %d after %d", r.Session, e.Seq, r.Events[i-1].Seq)
		}
		e.Kind = protocol.EventKind(cleanText(string(e.Kind)))
		e.Body = cleanJSON(e.Body)
		e.At = cleanTime(e.At)
		if e.Kind == protocol.EventEntry {
			e.Body = cleanEntryUsage(e.Body)
		}
		batch.Events = append(batch.Events, e)
		if err := batch.add(e); err != nil {
			f.Log.WarnContext(ctx, "event kept without being understood", "session", r.Session, "seq", e.Seq, "err", err)
			continue
		}
		batch.Notices = append(batch.Notices, notices(e, batch)...)
	}
	return batch, nil
}

// add reads what an event changes.
func (b *Batch) add(e protocol.Event) error {
	switch e.Kind {
	case protocol.EventSession:
		s, err := protocol.Decode[protocol.Session](e)
		if err != nil {
			return err
		}
		s = known(s)
		s.ID, s.LastSeq = b.Session, e.Seq
		b.State = &s
		b.Revived = b.Revived || s.ByPolicy && s.State == protocol.StateStarting
		if s.Usage != nil {
			b.Usage = &KnownUsage{Seq: e.Seq, SessionUsage: *s.Usage}
		}
	case protocol.EventUsage:
		u, err := protocol.Decode[protocol.SessionUsage](e)
		if err != nil {
			return err
		}
		b.Usage = &KnownUsage{Seq: e.Seq, SessionUsage: cleanUsage(u)}
	case protocol.EventPrompt:
		p, err := protocol.Decode[protocol.Prompt](e)
		if err != nil {
			return err
		}
		if !plausible(string(p.ID)) {
			return fmt.Errorf("prompt id %.80q", p.ID)
		}
		p.Session, p.AskedAt = b.Session, cleanTime(p.AskedAt)
		b.Prompts = append(b.Prompts, p)
	case protocol.EventSettlement:
		settled, err := protocol.Decode[protocol.Settlement](e)
		if err != nil {
			return err
		}
		settled.At = cleanTime(settled.At)
		b.Settlements = append(b.Settlements, settled)
	case protocol.EventMessage:
		m, err := protocol.Decode[protocol.MessageState](e)
		if err != nil || !isMessageStatus(m.Status) {
			return err
		}
		b.Messages = append(b.Messages, m)
	}
	return nil
}

// toHost puts a store's error into the words in which it may cross to a host.
func toHost(err error, what string) error {
	if errors.Is(err, auth.ErrNotFound) {
		return protocol.Errorf(protocol.CodeNotFound, "%s: not known here, or removed", what)
	}
	return err
}

func (f *Fleet) publish(host protocol.HostID, sessions []protocol.SessionID) {
	for _, s := range sessions {
		f.Changes.Publish(host, s)
	}
}
