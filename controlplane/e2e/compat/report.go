package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"switchboard/hostagent/agentkind"
)

// printRow is one line of the matrix, as soon as it is known.
func printRow(out io.Writer, r agentkind.Row) {
	fmt.Fprintf(out, "%-8s%-28s%6.1f s  %-11s %s\n", r.Result, r.Name, r.Seconds, r.Feature, oneLine(r.Evidence))
	if r.Result != agentkind.Pass {
		fmt.Fprintf(out, "        relied on: %s\n        %s\n", r.Relies, strings.ReplaceAll(r.Evidence, "\n", "\n        "))
	}
}

func oneLine(text string) string {
	const most = 110
	line, _, cut := strings.Cut(text, "\n")
	if runes := []rune(line); len(runes) > most {
		line, cut = string(runes[:most]), true
	}
	if cut {
		return line + " …"
	}
	return line
}

// summarize says what each feature of ours is worth with this version.
func summarize(out io.Writer, proof agentkind.Proof) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "\nClaude Code %s on %s:\n", proof.Version, proof.Platform)
	for _, feature := range agentkind.Features() {
		counts := map[agentkind.Result]int{}
		for _, r := range proof.Rows {
			if r.Feature == feature {
				counts[r.Result]++
			}
		}
		verdict := "works"
		if broken := proof.Broken(feature); len(broken) > 0 {
			verdict = "withheld: " + strings.Join(broken, ", ")
		}
		fmt.Fprintf(table, "%s\t%d pass, %d fail, %d unknown\t%s\n", feature, counts[agentkind.Pass], counts[agentkind.Fail], counts[agentkind.Unknown], verdict)
	}
	return table.Flush()
}

// keep writes the proof where the host agent is built with it, and as a table for readers beside it.
func keep(dir string, proof agentkind.Proof) error {
	text, err := json.MarshalIndent(proof, "", "\t")
	if err != nil {
		return fmt.Errorf("keeping the proof: %w", err)
	}
	base := filepath.Join(dir, proof.Version)
	return errors.Join(
		os.WriteFile(base+".json", append(text, '\n'), 0o644),
		os.WriteFile(base+".md", []byte(markdown(proof)), 0o644),
	)
}

func markdown(proof agentkind.Proof) string {
	var text strings.Builder
	fmt.Fprintf(&text, "# Claude Code %s\n\nTried on %s on %s by `make compat`, which writes this file.\n\n", proof.Version, proof.Platform, proof.Date)
	text.WriteString("| row | result | what we rely on | feature | evidence |\n|---|---|---|---|---|\n")
	for _, r := range proof.Rows {
		evidence := strings.NewReplacer("\n", " ", "|", `\|`).Replace(oneLine(r.Evidence))
		fmt.Fprintf(&text, "| %s | %s | %s | %s | %s |\n", r.Name, r.Result, r.Relies, r.Feature, evidence)
	}
	return text.String()
}
