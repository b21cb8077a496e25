package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

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

// cleanEntryUsage bounds what a transcript's entry says that a reply took, which could not be read or added up otherwise.
func cleanEntryUsage(body json.RawMessage) json.RawMessage {
	var entry map[string]json.RawMessage
	if json.Unmarshal(body, &entry) != nil || entry["usage"] == nil {
		return body
	}
	var usage map[string]json.RawMessage
	if json.Unmarshal(entry["usage"], &usage) != nil {
		usage = nil // it is no usage
	}
	for _, name := range []string{"input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"} {
		if said, ok := usage[name]; ok {
			usage[name] = json.RawMessage(strconv.FormatInt(readCount(said), 10))
		}
	}
	// What came from JSON marshals again.
	entry["usage"], _ = json.Marshal(usage)
	cleaned, _ := json.Marshal(entry)
	return cleaned
}

// readCount is a number of tokens within bounds; 0 if it is none.
func readCount(said json.RawMessage) int64 {
	count, err := strconv.ParseFloat(string(said), 64) // infinite, if it is too large
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return int64(min(max(count, 0), maxTokens))
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
