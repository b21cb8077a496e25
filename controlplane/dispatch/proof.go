package dispatch

import (
	"net/http"
	"sync"
	"time"

	"switchboard/hostagent/protocol"
)

// Proofs checks what hosts show before they may connect. Each replica remembers only the proofs shown to itself:
// a proof that was overheard and shown to another replica still leads no further than to NATS's own challenge.
type Proofs struct {
	Audience string // what this control plane is called
	Now      func() time.Time

	mu   sync.Mutex
	seen map[string]time.Time // nkey and nonce, and until when a second use would be in time
}

// Check returns a proof that holds: its maker has the key, now, and means this control plane. Whose key it is
// remains to be asked.
func (p *Proofs) Check(header http.Header) (protocol.Proof, *protocol.Refusal) {
	proof, err := protocol.ParseProof(header.Get("Authorization"))
	if err != nil {
		return proof, &protocol.Refusal{Code: protocol.ReasonProof, Message: "the Authorization header is no host's: " + err.Error()}
	}
	now := p.Now()
	if age := now.Sub(proof.At).Abs(); age > protocol.ProofAge {
		return proof, &protocol.Refusal{Code: protocol.ReasonClock,
			Message: "the host's clock differs by " + age.Round(time.Second).String() + " from the control plane's: set both by NTP"}
	}
	proof.Audience = p.Audience
	if err := verify(proof.NKey, proof.Text(), proof.Signature); err != nil {
		return proof, &protocol.Refusal{Code: protocol.ReasonProof,
			Message: "the signature does not fit: the host was enrolled with another control plane; enrol it here"}
	}
	return proof, nil
}

// First reports whether the proof is shown for the first time. Ask it of known hosts' proofs only: anybody can
// make keys and sign, and would fill the memory.
func (p *Proofs) First(proof protocol.Proof) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Now()
	for name, until := range p.seen {
		if now.After(until) {
			delete(p.seen, name)
		}
	}
	name := proof.NKey + "." + proof.Nonce
	if _, used := p.seen[name]; used {
		return false
	}
	if p.seen == nil {
		p.seen = map[string]time.Time{}
	}
	p.seen[name] = proof.At.Add(protocol.ProofAge)
	return true
}
