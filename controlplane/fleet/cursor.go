package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"switchboard/hostagent/protocol"
)

// cursor is a place in one session's life: its last event that was seen and, if it was waited on, how it looked,
// since a host that goes away or an answer that is on its way is no event.
type cursor struct {
	seq  uint64
	look string
}

// Cursor is the place from which a transcript or a wait goes on after what is known of s.
func (s Session) Cursor() string { return cursor{s.LastSeq, s.look()}.String() }

func (c cursor) String() string {
	if c.look == "" {
		return strconv.FormatUint(c.seq, 10)
	}
	return strconv.FormatUint(c.seq, 10) + "." + c.look
}

// lookText is what look returns.
var lookText = regexp.MustCompile(`^([0-9a-f]{6})?$`)

func parseCursor(text string) (cursor, error) {
	digits, look, _ := strings.Cut(text, ".")
	seq, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || seq > math.MaxInt64 || !lookText.MatchString(look) {
		return cursor{}, refuse(ErrInvalid, "cursor %.40q is not one that was given for a session", text)
	}
	return cursor{seq, look}, nil
}

// look is a short digest of all that a waiting caller should hear of beside the transcript.
func (s Session) look() string {
	sum := sha256.New()
	fmt.Fprintln(sum, s.State, s.StateSeq, s.Expecting, s.HostOnline, s.ExitReason)
	for _, p := range s.Open {
		fmt.Fprintln(sum, p.ID, p.Status)
	}
	return hex.EncodeToString(sum.Sum(nil)[:3])
}

// looks is the cursor of a wait on every session: how each looked. It is short enough to be handed to and fro: 12
// characters for each session.
type looks map[string]string

// mark is a session's name in looks.
func mark(id protocol.SessionID) string { return string(id)[:6] }

func looksOf(sessions []Session) looks {
	l := make(looks, len(sessions))
	for _, s := range sessions {
		l[mark(s.ID)] = s.look()
	}
	return l
}

// text is the cursor of a listing that shows sessions in this order.
func (l looks) text(sessions []Session) string {
	text := []byte{'a'}
	for _, s := range sessions {
		text = append(text, mark(s.ID)+l[mark(s.ID)]...)
	}
	return string(text)
}

// looksText is what text returns, and maxLooks how long that can be.
var looksText = regexp.MustCompile(`^a([0-9a-f]{12})*$`)

const maxLooks = 1 + 12*maxSessions

func parseLooks(text string) (looks, error) {
	if len(text) > maxLooks || !looksText.MatchString(text) {
		return nil, refuse(ErrInvalid, "cursor %.40q is not one that was given for all sessions", text)
	}
	l := make(looks)
	for rest := text[1:]; rest != ""; rest = rest[12:] {
		l[rest[:6]] = rest[6:12]
	}
	return l, nil
}
