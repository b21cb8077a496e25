package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"switchboard/auth"
	"switchboard/auth/audit"
	"switchboard/controlplane/embedded/pgtest"
)

func record(action string) audit.Event {
	return audit.Event{
		At: time.Now(), User: "u1", UserName: "ada", ClientID: "c1", Client: "Example", Addr: "127.0.0.1", Action: action,
		Host: "h1", Session: "s1", Target: "t1", Allowed: true, Detail: map[string]string{"b": "2", "a": "1"},
	}
}

func TestAuditKeepsWhatItIsGiven(t *testing.T) {
	db := open(t, pgtest.New(t))
	want := record("session.message")
	if err := db.Append(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	got, err := db.AuditEvents(t.Context(), "", 0, 10)
	if err != nil || len(got) != 1 {
		t.Fatalf("%d records, %v", len(got), err)
	}
	want.At = want.At.UTC().Truncate(time.Microsecond)
	if diff := cmp.Diff(want, got[0], cmpopts.IgnoreFields(audit.Event{}, "Seq", "Previous", "Hash")); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	if got[0].Seq != 1 || got[0].Previous != nil {
		t.Errorf("the first record is %d, behind %x", got[0].Seq, got[0].Previous)
	}
}

func TestAuditAtOnce(t *testing.T) {
	url := pgtest.New(t)
	replicas := []interface {
		audit.Recorder
		VerifyAudit(context.Context) (audit.Event, error)
	}{open(t, url), open(t, url)}
	const writers, each = 64, 5
	var done sync.WaitGroup
	failed := make(chan error, writers*each)
	for i := range writers {
		done.Go(func() {
			for j := range each {
				failed <- replicas[(i+j)%2].Append(t.Context(), record(fmt.Sprintf("a.%d.%d", i, j)))
			}
		})
	}
	done.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			t.Fatal(err)
		}
	}
	if last, err := replicas[0].VerifyAudit(t.Context()); last.Seq != writers*each || err != nil {
		t.Errorf("%d records, %v; want %d", last.Seq, err, writers*each)
	}
}

func TestAuditIsAppendOnly(t *testing.T) {
	url := pgtest.New(t)
	db := open(t, url)
	for range 3 {
		if err := db.Append(t.Context(), record("x")); err != nil {
			t.Fatal(err)
		}
	}
	conn := beside(t, url)
	for _, statement := range []string{
		"UPDATE audit_events SET user_id = 'v'", "DELETE FROM audit_events", "TRUNCATE audit_events",
	} {
		if _, err := conn.Exec(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	if last, err := db.VerifyAudit(t.Context()); last.Seq != 3 || err != nil {
		t.Errorf("%d records, %v", last.Seq, err)
	}
}

func TestAuditShowsTampering(t *testing.T) {
	for _, test := range []struct{ name, statement, want string }{
		{"a changed word", "UPDATE audit_events SET action = 'y' WHERE seq = 2", "record 2: has been changed"},
		{"a changed verdict", "UPDATE audit_events SET allowed = false WHERE seq = 2", "record 2: has been changed"},
		{"a changed detail", `UPDATE audit_events SET detail = '{"a": "2"}' WHERE seq = 3`, "record 3: has been changed"},
		{"a removed record", "DELETE FROM audit_events WHERE seq = 2", "record 2 is missing"},
		{"a removed start", "DELETE FROM audit_events WHERE seq = 1", "record 1 is missing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			url := pgtest.New(t)
			db := open(t, url)
			for range 4 {
				if err := db.Append(t.Context(), record("x")); err != nil {
					t.Fatal(err)
				}
			}
			conn := beside(t, url)
			for _, statement := range []string{"ALTER TABLE audit_events DISABLE TRIGGER ALL", test.statement} {
				if _, err := conn.Exec(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := db.VerifyAudit(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestAuditTakesAnyText(t *testing.T) {
	db := open(t, pgtest.New(t))
	for _, text := range []string{"", "\x00", "a\x00b", "\xff\xfe", "\ud7ff", strings.Repeat("ü", 5000), "\n\x1b[31m", `{"a":"b"}`, "\u2028"} {
		e := record(text)
		e.User, e.Target, e.Detail = text, text, map[string]string{"k" + text: text}
		if err := db.Append(t.Context(), e); err != nil {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	if last, err := db.VerifyAudit(t.Context()); last.Seq != 9 || err != nil {
		t.Errorf("%d records, %v", last.Seq, err)
	}
}

func TestAuditFailsClosed(t *testing.T) {
	url := pgtest.New(t)
	db := open(t, url)
	gone, leave := context.WithCancel(t.Context())
	leave()
	if err := db.Append(gone, record("x")); err == nil {
		// The record may have been written before anyone looked; then it must be in the chain.
		if last, err := db.VerifyAudit(t.Context()); last.Seq != 1 || err != nil {
			t.Errorf("an append that succeeded: %d records, %v", last.Seq, err)
		}
	}
	conn := beside(t, url)
	if _, err := conn.Exec(t.Context(), "ALTER TABLE audit_events RENAME TO gone"); err != nil {
		t.Fatal(err)
	}
	if err := db.Append(t.Context(), record("x")); err == nil || errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("without a table: %v", err)
	}
	if _, err := conn.Exec(t.Context(), "ALTER TABLE gone RENAME TO audit_events"); err != nil {
		t.Fatal(err)
	}
	if err := db.Append(t.Context(), record("x")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestAuditPages(t *testing.T) {
	db := open(t, pgtest.New(t))
	for i := range 5 {
		e := record("x")
		e.User = []string{"u1", "u2"}[i%2]
		if err := db.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		user   string
		before int64
		limit  int
		want   []int64
	}{
		{"", 0, 2, []int64{5, 4}}, {"", 4, 2, []int64{3, 2}}, {"", 1, 2, nil}, {"u1", 0, 10, []int64{5, 3, 1}}, {"u3", 0, 10, nil},
	} {
		events, err := db.AuditEvents(t.Context(), test.user, test.before, test.limit)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, e := range events {
			got = append(got, e.Seq)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", test, diff)
		}
	}
}
