package mcptools

import (
	"fmt"
	"strings"
	"time"

	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// entryLine is one transcript entry as text.
func entryLine(e fleet.TranscriptEntry) string {
	var line strings.Builder
	fmt.Fprintf(&line, "[%s] %s", e.At.UTC().Format(time.RFC3339), plainLine(e.Speaker()))
	if tool := e.Tool; tool != "" {
		line.WriteString(" " + plainLine(tool))
	}
	switch {
	case e.DeniedBy == protocol.WhereRule:
		line.WriteString(" denied by a rule on the host")
	case e.IsError:
		line.WriteString(" failed")
	}
	line.WriteString(": ")
	line.WriteString(clip(plain(e.Said()), maxSaid(e)))
	if e.Truncated {
		line.WriteString(" … (the rest is in the agent's own transcript)")
	}
	if e.Usage != nil {
		fmt.Fprintf(&line, " (%s)", tokensText(e.Usage.Usage))
	}
	return clip(line.String(), maxOutput/2)
}

// maxSaid is how much is shown of what an entry says. What is asked mostly stands in the call before it.
func maxSaid(e fleet.TranscriptEntry) int {
	if e.Asked != nil {
		return maxDetail
	}
	return maxOutput / 2
}

// tokensText is what replies took.
func tokensText(u protocol.Usage) string {
	return fmt.Sprintf("%d tokens in, %d out", u.Total()-u.Output, u.Output)
}

func entryLines(entries []fleet.TranscriptEntry) []string {
	lines := make([]string, len(entries))
	for i, e := range entries {
		lines[i] = entryLine(e)
	}
	return lines
}

// fitting is how many of the lines fit into one answer, counted from the first or from the last.
func fitting(lines []string, fromLast bool) int {
	size, count := 0, 0
	for i := range lines {
		line := lines[i]
		if fromLast {
			line = lines[len(lines)-1-i]
		}
		size += len(line) + 1
		if size > maxOutput {
			break
		}
		count++
	}
	return max(count, min(1, len(lines)))
}
