package session

import (
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/protocol"
)

const (
	// usageEvery is how often it is told what a session takes while its agent works. When it stops, that is told at once.
	usageEvery = 5 * time.Second
	// maxReplyID is how long a reply's id may be to be one.
	maxReplyID = 100 // bytes
)

// count adds what the lines say that replies took. Each of a reply's lines says it, in whatever order, and also a copy of
// them in a conversation that was branched off; it is counted once. Of a version whose lines are known to mean something
// else nothing is counted.
func (f *fold) count(r *reading, lines []agentkind.Line) {
	if f.withheld(agentkind.FeatureUsage) != "" {
		f.spent = true
		return
	}
	for _, line := range lines {
		if line.Cost != nil && r.subagent.ID == "" {
			r.cost = &cost{USD: line.Cost.USD, Tokens: line.Cost.Tokens, Own: r.use.Total()}
			f.spent = true
		}
		if line.Use == nil || line.Forked != "" || len(line.Reply) > maxReplyID {
			continue
		}
		more := beyond(plainUse(*line.Use), f.replies[line.Reply])
		if more == (protocol.Usage{}) {
			continue
		}
		f.replies[line.Reply] = f.replies[line.Reply].Plus(more)
		f.spent = true
		r.use = r.use.Plus(more)
		if r.reply != line.Reply {
			r.reply, r.owing = line.Reply, protocol.Usage{}
		}
		r.owing = r.owing.Plus(more)
	}
}

// beyond is how much more of each there is than was known.
func beyond(said, known protocol.Usage) protocol.Usage {
	return protocol.Usage{
		Input: max(said.Input-known.Input, 0), Output: max(said.Output-known.Output, 0),
		CacheRead: max(said.CacheRead-known.CacheRead, 0), CacheWrite: max(said.CacheWrite-known.CacheWrite, 0),
	}
}

// owed is what no entry has told yet of the use of this line's reply.
func (r *reading) owed(line agentkind.Line) *protocol.ReplyUsage {
	if line.Reply == "" || line.Reply != r.reply || r.owing == (protocol.Usage{}) {
		return nil
	}
	owed := &protocol.ReplyUsage{Reply: outgoingLine(r.reply), Usage: r.owing}
	r.owing = protocol.Usage{}
	return owed
}

// rememberUse takes in what an entry from the event log told of a reply.
func (f *fold) rememberUse(u *protocol.ReplyUsage) {
	if u != nil {
		f.replies[u.Reply] = f.replies[u.Reply].Plus(u.Usage)
	}
}

// usage is what the session has taken so far.
func (f *fold) usage() *protocol.SessionUsage {
	var sum protocol.SessionUsage
	taken := map[string]int64{} // tokens by the directory that a conversation's subagents have
	for _, r := range f.files {
		if r.subagent.ID != "" {
			sum.Subagents = sum.Subagents.Plus(r.use)
			taken[filepath.Dir(r.file)] += r.use.Total()
			continue
		}
		sum.Main = sum.Main.Plus(r.use)
		taken[f.kind.SubagentDir(r.file)] += r.use.Total()
	}
	if sum == (protocol.SessionUsage{}) {
		return nil
	}
	for _, file := range slices.Sorted(maps.Keys(f.files)) { // a sum of prices depends on their order
		if r := f.files[file]; r.subagent.ID == "" {
			r.price(&sum, taken[f.kind.SubagentDir(file)])
		}
	}
	uncounted := f.withheld(agentkind.FeatureUsage) != ""
	sum.CostPartial = (sum.CostPartial || uncounted) && sum.CostUSD != nil
	return &sum
}

// price adds what a conversation has cost in which so many tokens were taken.
func (r *reading) price(sum *protocol.SessionUsage, taken int64) {
	if r.cost == nil {
		sum.CostPartial = sum.CostPartial || taken > 0
		return
	}
	usd := r.cost.USD
	if sum.CostUSD != nil {
		usd += *sum.CostUSD
	}
	sum.CostUSD = &usd
	sum.CostPartial = sum.CostPartial || taken > r.cost.Tokens || r.use.Total() > r.cost.Own
}

// tellUsage tells what the session has taken, if that has changed and not much is known to be missing.
func (f *fold) tellUsage(now time.Time) {
	if !f.spent || f.behind || f.session.State == protocol.StateWorking && now.Sub(f.usageAt) < usageEvery {
		return
	}
	f.spent = false
	usage := f.usage()
	if usage == nil || reflect.DeepEqual(usage, f.session.Usage) {
		return
	}
	f.session.Usage, f.usageAt = usage, now
	f.tell(now, protocol.EventUsage, *usage)
}
