package fleet

import (
	"fmt"
	"math"

	"switchboard/hostagent/protocol"
)

// What no session takes, and a host therefore does not say.
const (
	maxTokens = 1e15
	maxCost   = 1e9 // US dollars
)

// cleanUsage takes out of what a host says what cannot be true, so that nobody has to show it.
func cleanUsage(u protocol.SessionUsage) protocol.SessionUsage {
	u.Main, u.Subagents = cleanTokens(u.Main), cleanTokens(u.Subagents)
	if u.CostUSD != nil && (*u.CostUSD < 0 || *u.CostUSD > maxCost || math.IsNaN(*u.CostUSD)) {
		u.CostUSD, u.CostPartial = nil, false
	}
	return u
}

func cleanTokens(u protocol.Usage) protocol.Usage {
	for _, count := range []*int64{&u.Input, &u.Output, &u.CacheRead, &u.CacheWrite} {
		*count = min(max(*count, 0), maxTokens)
	}
	return u
}

// CostWords says what is known of a session's cost.
func CostWords(u protocol.SessionUsage) string {
	switch {
	case u.CostUSD == nil:
		return "not known: the agent says it when a run or a conversation ends"
	case u.CostPartial:
		return fmt.Sprintf("$%.4f so far; more was used since the agent last said it, or in a run that was killed", *u.CostUSD)
	}
	return fmt.Sprintf("$%.4f at list prices, as the agent itself reckons", *u.CostUSD)
}
