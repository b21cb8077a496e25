package agentkind

import (
	"embed"
	"encoding/json"
)

// claudeProofs are what `make compat` found, one file for each version that was tried.
//
//go:embed claude/*.json
var claudeProofs embed.FS

func claudeProof(version string) (Proof, bool) {
	text, err := claudeProofs.ReadFile("claude/" + version + ".json")
	if err != nil {
		return Proof{}, false
	}
	var proof Proof
	if err := json.Unmarshal(text, &proof); err != nil {
		return Proof{}, false // a test reads them all
	}
	return proof, true
}
