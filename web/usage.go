package web

import (
	"fmt"

	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// usageCard is what a session has taken, in words.
type usageCard struct {
	Took      string
	Subagents string // of that, apart; empty: nothing
	Cost      string // short; empty: not known
	Told      string // what is known of it
}

func newUsageCard(u *protocol.SessionUsage) *usageCard {
	if u == nil {
		return nil
	}
	card := &usageCard{Took: tookWords(u.Total()), Told: fleet.CostWords(*u)}
	if u.Subagents != (protocol.Usage{}) {
		card.Subagents = tookWords(u.Subagents)
	}
	if u.CostUSD != nil {
		card.Cost = fmt.Sprintf("$%.2f", *u.CostUSD)
		if u.CostPartial {
			card.Cost += " and more"
		}
	}
	return card
}

// tookWords are tokens that went in, caches included, and came out.
func tookWords(u protocol.Usage) string {
	return fmt.Sprintf("%s tokens in, %s out", tokens(u.Total()-u.Output), tokens(u.Output))
}

// tokens is a count as a person reads it.
func tokens(n int64) string {
	switch {
	case n < 10_000:
		return fmt.Sprint(n)
	case n < 1_000_000:
		return fmt.Sprintf("%dk", n/1000)
	}
	return fmt.Sprintf("%.1fM", float64(n)/1e6)
}
