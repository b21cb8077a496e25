package policy

import (
	"fmt"
	"time"
)

// Recording is what is kept of what sessions' terminals show, and whether it may leave this host.
type Recording struct {
	Off      bool   `json:"off"`       // sessions that start are not recorded
	MaxMB    int    `json:"max_mb"`    // on disk, of one session; its oldest output goes first
	KeepDays int    `json:"keep_days"` // after which output is deleted; 0: with its session
	Upload   Upload `json:"upload"`
}

// Upload is when recordings are copied to the control plane, without secrets of a known shape.
type Upload string

// The times.
const (
	UploadNever Upload = "never" // they are only shown from here, while this host is online
	UploadEnd   Upload = "end"   // when the session has ended
	UploadLive  Upload = "live"  // as it goes on
)

// mostRecordingMB keeps the list of a recording's segments in one message to the control plane.
const mostRecordingMB = 256

func defaultRecording() Recording { return Recording{MaxMB: 64, KeepDays: 30, Upload: UploadNever} }

func (r Recording) check() error {
	if r.MaxMB < 2 || r.MaxMB > mostRecordingMB || r.KeepDays < 0 {
		return fmt.Errorf("recording: want max_mb of 2 to %d, and keep_days of 0 or more", mostRecordingMB)
	}
	switch r.Upload {
	case UploadNever, UploadEnd, UploadLive:
		return nil
	}
	return fmt.Errorf("recording: upload %.20q: want %q, %q or %q", r.Upload, UploadNever, UploadEnd, UploadLive)
}

// Bytes is how much a holder may keep; less than 0: it is not to record.
func (r Recording) Bytes() int64 {
	if r.Off {
		return -1
	}
	return int64(r.MaxMB) << 20
}

// Keep is for how long output is kept; 0: as long as its session.
func (r Recording) Keep() time.Duration { return time.Duration(r.KeepDays) * 24 * time.Hour }
