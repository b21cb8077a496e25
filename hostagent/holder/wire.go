package holder

import (
	"encoding/json"
	"errors"
	"fmt"
	"syscall"
	"time"

	"switchboard/hostagent/terminal"
)

// operation is what a connection is for. Each connection serves one.
type operation string

const (
	opWrite  operation = "write" // a data frame follows
	opQuiet  operation = "quiet"
	opScreen operation = "screen"
	opStatus operation = "status"
	opAppend operation = "append"
	opAnswer operation = "answer" // a data frame follows
	opFollow operation = "follow"
	opSignal operation = "signal"
	opResize operation = "resize"
	opAttach operation = "attach"
	opHook   operation = "hook" // a data frame follows
	opLook   operation = "look"
	opType   operation = "type" // a data frame follows, and later another
)

// carriesData reports whether a data frame follows the request.
func (o operation) carriesData() bool {
	return o == opWrite || o == opAnswer || o == opHook || o == opType
}

// unknownOperation begins a holder's reply to an operation of a later version.
const unknownOperation = "this holder knows no operation"

// request is a connection's first frame. Both sides are of the same user and nearly always of the same version;
// after an upgrade of the host agent, an older holder may answer to a newer client, so fields are only added.
type request struct {
	Operation operation       `json:"operation"`
	Quiet     time.Duration   `json:"quiet,omitempty"`
	Kind      string          `json:"kind,omitempty"` // of a note
	Body      json.RawMessage `json:"body,omitempty"`
	Hook      HookID          `json:"hook,omitempty"`
	Event     string          `json:"event,omitempty"`
	Hold      bool            `json:"hold,omitempty"`
	Verdict   json.RawMessage `json:"verdict,omitempty"` // on a hook
	Signal    syscall.Signal  `json:"signal,omitempty"`
	Cols      int             `json:"cols,omitempty"`
	Rows      int             `json:"rows,omitempty"`
	Watch     bool            `json:"watch,omitempty"` // an attached viewer who does not type
	Fixed     bool            `json:"fixed,omitempty"` // an attached viewer who cannot take on the session's size
	Patience  time.Duration   `json:"patience,omitempty"`
	Notes     []Note          `json:"notes,omitempty"`
	Seen      *Seen           `json:"seen,omitempty"`
	Parts     []int           `json:"parts,omitempty"` // sizes of the data's parts that are not to be torn
	Stay      bool            `json:"stay,omitempty"`  // of a look: another request comes on this connection, some time
}

// reply is the holder's first frame.
type reply struct {
	Error  string           `json:"error,omitempty"`
	Gone   bool             `json:"gone,omitempty"`  // the error is ErrHookGone
	Again  bool             `json:"again,omitempty"` // it is not quiet yet: ask again
	N      uint64           `json:"n,omitempty"`
	Status *Status          `json:"status,omitempty"`
	Screen *terminal.Screen `json:"screen,omitempty"`
	Look   *Look            `json:"look,omitempty"`
	Stays  bool             `json:"stays,omitempty"` // the connection waits for another request
	Stale  bool             `json:"stale,omitempty"` // something has come over the terminal: it was not typed
}

// outcome is the reply to a call that ended so, and has nothing else to say.
func outcome(err error) reply {
	if err == nil {
		return reply{}
	}
	return reply{Error: err.Error(), Gone: errors.Is(err, ErrHookGone)}
}

func (r reply) err() error {
	switch {
	case r.Gone:
		return ErrHookGone
	case r.Error != "":
		return errors.New(r.Error)
	}
	return nil
}

// size is a message between a viewer and the holder, in both directions.
type size struct {
	Cols int `json:"cols"`
	Rows int `json:"rows"`
}

// maxViewer is the most columns or rows of a viewer; a session has fewer, and is then drawn in a part of him.
const maxViewer = 4096

func (s size) sensible() bool {
	return s.Cols >= 1 && s.Rows >= 1 && s.Cols <= maxViewer && s.Rows <= maxViewer
}

// allowed is the size that a session gets where a viewer has this one.
func (s size) allowed() size {
	return size{min(s.Cols, terminal.MaxCols), min(s.Rows, terminal.MaxRows)}
}

// newest is a message to a follower: the journal has entries up to N.
type newest struct {
	N uint64 `json:"n"`
}

func (r request) checkSize() error {
	if r.Cols < 1 || r.Rows < 1 || r.Cols > terminal.MaxCols || r.Rows > terminal.MaxRows {
		return fmt.Errorf("a terminal cannot be %d×%d: want 1×1 to %d×%d", r.Cols, r.Rows, terminal.MaxCols, terminal.MaxRows)
	}
	return nil
}
