// Package holder is the process that owns one session's terminal and outlives the host agent: the PTY and the
// child in it, the screen model, the recording, and the session's journal, from which all else can be derived.
// It knows nothing of any agent. The host agent, hooks and attached terminals reach it over a Unix socket in the
// session's directory.
//
// A session's directory (0700) holds spec.json, journal.jsonl, recording.cast, holder.sock (0600) and holder.log.
package holder

import (
	"context"

	"switchboard/hostagent/protocol"
)

// Spec is what a holder runs.
type Spec struct {
	Session        protocol.SessionID `json:"session_id"`
	Argv           []string           `json:"argv"`
	Env            []string           `json:"env"` // the child's whole environment
	WorkingDir     string             `json:"working_dir"`
	Cols           int                `json:"cols"`
	Rows           int                `json:"rows"`
	RecordingBytes int64              `json:"recording_bytes"` // the recording stops there, with a marker; 0: DefaultRecordingBytes
}

// DefaultRecordingBytes is how large a recording may become.
const DefaultRecordingBytes = 64 << 20

// Start writes the spec into dir and starts `self holder <dir>` as a process of its own. It returns when the
// child runs and the socket answers, or with the reason why not; if ctx ends first, nothing is left running.
func Start(ctx context.Context, self, dir string, spec Spec) error { return nil }

// Run is the holder process. It returns when the child has exited and its last output is recorded. If ctx ends
// it hangs up on the child first.
func Run(ctx context.Context, dir string) error { return nil }
