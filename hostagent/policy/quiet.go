package policy

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// QuietHours are a time of day, by the host's own clock and time zone, in which nothing is begun from afar: no session
// is started or resumed, and no message taken. Answers to prompts, interruptions and ends are, since they let an agent
// stop; and whoever is at the terminal is not touched.
type QuietHours struct {
	From Clock     `json:"from"`
	To   Clock     `json:"to"`             // the next day's, if it is before From
	Days []Weekday `json:"days,omitempty"` // on which they begin; none: on every day
}

// Clock is a time of day as a clock on the wall shows it, in minutes. It is compared with what the wall shows, not
// counted, so that a day of 23 or 25 hours needs no thought.
type Clock int

// MarshalText is the form 22:00.
func (c Clock) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

// UnmarshalText reads the form 22:00; 24:00 is the end of a day.
func (c *Clock) UnmarshalText(written []byte) error {
	if string(written) == "24:00" {
		*c = 24 * 60
		return nil
	}
	t, err := time.Parse("15:04", string(written))
	if err != nil {
		return fmt.Errorf("the time of day %.20q: want the form 22:00", written)
	}
	*c = Clock(t.Hour()*60 + t.Minute())
	return nil
}

// Weekday is a day of the week, written mon, tue, wed, thu, fri, sat or sun.
type Weekday time.Weekday

// MarshalText is the short form.
func (d Weekday) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d Weekday) String() string { return strings.ToLower(time.Weekday(d).String()[:3]) }

// UnmarshalText reads the short form.
func (d *Weekday) UnmarshalText(written []byte) error {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if strings.EqualFold(Weekday(day).String(), string(written)) {
			*d = Weekday(day)
			return nil
		}
	}
	return fmt.Errorf("the day %.20q: want mon, tue, wed, thu, fri, sat or sun", written)
}

func (q QuietHours) check() error {
	if q.From == q.To {
		return errors.New("quiet_hours begin and end at the same time; a whole day is from 00:00 to 24:00")
	}
	return nil
}

// until is when quiet hours that it is now in are over.
func (q QuietHours) until(now time.Time) (end time.Time, quiet bool) {
	year, month, day := now.Date()
	wall := Clock(now.Hour()*60 + now.Minute())
	today := q.beginsOn(now.Weekday())
	yesterday := q.beginsOn((now.Weekday() + 6) % 7)
	at := func(day int) time.Time {
		return time.Date(year, month, day, int(q.To)/60, int(q.To)%60, 0, 0, now.Location())
	}
	switch {
	case q.From < q.To:
		return at(day), today && q.From <= wall && wall < q.To
	case wall >= q.From:
		return at(day + 1), today
	default:
		return at(day), yesterday && wall < q.To
	}
}

func (q QuietHours) beginsOn(day time.Weekday) bool {
	for _, d := range q.Days {
		if time.Weekday(d) == day {
			return true
		}
	}
	return len(q.Days) == 0
}

// Begin says whether something may be begun from afar now: a session, or work by a message.
func (p Policy) Begin(now time.Time) error {
	for i, q := range p.QuietHours {
		if end, quiet := q.until(now); quiet {
			return &Refusal{Setting: "quiet_hours", Index: i, Reason: fmt.Sprintf(
				"this host keeps quiet hours until %s: nothing is started and no message taken; prompts can be answered, and at its terminal all goes on",
				end.Format("Monday 15:04 MST"))}
		}
	}
	return nil
}
