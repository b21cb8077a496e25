package terminal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"
)

const (
	flushAfter  = 100 * time.Millisecond // output is in the file this long after it came
	flushBytes  = 64 << 10               // or as soon as there is this much of it
	sameMoment  = 8 * time.Millisecond   // output within this becomes one event: half a frame
	retryAfter  = time.Second            // when the file could not be written
	stopReserve = 256                    // kept free for the marker that says why a recording stops
)

// Recorder appends a terminal's output to an asciicast v3 file. It is safe for concurrent use, and has no timer
// while there is no output. What it has flushed survives the death of this process; a loss of power can take
// what the kernel had not written yet.
//
// A recording has a limit. When it is reached, the recording stops with a marker, and the session goes on
// unrecorded. When the file cannot be written (a full disk), output is dropped until it can, and then a marker
// says how much is missing.
type Recorder struct {
	mu      sync.Mutex // guards the fields below
	file    *os.File
	size    int64     // bytes in the file that are whole lines
	limit   int64     // bytes; 0: none
	buffer  []byte    // encoded, not yet in the file
	event   bool      // buffer ends in an event that is still open
	partial []byte    // the beginning of a character
	at      time.Time // when the last event was
	timer   *time.Timer
	stopped bool
	missing int64 // bytes of output that are not in the file because it could not be written
	cause   error // why
	retry   time.Time
}

// OpenRecording starts a recording at path, or goes on with the one that is there. It stops at limit bytes, if
// that is not 0.
func OpenRecording(path string, cols, rows int, limit int64) (*Recorder, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open recording: %w", err)
	}
	r := &Recorder{file: file, limit: limit, at: time.Now()}
	if r.size, err = wholeLines(file); err != nil {
		file.Close()
		return nil, fmt.Errorf("open recording: %w", err)
	}
	if r.size == 0 {
		r.buffer = appendHeader(nil, cols, rows, r.at)
		return r, nil
	}
	r.marker("goes on")
	r.Resize(cols, rows)
	return r, nil
}

// wholeLines is how many bytes of the file are whole lines: the last one is torn if the machine went down.
func wholeLines(file *os.File) (int64, error) {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	block := make([]byte, 4<<10)
	for end := size; end > 0; {
		start := max(0, end-int64(len(block)))
		if _, err := file.ReadAt(block[:end-start], start); err != nil {
			return 0, err
		}
		for i := end - start - 1; i >= 0; i-- {
			if block[i] == '\n' {
				return start + i + 1, nil
			}
		}
		end = start
	}
	return 0, nil
}

// Write records output. It does not fail: a session is not to end because it cannot be recorded.
func (r *Recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil || r.stopped {
		return len(p), nil
	}
	written := len(p)
	r.open()
	if len(r.partial) > 0 {
		p = append(r.partial, p...)
		r.partial = nil
	}
	if n := incomplete(p); n > 0 {
		r.partial = append([]byte(nil), p[len(p)-n:]...)
		p = p[:len(p)-n]
	}
	r.buffer = appendEscaped(r.buffer, p)
	r.wait()
	if len(r.buffer) >= flushBytes {
		r.flush()
	}
	return written, nil
}

// open begins an output event, unless one is open that began a moment ago.
func (r *Recorder) open() {
	now := time.Now()
	if r.event && now.Sub(r.at) < sameMoment {
		return
	}
	r.close()
	r.buffer = appendEventStart(r.buffer, now.Sub(r.at), 'o')
	r.at, r.event = now, true
}

func (r *Recorder) close() {
	if r.event {
		r.buffer = append(r.buffer, eventEnd...)
	}
	r.event = false
}

// add records a whole event of its own.
func (r *Recorder) add(code byte, text string) {
	r.close()
	now := time.Now()
	r.buffer = appendEventStart(r.buffer, now.Sub(r.at), code)
	r.buffer = appendEscaped(r.buffer, []byte(text))
	r.buffer = append(r.buffer, eventEnd...)
	r.at = now
	r.wait()
}

func (r *Recorder) marker(text string) { r.add('m', text) }

// Resize records a new size.
func (r *Recorder) Resize(cols, rows int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file != nil && !r.stopped {
		r.add('r', strconv.Itoa(cols)+"x"+strconv.Itoa(rows))
	}
}

// wait sees to it that the buffer is flushed in a while.
func (r *Recorder) wait() {
	if r.timer == nil {
		r.timer = time.AfterFunc(flushAfter, r.Flush)
	}
}

// Flush writes to the file what has been recorded so far.
func (r *Recorder) Flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flush()
}

func (r *Recorder) flush() {
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
	r.close()
	if r.file == nil || len(r.buffer) == 0 {
		return
	}
	if !r.stopped && r.limit > 0 && r.size+int64(len(r.buffer)) > r.limit-stopReserve {
		r.stop()
	}
	r.write()
}

// stop ends the recording for good. The output that would not fit is left out whole.
func (r *Recorder) stop() {
	r.stopped = true
	r.partial = nil
	r.buffer = appendEventStart(r.buffer[:0], time.Since(r.at), 'm')
	r.buffer = append(r.buffer, "recording stopped: it has reached its limit of "...)
	r.buffer = strconv.AppendInt(r.buffer, r.limit, 10)
	r.buffer = append(r.buffer, " bytes"+eventEnd...)
}

// write puts the buffer into the file, or counts it as missing.
func (r *Recorder) write() {
	defer func() { r.buffer = r.buffer[:0] }()
	if r.cause != nil && time.Now().Before(r.retry) {
		r.missing += int64(len(r.buffer))
		return
	}
	lines := r.buffer
	if r.missing > 0 {
		note := fmt.Sprintf("about %d bytes of output are missing: %v", r.missing, r.cause)
		lines = append(appendEscaped(appendEventStart(nil, 0, 'm'), []byte(note)), eventEnd...)
		lines = append(lines, r.buffer...)
	}
	if _, err := r.file.WriteAt(lines, r.size); err != nil {
		r.missing += int64(len(r.buffer))
		r.cause, r.retry = err, time.Now().Add(retryAfter)
		_ = r.file.Truncate(r.size) // a torn line at the end is tolerated, and overwritten later
		return
	}
	r.size += int64(len(lines))
	r.missing, r.cause = 0, nil
}

// Err is why output is being dropped, or nil.
func (r *Recorder) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cause
}

// Close records how the program ended, flushes, and ends the recording.
func (r *Recorder) Close(status int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return nil
	}
	if !r.stopped {
		r.add('x', strconv.Itoa(status))
	}
	r.retry = time.Time{}
	r.flush()
	err := errors.Join(r.cause, r.file.Sync(), r.file.Close())
	r.file = nil
	return err
}
