package mcptools

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/auth"
	"switchboard/auth/seal"
)

// answerTime is how long a person may take to answer a question.
const answerTime = 10 * time.Minute

// maxRequestState is longer than any that we make.
const maxRequestState = 8 << 10

// asked is a question that was put to a person, and to whom and for which call. With the answer it comes back as the
// client's requestState, so that any replica can go on; what it says is believed only because it was sealed.
type asked struct {
	ID        string // random: the answer counts once
	Expires   time.Time
	User      auth.UserID
	Client    string
	Grant     auth.GrantID
	Tool      string
	Arguments []byte            // their digest
	Chosen    string            // the session that an earlier question was answered with
	Which     map[string]string // the sessions to choose from, by handle; empty: something is to be confirmed
	Stake     string            // what is to be confirmed
}

// newAsked is an empty question to who makes a call.
func newAsked(caller auth.Caller, tool string, arguments json.RawMessage, now time.Time) asked {
	return asked{
		ID: rand.Text(), Expires: now.Add(answerTime),
		User: caller.User, Client: caller.ClientID, Grant: caller.Grant,
		Tool: tool, Arguments: digest(arguments),
	}
}

// fits says what keeps the question from being one of this call's at this time; empty: nothing.
func (a asked) fits(caller auth.Caller, tool string, arguments json.RawMessage, now time.Time) (problem string) {
	switch {
	case a.User != caller.User, a.Client != caller.ClientID, a.Grant != caller.Grant:
		return "it was given to another connection"
	case a.Tool != tool:
		return "it was given to another tool"
	case !bytes.Equal(a.Arguments, digest(arguments)):
		return "it was given to a call with other arguments"
	case !now.Before(a.Expires):
		return "it came later than ten minutes after the question"
	}
	return ""
}

// digest is the same for all ways to write the same arguments.
func digest(arguments json.RawMessage) []byte {
	var value map[string]any
	decoder := json.NewDecoder(bytes.NewReader(arguments))
	decoder.UseNumber()
	_ = decoder.Decode(&value)     // what is no object is refused before anybody is asked anything
	text, _ := json.Marshal(value) // writes keys in order; what was decoded always marshals
	sum := sha256.Sum256(text)
	return sum[:]
}

// boundTo is what every seal is bound to: nothing else may come back as the state of a tool's call.
var boundTo = []byte(mcp.MethodToolsCall)

// seal is the question as a requestState.
func (a asked) seal(box seal.Box) string {
	text, _ := json.Marshal(a) // strings, bytes and a time always marshal
	return base64.RawURLEncoding.EncodeToString(box.Seal(text, boundTo))
}

// openAsked returns what was sealed here, and false for anything else.
func openAsked(box seal.Box, requestState string) (asked, bool) {
	if len(requestState) > maxRequestState || strings.ContainsAny(requestState, "\r\n") { // which base64 would skip
		return asked{}, false
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(requestState)
	if err != nil {
		return asked{}, false
	}
	text, err := box.Open(sealed, boundTo)
	if err != nil {
		return asked{}, false
	}
	var a asked
	return a, json.Unmarshal(text, &a) == nil
}
