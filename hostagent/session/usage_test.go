package session

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/hostagent/protocol"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	usd := func(cost float64) *float64 { return &cost }
	forked := func(line string) string {
		return strings.Replace(line, `{`, `{"forkedFrom":{"sessionId":"c1"},`, 1)
	}
	tests := map[string]struct {
		lines []string
		sub   []string
		want  *protocol.SessionUsage
	}{
		"nothing":            {[]string{says("hi")}, nil, nil},
		"one reply, 3 lines": {[]string{thinks("m1", 5, 6), replies("m1", "a", 5, 6), calls("m1", "t1", 5, 6)}, nil, &protocol.SessionUsage{Main: protocol.Usage{Input: 5, Output: 6, CacheRead: 1}}},
		"in any order":       {[]string{replies("m1", "a", 5, 1), replies("m2", "b", 7, 7), replies("m1", "c", 5, 6), replies("m2", "d", 1, 1)}, nil, &protocol.SessionUsage{Main: protocol.Usage{Input: 12, Output: 13, CacheRead: 2}}},
		"a copy":             {[]string{forked(replies("m0", "a", 50, 60)), replies("m1", "b", 5, 6)}, nil, &protocol.SessionUsage{Main: protocol.Usage{Input: 5, Output: 6, CacheRead: 1}}},
		"not believed":       {[]string{strings.Replace(replies("m1", "a", 5, 6), `"input_tokens":5`, `"input_tokens":-5e300`, 1)}, nil, &protocol.SessionUsage{Main: protocol.Usage{Output: 6, CacheRead: 1}}},
		"not understood":     {[]string{strings.Replace(replies("m1", "a", 5, 6), `"input_tokens":5`, `"input_tokens":"five"`, 1)}, nil, nil},
		"priced":             {[]string{replies("m1", "a", 5, 6), costs(0.5, 27)}, []string{replies("s1", "b", 7, 7)}, &protocol.SessionUsage{Main: protocol.Usage{Input: 5, Output: 6, CacheRead: 1}, Subagents: protocol.Usage{Input: 7, Output: 7, CacheRead: 1}, CostUSD: usd(0.5)}},
		"the last price":     {[]string{replies("m1", "a", 5, 6), costs(0.5, 12), costs(0.5, 12), replies("m2", "a", 5, 6), costs(1, 24)}, nil, &protocol.SessionUsage{Main: protocol.Usage{Input: 10, Output: 12, CacheRead: 2}, CostUSD: usd(1)}},
		"not all is priced":  {[]string{replies("m1", "a", 5, 6), costs(0.5, 1200), replies("m2", "a", 5, 6)}, nil, &protocol.SessionUsage{Main: protocol.Usage{Input: 10, Output: 12, CacheRead: 2}, CostUSD: usd(0.5), CostPartial: true}},
		"a run was killed":   {[]string{replies("m1", "a", 5, 6), replies("m2", "a", 5, 6), costs(0.5, 12)}, nil, &protocol.SessionUsage{Main: protocol.Usage{Input: 10, Output: 12, CacheRead: 2}, CostUSD: usd(0.5), CostPartial: true}},
		"an unknown price":   {[]string{replies("m1", "a", 5, 6), strings.Replace(costs(0.5, 12), `Cost":false`, `Cost":true`, 1)}, nil, &protocol.SessionUsage{Main: protocol.Usage{Input: 5, Output: 6, CacheRead: 1}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPaper(t)
			p.write(p.conversation, test.lines...)
			if test.sub != nil {
				p.write(p.subagent("aa"), test.sub...)
			}
			p.readAll(p.begin(1, p.conversation))
			if diff := cmp.Diff(test.want, p.state().Usage); diff != "" {
				t.Errorf("usage (-want +got):\n%s", diff)
			}
			var told protocol.Usage
			for _, e := range p.entries() {
				if e.Usage != nil {
					told = told.Plus(e.Usage.Usage)
				}
			}
			if test.want != nil && told != test.want.Total() {
				t.Errorf("the entries say %+v, want %+v", told, test.want.Total())
			}
		})
	}
}

// TestBranch: a conversation that was branched off is told from where it differs.
func TestBranch(t *testing.T) {
	t.Parallel()
	p := newPaper(t)
	p.write(p.conversation, says("before"))
	p.readAll(p.begin(1, p.conversation))
	branch := strings.Replace(p.conversation, "c1", "c2", 1)
	p.write(branch, strings.Replace(says("before"), `{`, `{"forkedFrom":{"sessionId":"c1"},`, 1), says("after"))
	p.readAll(p.begin(2, branch))
	p.wantTold("user: before", "user: after")
	other := strings.Replace(p.conversation, "c1", "c3", 1)
	p.write(other, strings.Replace(says("elsewhere"), `{`, `{"forkedFrom":{"sessionId":"c9"},`, 1))
	p.readAll(p.begin(3, other))
	p.wantTold("user: before", "user: after", "user: elsewhere")
}
