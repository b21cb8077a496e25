package agentkind

import (
	"encoding/json"
	"math"
)

// claudeUse is what a reply took. Each of a reply's lines says the same, which is the whole reply's: the CLI writes
// them when the reply has ended.
type claudeUse struct {
	Input      float64 `json:"input_tokens"`
	Output     float64 `json:"output_tokens"`
	CacheRead  float64 `json:"cache_read_input_tokens"`
	CacheWrite float64 `json:"cache_creation_input_tokens"`
}

// claudeCost is a line that the CLI writes when it ends, and when a conversation is left with /clear or /branch: what
// the conversation has cost in all its runs, subagents included, and for which tokens. A run that was killed writes
// none; what it took is missing in the next run's.
type claudeCost struct {
	USD     float64                     `json:"totalCostUSD"`
	Models  map[string]claudeModelsCost `json:"modelUsage"`
	Unknown bool                        `json:"hasUnknownModelCost"`
}

type claudeModelsCost struct {
	Input      float64 `json:"inputTokens"`
	Output     float64 `json:"outputTokens"`
	CacheRead  float64 `json:"cacheReadInputTokens"`
	CacheWrite float64 `json:"cacheCreationInputTokens"`
}

// maxTokens is far above what any reply takes: a file that says more is not believed.
const maxTokens = 1e12

// count is a plausible number of tokens, or 0.
func count(said float64) int64 {
	if math.IsNaN(said) || said < 0 || said > maxTokens {
		return 0
	}
	return int64(said)
}

func readClaudeUse(text json.RawMessage) *Use {
	var raw claudeUse
	if len(text) == 0 || json.Unmarshal(text, &raw) != nil {
		return nil
	}
	use := Use{Input: count(raw.Input), Output: count(raw.Output), CacheRead: count(raw.CacheRead), CacheWrite: count(raw.CacheWrite)}
	if use == (Use{}) {
		return nil
	}
	return &use
}

// readClaudeCost gives none where the CLI does not know a model's price.
func readClaudeCost(text []byte) []Line {
	var raw claudeCost
	if json.Unmarshal(text, &raw) != nil || raw.Unknown || raw.USD < 0 || raw.USD > maxTokens {
		return nil
	}
	cost := Cost{USD: raw.USD}
	for _, m := range raw.Models {
		cost.Tokens += count(m.Input) + count(m.Output) + count(m.CacheRead) + count(m.CacheWrite)
	}
	return []Line{{Kind: LineUse, Cost: &cost}}
}
