package mcptools

import (
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// usageView is what a session has taken, in short.
type usageView struct {
	Tokens      int      `json:"tokens" doc:"in and out, from and into caches, subagents' included"`
	CostUSD     *float64 `json:"cost_usd,omitempty" doc:"what the agent itself reckons at list prices; it says so when a run or a conversation ends"`
	CostPartial bool     `json:"cost_partial,omitempty" doc:"more was used than cost_usd is for"`
}

func viewUsage(s fleet.Session) *usageView {
	if s.Usage == nil {
		return nil
	}
	return &usageView{Tokens: int(s.Usage.Total().Total()), CostUSD: s.Usage.CostUSD, CostPartial: s.Usage.CostPartial}
}

// usageParts is the same at length, the agent's own use and its subagents' apart.
type usageParts struct {
	Main      tokensView `json:"main" doc:"the agent itself"`
	Subagents tokensView `json:"subagents" doc:"apart from that"`
	Cost      string     `json:"cost" doc:"what is known of the cost in USD"`
}

type tokensView struct {
	Input      int `json:"input_tokens" doc:"without caches"`
	Output     int `json:"output_tokens"`
	CacheRead  int `json:"cache_read_tokens"`
	CacheWrite int `json:"cache_write_tokens"`
}

func viewUsageParts(s fleet.Session) *usageParts {
	if s.Usage == nil {
		return nil
	}
	return &usageParts{Main: viewTokens(s.Usage.Main), Subagents: viewTokens(s.Usage.Subagents), Cost: fleet.CostWords(*s.Usage)}
}

func viewTokens(u protocol.Usage) tokensView {
	return tokensView{Input: int(u.Input), Output: int(u.Output), CacheRead: int(u.CacheRead), CacheWrite: int(u.CacheWrite)}
}
