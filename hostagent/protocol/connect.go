package protocol

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Paths on the control plane's address that hosts use.
const (
	EnrolPath   = "/enroll" // POST EnrolRequest
	ConnectPath = "/nats"   // WebSocket that carries the NATS protocol, after a Proof
)

// EnrolRequest trades a token for being a host.
type EnrolRequest struct {
	Version int    `json:"version"` // the contract's
	Token   string `json:"token"`   // a join token, or the access token of LoginClient
	NKey    string `json:"nkey"`    // the public half of the key that was made on the host
}

// How `hostagent login` gets a token from the control plane's authorization server (RFC 8628): as this client, with
// this scope. Beside RFC 8628's parameters it sends what the machine is called, and as whom its agents run; the person
// who is asked sees both.
const (
	LoginClient    = "hostagent"
	LoginScope     = "hosts:enroll"
	LoginHostName  = "host_name"
	LoginHostUser  = "host_user"
	MaxLoginHostIs = 64 // characters of each of the two
)

// EnrolReply is what the host goes by from now on.
type EnrolReply struct {
	Host     HostID `json:"host_id"`
	Name     string `json:"name"`
	Audience string `json:"audience"` // what this control plane is called in a Proof
}

// Reason says why a host was not let in. It is the "code" of an error's JSON body and the ReasonHeader.
type Reason string

// ReasonHeader carries the reason of a refusal at ConnectPath.
const ReasonHeader = "Switchboard-Reason"

// The reasons, and what the host may do.
const (
	ReasonRemoved     Reason = "removed"     // the key is not, or no longer, a host's: stop
	ReasonProof       Reason = "proof"       // the proof is malformed, for another control plane, or used before
	ReasonClock       Reason = "clock"       // the two clocks differ by more than ProofAge
	ReasonVersion     Reason = "version"     // the contract's versions do not fit: upgrade the older side
	ReasonToken       Reason = "token"       // the join token is unknown, used or expired: ask for a new one
	ReasonKey         Reason = "key"         // the key is another host's already
	ReasonRequest     Reason = "request"     // malformed
	ReasonRate        Reason = "rate"        // too many attempts: wait
	ReasonUnavailable Reason = "unavailable" // not now: try again
)

// Refusal is the JSON body with which a host is not let in. Its message says what to do next.
type Refusal struct {
	Code    Reason `json:"code"`
	Message string `json:"message"`
}

func (r *Refusal) Error() string { return r.Message }

// ProofAge is how far a proof's time may be from the control plane's.
const ProofAge = time.Minute

// ProofScheme begins the Authorization header that carries a proof.
const ProofScheme = "Switchboard-Host"

// Proof is what a host shows before it may open a connection: that it holds the key, now, for this control plane
// and this once.
type Proof struct {
	NKey      string // public
	Audience  string // not sent: each side fills in its own
	At        time.Time
	Nonce     string
	Signature []byte // of Text, by NKey
}

// Text is what is signed.
func (p Proof) Text() []byte {
	return fmt.Appendf(nil, "switchboard-host-1\n%s\n%s\n%d\n%s\n", p.NKey, p.Audience, p.At.Unix(), p.Nonce)
}

// Header is the value of the Authorization header.
func (p Proof) Header() string {
	return strings.Join([]string{ProofScheme + " " + p.NKey, strconv.FormatInt(p.At.Unix(), 10), p.Nonce,
		base64.RawURLEncoding.EncodeToString(p.Signature)}, ".")
}

// Limits on a proof that came from outside: nobody who is not known yet may make us keep more.
const (
	maxProof = 512
	minNonce = 16
	maxNonce = 64
)

var errProof = errors.New("want " + ProofScheme + " <nkey>.<unix time>.<nonce>.<signature>")

// ParseProof reads an Authorization header. It checks the form only.
func ParseProof(header string) (Proof, error) {
	rest, ok := strings.CutPrefix(header, ProofScheme+" ")
	if !ok || len(header) > maxProof {
		return Proof{}, errProof
	}
	parts := strings.Split(rest, ".")
	if len(parts) != 4 || !isWord(parts[0]) || !isWord(parts[2]) || len(parts[2]) < minNonce || len(parts[2]) > maxNonce {
		return Proof{}, errProof
	}
	seconds, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return Proof{}, errProof
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(parts[3])
	if err != nil {
		return Proof{}, errProof
	}
	return Proof{NKey: parts[0], At: time.Unix(seconds, 0), Nonce: parts[2], Signature: signature}, nil
}

// isWord admits letters and digits only, so that no part can pass for two in the signed text.
func isWord(s string) bool {
	other := func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}
	return s != "" && !strings.ContainsFunc(s, other)
}
