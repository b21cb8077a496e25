package postgres_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"switchboard/controlplane/embedded/pgtest"
	"switchboard/controlplane/fleet"
	"switchboard/controlplane/postgres"
)

// Of many that use one answer at once, on two replicas, one succeeds; the others are on record as refused.
func TestAnswerIsUsedOnce(t *testing.T) {
	url := pgtest.New(t)
	replicas := []*postgres.DB{open(t, url), open(t, url)}
	answer := fleet.Answer{ID: "one", Expires: time.Now().Add(time.Minute)}
	const users = 64
	var won atomic.Int32
	var all sync.WaitGroup
	for i := range users {
		all.Go(func() {
			err := replicas[i%2].RecordAnswered(t.Context(), record("session.terminate"), answer)
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, fleet.ErrAnswered):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d used the answer, want 1", won.Load())
	}
	var allowed, refused int
	err := beside(t, url).QueryRow(t.Context(), `
		SELECT count(*) FILTER (WHERE allowed), count(*) FILTER (WHERE NOT allowed AND detail->>'refused' <> '')
		FROM audit_events`).Scan(&allowed, &refused)
	if err != nil || allowed != 1 || refused != users-1 {
		t.Errorf("%d records of use and %d of refusal, %v", allowed, refused, err)
	}
	if _, err := replicas[0].VerifyAudit(t.Context()); err != nil {
		t.Error(err)
	}
}

// A message that an answer allows is kept with it, or not at all.
func TestAnswerToWhichMessage(t *testing.T) {
	db, conn := withSession(t)
	answer := fleet.Answer{ID: "one", Expires: time.Now().Add(time.Minute)}
	_, fresh, err := db.RecordMessage(t.Context(), record("session.message"), answer, messageOf("m1", "ada", "s1", ""))
	if err != nil || !fresh {
		t.Fatalf("the first: %v, %v", fresh, err)
	}
	_, fresh, err = db.RecordMessage(t.Context(), record("session.message"), answer, messageOf("m2", "ada", "s1", ""))
	if !errors.Is(err, fleet.ErrAnswered) || fresh {
		t.Errorf("the second: %v, %v", fresh, err)
	}
	if messages, records := count(t, conn); messages != 1 || records != 2 {
		t.Errorf("%d messages and %d records, want 1 and 2", messages, records)
	}
}

func TestOldAnswersAreDeleted(t *testing.T) {
	db := open(t, pgtest.New(t))
	now := time.Now()
	old, recent := fleet.Answer{ID: "old", Expires: now.Add(-2 * time.Minute)}, fleet.Answer{ID: "recent", Expires: now}
	for _, a := range []fleet.Answer{old, recent} {
		if err := db.RecordAnswered(t.Context(), record("session.terminate"), a); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.DeleteAnswers(t.Context(), now.Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := db.RecordAnswered(t.Context(), record("session.terminate"), recent); !errors.Is(err, fleet.ErrAnswered) {
		t.Errorf("one that had not expired is forgotten: %v", err)
	}
	if err := db.RecordAnswered(t.Context(), record("session.terminate"), old); err != nil {
		t.Errorf("one that had expired is remembered: %v", err)
	}
}
