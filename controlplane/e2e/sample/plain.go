package sample

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Plain makes what the CLI wrote the same in every run: ids are numbered in the order in which they come, times and
// what else differs are fixed. It stays of the form that it had.
type Plain struct {
	numbers map[string]string // by id
	counts  map[string]int    // by form
	records int
}

// ids are what joins one thing with another, and the form that takes its place.
var ids = []struct {
	found *regexp.Regexp
	form  string
}{
	{regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`), "%08d-0000-4000-8000-000000000000"},
	{regexp.MustCompile(`\btoolu_[A-Z2-7]{26}\b`), "toolu_%04d"},
	{regexp.MustCompile(`\bmsg_[A-Z2-7]{26}\b`), "msg_%04d"},
	{regexp.MustCompile(`\ba[0-9a-f]{16}\b`), "a%016d"}, // a subagent
}

// rule puts something fixed for what differs.
type rule struct {
	found *regexp.Regexp
	put   string
}

// fixed is what differs from run to run and joins nothing.
var fixed = []rule{
	{regexp.MustCompile(`\b20\d\d-\d\d-\d\d\b`), "2026-11-21"},
	{regexp.MustCompile(`"(start\w*)":1\d{12}\b`), `"$1":1795224187000`},
	{regexp.MustCompile(`"(nameSince|updatedAt|statusUpdatedAt)":1\d{12}\b`), `"$1":1795224187903`},
	{regexp.MustCompile(`"(\w*[dD]uration\w*|\w+Ms|\w+_ms)":\d+`), `"$1":100`},
	{regexp.MustCompile(`"(seconds_since_\w+)":\d+`), `"$1":1`},
	{regexp.MustCompile(`<duration_ms>\d+<`), `<duration_ms>100<`},
	{regexp.MustCompile(`"pid":\d+`), `"pid":4242`},
	{regexp.MustCompile(`/cc-socks(-\d+)?/\d+\.sock`), `/cc-socks/4242.sock`}, // with the uid, if that is not root's
	{regexp.MustCompile(`"(procStart|pidDomain|runId|slug)":"[^"]*"`), `"$1":"1"`},
	{regexp.MustCompile(`/tmp/claude-\d+/`), `/tmp/claude-1000/`},
	{regexp.MustCompile(`/plans/[a-z]+(-[a-z]+)+\.md`), `/plans/plan.md`},
	{regexp.MustCompile(`'[^' ]+' hook '([^' ]+)'`), `'hostagent' hook '$1'`},
	{regexp.MustCompile(`(line \d+ of a slow answer(\\n|\n *)?)+`), `line 1 of a slow answer$2`}, // as long as it took to interrupt it
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), `127.0.0.1:8421`},
}

// drawn is what differs on a screen, beside what is fixed everywhere.
var drawn = []rule{
	{regexp.MustCompile(`\d?\d:\d\d [AP]M`), `9:00 AM`},
	{regexp.MustCompile(`(?m)^[·✢✳✶✻✽*] \p{Lu}[\p{L}'-]+…( \(.*\))?`), `✻ Working…`},
	{regexp.MustCompile(`(?m)^[·✢✳✶✻✽*] API error · retrying in \d+s`), `✻ API error · retrying in 1s`},
	{regexp.MustCompile(`(?m)^✻ \p{Lu}\p{L}+ for \d+s`), `✻ Worked for 1s`},
	{regexp.MustCompile(`(?m)^[● ] (Running|Calling|Reading) `), `● $1 `}, // it blinks
	{regexp.MustCompile(`(?m)^(● .*) · \d+s(…?)$`), `$1$2`},
	// A machine under load lets the CLI see keys one by one, which it then says.
	{regexp.MustCompile(` Removed \d invisible characters from your prompt `), strings.Repeat("▔", 49)},
	{regexp.MustCompile(`(?m)^[^\p{L}\p{N}\n]{11}(Claude Code v|\S+ [\d.]+ · |~/)`), `           $1`}, // the figure moves
	// Hints come and go by themselves: those at the right end, and those in the last line.
	{regexp.MustCompile(`(?m)^ {50,}\S.*$`), ``},
	{regexp.MustCompile(` · (\? for shortcuts|← for agents|/tasks to see subagents|↓ to manage)`), ``},
}

// Record is one payload, line or file of the CLI's. Every time in it is the same second, one later than in the record
// before.
func (p *Plain) Record(text string) string {
	p.records++
	at := time.Date(2026, 11, 21, 9, 0, p.records, 0, time.UTC).Format("2006-01-02T15:04:05.000Z")
	text = p.ids(timestamp.ReplaceAllString(text, at))
	for _, f := range fixed {
		text = f.found.ReplaceAllString(text, f.put)
	}
	return text
}

var timestamp = regexp.MustCompile(`\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)

// Screen is a screen's text.
func (p *Plain) Screen(text string) string {
	text = p.ids(text)
	for _, d := range slices.Concat(fixed, drawn) {
		text = d.found.ReplaceAllString(text, d.put)
	}
	return text
}

func (p *Plain) ids(text string) string {
	for _, id := range ids {
		text = id.found.ReplaceAllStringFunc(text, func(found string) string { return p.number(found, id.form) })
	}
	return text
}

func (p *Plain) number(id, form string) string {
	if p.numbers == nil {
		p.numbers, p.counts = map[string]string{}, map[string]int{}
	}
	if _, ok := p.numbers[id]; !ok {
		p.counts[form]++
		p.numbers[id] = fmt.Sprintf(form, p.counts[form])
	}
	return p.numbers[id]
}
