package policy

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata"
)

// TestQuietHours counts quiet minutes, by a clock that goes through each of these spans.
func TestQuietHours(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	must(t, err)
	at := func(written string) time.Time {
		when, err := time.ParseInLocation("2006-01-02 15:04", written, berlin)
		must(t, err)
		return when
	}
	tests := []struct {
		name, hours string
		from        time.Time
		span        time.Duration
		want        int
	}{
		{"an evening", `{"from": "18:30", "to": "20:00"}`, at("2000-01-10 00:00"), 24 * time.Hour, 90},
		{"a night", `{"from": "22:00", "to": "07:00"}`, at("2000-01-10 12:00"), 24 * time.Hour, 540},
		{"the night when the clock goes forward", `{"from": "22:00", "to": "07:00"}`, at("2000-03-25 12:00"), 24 * time.Hour, 480},
		{"the night when the clock goes back", `{"from": "22:00", "to": "07:00"}`, at("2000-10-28 12:00"), 24 * time.Hour, 600},
		{"an hour that is left out", `{"from": "02:00", "to": "03:00"}`, at("2000-03-25 12:00"), 24 * time.Hour, 0},
		{"an hour that comes twice", `{"from": "02:00", "to": "03:00"}`, at("2000-10-28 12:00"), 24 * time.Hour, 120},
		{"a week with two nights", `{"from": "22:00", "to": "07:00", "days": ["Fri", "sat"]}`, at("2000-01-10 00:00"), 7 * 24 * time.Hour, 2 * 540},
		{"a day", `{"from": "00:00", "to": "24:00", "days": ["sun"]}`, at("2000-01-10 00:00"), 7 * 24 * time.Hour, 1440},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var q QuietHours
			must(t, json.Unmarshal([]byte(test.hours), &q))
			p := Policy{QuietHours: []QuietHours{q}}
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(test.from))
				quiet := 0
				for end := test.from.Add(test.span); time.Now().Before(end); time.Sleep(time.Minute) {
					now := time.Now().In(berlin)
					if p.Begin(now) == nil {
						continue
					}
					quiet++
					if over, _ := q.until(now); !over.After(now) || p.Begin(over) != nil && q.From < q.To {
						t.Fatalf("at %s quiet until %s", now, over)
					}
				}
				if quiet != test.want {
					t.Errorf("%d minutes are quiet, want %d", quiet, test.want)
				}
			})
		})
	}
}

func TestQuietHoursSayUntilWhen(t *testing.T) {
	var p Policy
	must(t, json.Unmarshal([]byte(`{"quiet_hours": [{"from": "22:00", "to": "07:00"}]}`), &p))
	err := p.Begin(time.Date(2026, 11, 20, 23, 30, 0, 0, time.UTC))
	if err == nil || !strings.Contains(err.Error(), "until Saturday 07:00 UTC") {
		t.Errorf("refusal: %v", err)
	}
	if text, err := json.Marshal(p.QuietHours); err != nil || string(text) != `[{"from":"22:00","to":"07:00"}]` {
		t.Errorf("written again: %s, %v", text, err)
	}
}
