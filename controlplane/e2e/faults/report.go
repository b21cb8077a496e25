package main

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"time"

	"switchboard/controlplane/e2e/faults/agentlog"
)

var changing = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|prompt [a-z0-9]{26}|\d+|"[^"]*"`)

// report prints what was done, and the first violation of each rule with its history.
func (w *world) report(out io.Writer, f facts, rest time.Duration, found []violation) {
	overlapped, all := w.history.overlapping()
	fmt.Fprintf(out, "%d calls, %d faults, %d %% of the calls overlap one\n", all, len(w.history.faults), 100*overlapped/max(all, 1))
	injected := map[string]int{}
	for _, fault := range w.history.faults {
		injected[fault.what+" "+fault.target]++
	}
	for _, what := range slices.Sorted(maps.Keys(injected)) {
		fmt.Fprintf(out, "  %4d %s\n", injected[what], what)
	}
	outcomes, words := map[string]int{}, map[string]int{}
	for _, a := range w.history.acts {
		for _, t := range a.tries {
			outcomes[a.kind+" "+string(t.outcome)]++
			if t.outcome != done {
				words[string(t.outcome)+" "+a.kind+": "+shorten(changing.ReplaceAllString(t.detail, "…"))]++
			}
		}
	}
	for _, what := range slices.Sorted(maps.Keys(outcomes)) {
		fmt.Fprintf(out, "  %4d %s\n", outcomes[what], what)
	}
	most := slices.SortedFunc(maps.Keys(words), func(a, b string) int { return words[b] - words[a] })
	fmt.Fprintln(out, "what was not answered, mostly:")
	for _, what := range most[:min(len(most), 25)] {
		fmt.Fprintf(out, "  %4d %s\n", words[what], what)
	}
	statuses := map[string]int{}
	for _, m := range f.messages {
		statuses[m.Status+" "+changing.ReplaceAllString(m.Detail, "…")]++
	}
	fmt.Fprintf(out, "%d messages, %d prompts, %d sessions, %d audit records; at rest after %s\n",
		len(f.messages), len(f.prompts), len(f.sessions), len(f.audit), rest.Round(time.Second/10))
	for _, what := range slices.Sorted(maps.Keys(statuses)) {
		fmt.Fprintf(out, "  %4d %s\n", statuses[what], shorten(what))
	}
	w.reportTrials(out, f)
	fmt.Fprintf(out, "%d tokens taken back, %d secrets looked for in %d places, %d recordings compared\n",
		len(w.revoked), len(w.secrets), len(f.texts), len(f.runs))
	counts := map[string]int{}
	for _, v := range found {
		if counts[v.rule]++; counts[v.rule] > 1 {
			continue
		}
		fmt.Fprintf(out, "VIOLATION %s: %s\n", v.rule, v.what)
		for _, line := range v.history[:min(len(v.history), 40)] {
			fmt.Fprintln(out, "   ", line)
		}
	}
	for rule, count := range counts {
		fmt.Fprintf(out, "violated %d times: %s\n", count, rule)
	}
	if len(found) == 0 {
		fmt.Fprintln(out, "nothing was violated")
	}
}

// reportTrials says how often the rules were put to the test that only what people do can break.
func (w *world) reportTrials(out io.Writer, f facts) {
	var atTerminal, rejected, again, late int
	for _, p := range f.prompts {
		if e, known := f.decision(p); known && !byHook(e) {
			atTerminal++
			if e.Kind == agentlog.Rejected {
				rejected++
			}
		}
	}
	for _, a := range w.history.acts {
		if a.again {
			again++
		}
		e, known := f.decision(f.prompts[a.prompt])
		if a.kind == "respond_to_prompt" && known && a.began.After(e.At.Add(withdrawnWithin)) {
			late++
		}
	}
	fmt.Fprintf(out, "%d prompts decided at the terminal, %d of them by Esc; %d answers came late; %d calls with a used key\n", atTerminal, rejected, late, again)
}
