package holder

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"switchboard/hostagent/protocol"
	"switchboard/hostagent/terminal"
)

// Spec is what a holder runs.
type Spec struct {
	Session        protocol.SessionID `json:"session_id"`
	Argv           []string           `json:"argv"` // the program's path comes first
	Env            []string           `json:"env"`  // the child's whole environment
	WorkingDir     string             `json:"working_dir"`
	Cols           int                `json:"cols"` // 0: DefaultCols
	Rows           int                `json:"rows"`
	RecordingBytes int64              `json:"recording_bytes"` // the recording keeps its last so many; 0: DefaultRecordingBytes; less: there is none
	Why            string             `json:"why,omitempty"`   // it is started, if nobody asked for just that
}

// What a spec that leaves it out gets.
const (
	DefaultCols           = 120
	DefaultRows           = 40
	DefaultRecordingBytes = 64 << 20
)

// The files in a session's directory.
const (
	specFile     = "spec.json"
	journalFile  = "journal.jsonl"
	recordingDir = "recording"
	socketFile   = "holder.sock"
	logFile      = "holder.log"
)

// RecordingPath is the directory in which the recording of the session in dir is.
func RecordingPath(dir string) string { return filepath.Join(dir, recordingDir) }

// record begins to record the session in dir, if it is to be recorded.
func (s Spec) record(dir string) (*terminal.Recorder, error) {
	if s.RecordingBytes < 0 {
		return &terminal.Recorder{}, nil
	}
	return terminal.OpenRecording(RecordingPath(dir), s.Cols, s.Rows, s.RecordingBytes)
}

func (s Spec) check() error {
	if len(s.Argv) == 0 || s.Argv[0] == "" {
		return errors.New("the spec names no program")
	}
	if !filepath.IsAbs(s.WorkingDir) {
		return fmt.Errorf("working directory %q is not absolute", s.WorkingDir)
	}
	return nil
}

// write puts the spec where Run finds it. It may hold secrets in Env, so only its owner may read it.
func (s Spec) write(dir string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the spec: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the session's directory: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fmt.Errorf("close the session's directory to others: %w", err)
	}
	temporary := filepath.Join(dir, specFile+".new")
	if err := os.WriteFile(temporary, text, 0o600); err != nil {
		return fmt.Errorf("write the spec: %w", err)
	}
	if err := os.Rename(temporary, filepath.Join(dir, specFile)); err != nil {
		return fmt.Errorf("write the spec: %w", err)
	}
	return nil
}

func readSpec(dir string) (Spec, error) {
	text, err := os.ReadFile(filepath.Join(dir, specFile))
	if err != nil {
		return Spec{}, fmt.Errorf("read the spec: %w", err)
	}
	var spec Spec
	if err := json.Unmarshal(text, &spec); err != nil {
		return Spec{}, fmt.Errorf("read the spec: %w", err)
	}
	if spec.Cols == 0 {
		spec.Cols = DefaultCols
	}
	if spec.Rows == 0 {
		spec.Rows = DefaultRows
	}
	if spec.RecordingBytes == 0 {
		spec.RecordingBytes = DefaultRecordingBytes
	}
	return spec, spec.check()
}
