package postgres_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/mcpsession"
)

// Of a session and of a stream only so much is kept, and always the newest.
func TestMCPStreamsAreBounded(t *testing.T) {
	db, _ := withSession(t)
	ctx := t.Context()
	now := time.Now().UTC()
	if err := db.InsertMCPSession(ctx, mcpsession.Session{ID: "s", User: "ada", Initialize: []byte("{}"), CreatedAt: now, UsedAt: now}, 1); err != nil {
		t.Fatal(err)
	}
	for i := range mcpsession.KeepStreams + 2 {
		err := db.InsertMCPStream(ctx, mcpsession.Stream{Session: "s", ID: fmt.Sprint(i), BegunAt: now.Add(time.Duration(i) * time.Millisecond), AliveAt: now}, now)
		if err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[string]error{"0": auth.ErrNotFound, "1": auth.ErrNotFound, "2": nil, fmt.Sprint(mcpsession.KeepStreams + 1): nil} {
		if _, _, err := db.MCPEvents(ctx, "s", id, 0); !errors.Is(err, want) {
			t.Errorf("stream %s: %v, want %v", id, err, want)
		}
	}
	for i := range mcpsession.KeepEvents + 3 {
		seq, err := db.AppendMCPEvent(ctx, "s", "2", json.RawMessage(`{}`), false, now)
		if err != nil || seq != i+1 {
			t.Fatalf("event %d: %d %v", i+1, seq, err)
		}
	}
	stream, events, err := db.MCPEvents(ctx, "s", "2", 0)
	if err != nil || stream.LastSeq != mcpsession.KeepEvents+3 || len(events) != mcpsession.KeepEvents || events[0].Seq != 4 {
		t.Errorf("%+v, %d events, %v", stream, len(events), err)
	}
}

// However many write to a stream, its events are numbered without a gap, and only one is the last.
func TestMCPEventsAreNumbered(t *testing.T) {
	db, _ := withSession(t)
	ctx := t.Context()
	now := time.Now().UTC()
	if err := errors.Join(
		db.InsertMCPSession(ctx, mcpsession.Session{ID: "s", User: "ada", Initialize: []byte("{}"), CreatedAt: now, UsedAt: now}, 1),
		db.InsertMCPStream(ctx, mcpsession.Stream{Session: "s", ID: "a", Request: json.RawMessage(`"x"`), BegunAt: now, AliveAt: now}, now),
	); err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for range 5 {
				if _, err := db.AppendMCPEvent(ctx, "s", "a", json.RawMessage(`{}`), false, now); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	last := make(chan error, 8)
	for range 8 {
		writers.Go(func() {
			_, err := db.AppendMCPEvent(ctx, "s", "a", json.RawMessage(`{}`), true, now)
			last <- err
		})
	}
	writers.Wait()
	close(last)
	won := 0
	for err := range last {
		if err == nil {
			won++
		}
	}
	stream, events, err := db.MCPEvents(ctx, "s", "a", 0)
	if err != nil || won != 1 || !stream.Closed || string(stream.Request) != `"x"` || len(events) != 41 {
		t.Fatalf("%d last events; %+v, %d events, %v", won, stream, len(events), err)
	}
	for i, event := range events {
		if event.Seq != i+1 {
			t.Errorf("event %d has the number %d", i, event.Seq)
		}
	}
	if err := db.InsertMCPAnswer(ctx, "s", "a", json.RawMessage(`{}`)); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("an answer to a closed stream: %v", err)
	}
}

// A stream that somebody works on outlives those that are over, however many there are.
func TestLiveMCPStreamsStay(t *testing.T) {
	db, _ := withSession(t)
	ctx := t.Context()
	now := time.Now().UTC()
	long := now.Add(-time.Hour)
	stream := func(id string, begun, alive time.Time) mcpsession.Stream {
		return mcpsession.Stream{Session: "s", ID: id, BegunAt: begun, AliveAt: alive}
	}
	if err := errors.Join(
		db.InsertMCPSession(ctx, mcpsession.Session{ID: "s", User: "ada", Initialize: []byte("{}"), CreatedAt: now, UsedAt: now}, 1),
		db.InsertMCPStream(ctx, stream("listens", long, now), now.Add(-time.Minute)),
		db.InsertMCPStream(ctx, stream("dead", long, long), now.Add(-time.Minute)),
	); err != nil {
		t.Fatal(err)
	}
	for i := range mcpsession.KeepStreams {
		call := stream(fmt.Sprint(i), now.Add(time.Duration(i)*time.Millisecond), now)
		err := db.InsertMCPStream(ctx, call, now.Add(-time.Minute))
		if err == nil {
			_, err = db.AppendMCPEvent(ctx, "s", call.ID, json.RawMessage(`{}`), true, now)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[string]error{"listens": nil, "dead": auth.ErrNotFound, "0": auth.ErrNotFound, "1": nil} {
		if _, _, err := db.MCPEvents(ctx, "s", id, 0); !errors.Is(err, want) {
			t.Errorf("stream %s: %v, want %v", id, err, want)
		}
	}
}

// Nobody can fill the database with answers that nobody takes.
func TestMCPAnswersAreBounded(t *testing.T) {
	db, _ := withSession(t)
	ctx := t.Context()
	now := time.Now().UTC()
	if err := errors.Join(
		db.InsertMCPSession(ctx, mcpsession.Session{ID: "s", User: "ada", Initialize: []byte("{}"), CreatedAt: now, UsedAt: now}, 1),
		db.InsertMCPStream(ctx, mcpsession.Stream{Session: "s", ID: "a", BegunAt: now, AliveAt: now}, now),
		db.InsertMCPStream(ctx, mcpsession.Stream{Session: "s", ID: "b", BegunAt: now, AliveAt: now}, now),
	); err != nil {
		t.Fatal(err)
	}
	for i := range mcpsession.KeepAnswers {
		if err := db.InsertMCPAnswer(ctx, "s", "a", json.RawMessage(`{}`)); err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
	}
	for _, stream := range []string{"a", "b"} {
		if err := db.InsertMCPAnswer(ctx, "s", stream, json.RawMessage(`{}`)); !errors.Is(err, auth.ErrNotFound) {
			t.Errorf("one more answer to %s: %v", stream, err)
		}
	}
	if taken, err := db.TakeMCPAnswers(ctx, "s", "a"); err != nil || len(taken) != mcpsession.KeepAnswers {
		t.Errorf("%d taken, %v", len(taken), err)
	}
	if err := db.InsertMCPAnswer(ctx, "s", "b", json.RawMessage(`{}`)); err != nil {
		t.Errorf("after the others were taken: %v", err)
	}
}
