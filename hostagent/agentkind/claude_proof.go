package agentkind

import (
	"embed"
	"encoding/json"
	"strings"
	"sync"
)

// claudeProofFiles are what `make compat` found, one file for each version that was tried.
//
//go:embed claude/*.json
var claudeProofFiles embed.FS

// claudeProofs are what the files say, by version. They are read once, since each look at a session asks for one.
var claudeProofs = sync.OnceValue(func() map[string]Proof {
	proofs := map[string]Proof{}
	files, _ := claudeProofFiles.ReadDir("claude") // it is there: the pattern above would not compile
	for _, file := range files {
		text, err := claudeProofFiles.ReadFile("claude/" + file.Name())
		var proof Proof
		if err != nil || json.Unmarshal(text, &proof) != nil {
			continue // a test reads them all
		}
		proofs[strings.TrimSuffix(file.Name(), ".json")] = proof
	}
	return proofs
})

func claudeProof(version string) (Proof, bool) {
	proof, ok := claudeProofs()[version]
	return proof, ok
}
