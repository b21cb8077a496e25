package fleet_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

func TestSearchAndFetch(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.person("alice", auth.RoleMember), w.person("bob", auth.RoleMember)
	h, foreign := w.newHost(alice, "mac-1"), w.newHost(bob, "mac-2")
	s, theirs := w.session(alice, h, "web-app"), w.session(bob, foreign, "web-app")
	h.said(s.ID, "The migration failed:\x1b[31m column \"size\" is missing")
	h.said(s.ID, "Fixed with größe & <b>")
	foreign.said(theirs.ID, "their migration")

	search := func(query string) []string {
		var ids []string
		for _, found := range must(w.Search(t.Context(), alice, query))(t) {
			ids = append(ids, found.ID)
		}
		return ids
	}
	tests := []struct {
		query string
		want  []string
	}{
		{"migration", []string{s.Handle + ":1"}},
		{"MIGRATION failed", []string{s.Handle + ":1"}},
		{"größe", []string{s.Handle + ":2"}},
		{"web-app", []string{s.Handle}},
		{s.Handle, []string{s.Handle}},
		{`"migration failed" -nothing`, []string{s.Handle + ":1"}},
		{"nonsense", nil},
		{"' OR 1=1 --", nil},
		{"%", nil},
		{"&|!():*", nil},
	}
	for _, test := range tests {
		if diff := cmp.Diff(search(test.query), test.want); diff != "" {
			t.Errorf("search for %q (got -, want +):\n%s", test.query, diff)
		}
	}
	for _, query := range []string{"", " ", "a\x00", "\xff", strings.Repeat("x", 10_000)} {
		if _, err := w.Search(t.Context(), alice, query); !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("search for %.20q: error %v, want invalid", query, err)
		}
	}

	found := must(w.Search(t.Context(), alice, "migration"))(t)[0]
	document := must(w.Fetch(t.Context(), alice, found.ID))(t)
	if document.URL != "https://switchboard.example/sessions/"+string(s.ID) || document.URL != found.URL {
		t.Errorf("URLs %s and %s", document.URL, found.URL)
	}
	if !strings.Contains(document.Text, `assistant: The migration failed:[31m column "size"`) || strings.Contains(document.Text, "\x1b") {
		t.Errorf("text %q", document.Text)
	}
	for _, id := range []string{s.Handle + ":", s.Handle + ":x", s.Handle + ":-1", theirs.Handle + ":1", ":1", ""} {
		if _, err := w.Fetch(t.Context(), alice, id); !errors.Is(err, auth.ErrNotFound) {
			t.Errorf("fetch %q: error %v, want not found", id, err)
		}
	}
}

func TestLongTranscript(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	for range 40 {
		h.said(s.ID, strings.Repeat("é", protocol.MaxEntryText/2))
	}
	if document := must(w.Fetch(t.Context(), alice, s.Handle))(t); len(document.Text) > 72<<10 {
		t.Errorf("a document of %d bytes", len(document.Text))
	}
	end := must(w.Transcript(t.Context(), alice, s.Handle, "", 500))(t)
	if n := len(end.Entries); n != 16 || end.Entries[n-1].Seq != 40 {
		t.Errorf("the end: %d entries up to %d, want as many as fit up to 40", n, end.Entries[n-1].Seq)
	}
	cursor, seen := "0", uint64(0)
	for more := true; more; {
		page := must(w.Transcript(t.Context(), alice, s.Handle, cursor, 500))(t)
		for _, e := range page.Entries {
			if e.Seq != seen+1 {
				t.Fatalf("entry %d after %d", e.Seq, seen)
			}
			seen = e.Seq
		}
		cursor, more = page.Cursor, page.More
	}
	if seen != 40 {
		t.Errorf("read up to %d, want 40", seen)
	}
	for _, limit := range []int{-1, 501} {
		if _, err := w.Transcript(t.Context(), alice, s.Handle, "", limit); !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("limit %d: error %v, want invalid", limit, err)
		}
	}
}
