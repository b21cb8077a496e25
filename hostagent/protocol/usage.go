package protocol

// Usage is what a model's replies took, in tokens.
type Usage struct {
	Input      int64 `json:"input_tokens"` // without what came from a cache or went into one
	Output     int64 `json:"output_tokens"`
	CacheRead  int64 `json:"cache_read_tokens,omitempty"`
	CacheWrite int64 `json:"cache_write_tokens,omitempty"`
}

// Total counts every token alike.
func (u Usage) Total() int64 { return u.Input + u.Output + u.CacheRead + u.CacheWrite }

// Plus is the sum.
func (u Usage) Plus(v Usage) Usage {
	return Usage{
		Input: u.Input + v.Input, Output: u.Output + v.Output,
		CacheRead: u.CacheRead + v.CacheRead, CacheWrite: u.CacheWrite + v.CacheWrite,
	}
}

// ReplyUsage is what one reply took.
type ReplyUsage struct {
	Reply string `json:"reply_id"` // the model's own id of it
	Usage
}

// SessionUsage is what a session has taken in all its runs and conversations, as its agent's transcripts say.
type SessionUsage struct {
	Main      Usage `json:"main"`      // the agent itself
	Subagents Usage `json:"subagents"` // apart from that
	// CostUSD is what the agent itself reckons, subagents included, at list prices. It says so when a run or a
	// conversation ends, so that what is going on is missing, and what a killed run took may be missing for good:
	// CostPartial. Nil: it has not said any.
	CostUSD     *float64 `json:"cost_usd,omitempty"`
	CostPartial bool     `json:"cost_partial,omitempty"`
}

// Total is what the agent and its subagents took together.
func (u SessionUsage) Total() Usage { return u.Main.Plus(u.Subagents) }
