package audit_test

import (
	"strings"
	"testing"
	"time"

	"switchboard/auth/audit"
)

// chain makes n records.
func chain(n int) []audit.Event {
	var events []audit.Event
	var last audit.Event
	for i := range n {
		e := audit.Event{
			At: time.Date(2026, 1, 2, 3, 4, i, 5678, time.FixedZone("", 3600)), User: "u", Action: "session.message",
			Allowed: true, Detail: map[string]string{"b": "2", "a": "1"},
		}
		e.Link(last)
		events, last = append(events, e), e
	}
	return events
}

func TestVerify(t *testing.T) {
	for _, test := range []struct {
		name   string
		tamper func(events []audit.Event) []audit.Event
		want   string // empty: it verifies
	}{
		{"untouched", func(e []audit.Event) []audit.Event { return e }, ""},
		{"empty", func([]audit.Event) []audit.Event { return nil }, ""},
		{"text changed", func(e []audit.Event) []audit.Event { e[2].User = "v"; return e }, "record 3: has been changed"},
		{"verdict changed", func(e []audit.Event) []audit.Event { e[2].Allowed = false; return e }, "record 3: has been changed"},
		{"detail added", func(e []audit.Event) []audit.Event { e[0].Detail["c"] = "3"; return e }, "record 1: has been changed"},
		{"time changed", func(e []audit.Event) []audit.Event { e[4].At = e[4].At.Add(time.Microsecond); return e }, "record 5: has been changed"},
		{"first removed", func(e []audit.Event) []audit.Event { return e[1:] }, "record 1 is missing"},
		{"one removed", func(e []audit.Event) []audit.Event { return append(e[:2], e[3:]...) }, "record 3 is missing"},
		{"one removed, the rest counted anew", func(e []audit.Event) []audit.Event {
			e = append(e[:2], e[3:]...)
			e[2].Seq, e[3].Seq = 3, 4
			return e
		}, "record 3: does not follow record 2"},
		{"two exchanged", func(e []audit.Event) []audit.Event { e[1], e[2] = e[2], e[1]; return e }, "record 2 is missing"},
		{"one rewritten with its own hash", func(e []audit.Event) []audit.Event {
			e[2].User = "v"
			e[2].Link(e[1])
			return e
		}, "record 4: does not follow record 3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := audit.Verify(audit.Event{}, test.tamper(chain(5)))
			if test.want == "" && err != nil {
				t.Error(err)
			}
			if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestVerifyFromTheMiddle(t *testing.T) {
	events := chain(5)
	if err := audit.Verify(events[1], events[2:]); err != nil {
		t.Error(err)
	}
	if err := audit.Verify(events[0], events[2:]); err == nil {
		t.Error("a run verifies behind a record that is not before it")
	}
}

func TestLinkKeepsWhatPostgresKeeps(t *testing.T) {
	e := chain(1)[0]
	if e.At.Location() != time.UTC || e.At.Nanosecond()%1000 != 0 {
		t.Errorf("time %v", e.At)
	}
}
