package terminal

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"
)

const (
	flushAfter = 100 * time.Millisecond // output is in the file this long after it came
	flushBytes = 64 << 10               // or as soon as there is this much of it
	sameMoment = 8 * time.Millisecond   // output within this becomes one event: half a frame
	retryAfter = time.Second            // when the file could not be written
	maxMarker  = 200                    // bytes of a marker's text
)

// Recorder appends a terminal's output to a recording. It is safe for concurrent use, and has no timer while there
// is no output. What it has flushed survives the death of this process; a loss of power can take what the kernel
// had not written yet. The zero Recorder records nothing.
//
// A recording has a limit. When it is reached, the oldest segments are dropped, so that the recording keeps its
// end; the numbers of those that are left tell what is missing. When the file cannot be written (a full disk),
// output is dropped until it can, and then a marker says how much is missing.
type Recorder struct {
	mu      sync.Mutex // guards the fields below
	dir     string
	packer  *packer
	file    *os.File
	number  uint64    // of the segment that file is
	began   time.Time // when that segment did
	size    int64     // bytes in the file that are whole lines
	buffer  []byte    // encoded, not yet in the file
	event   bool      // buffer ends in an event that is still open
	partial []byte    // the beginning of a character
	at      time.Time // when the last event was
	timer   *time.Timer
	missing int64 // bytes of output that are not in the file because it could not be written
	cause   error // why
	retry   time.Time
	turn    time.Time // the next segment could not be begun: not before this
}

// OpenRecording starts a recording in dir, or goes on with the one that is there in a segment of its own. It keeps at
// most limit bytes, if that is not 0.
func OpenRecording(dir string, cols, rows int, limit int64) (*Recorder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open recording: %w", err)
	}
	segments, err := Segments(dir)
	if err != nil {
		return nil, err
	}
	r := &Recorder{dir: dir}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(segments) > 0 {
		r.number = segments[len(segments)-1].Number
	}
	if err := r.begin(cols, rows, nil); err != nil {
		return nil, fmt.Errorf("open recording: %w", err)
	}
	if r.number > 1 {
		r.add('m', []byte("started again"))
	}
	r.packer = startPacker(dir, limit)
	if r.number > 1 {
		r.packer.ring() // for what a process left behind that was killed
	}
	return r, nil
}

// begin opens the next segment. Its first event is the screen as it was, if the segment goes on with one.
func (r *Recorder) begin(cols, rows int, screen []byte) error {
	now := time.Now()
	began := now.Truncate(time.Second)
	file, err := os.OpenFile(segmentPath(r.dir, r.number+1, began), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	header := appendHeader(nil, cols, rows, began, screen != nil)
	if _, err := file.Write(header); err != nil { // without it the rest could not be read
		return errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	r.file, r.number, r.size, r.began, r.at = file, r.number+1, int64(len(header)), now, began
	if screen != nil {
		r.add('o', screen)
	}
	return nil
}

// Full reports whether it is time for the next segment; overdue says that it can wait no longer.
func (r *Recorder) Full() (full, overdue bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil || time.Now().Before(r.turn) {
		return false, false
	}
	size, age := r.size+int64(len(r.buffer)), time.Since(r.began)
	full = size >= segmentBytes && age >= floodAge || size >= floodBytes || age >= segmentAge
	return full, size >= segmentMost
}

// Next ends the segment and begins another one with the screen as it is, of this size.
func (r *Recorder) Next(cols, rows int, screen []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return
	}
	r.flush()
	last := r.file
	if err := r.begin(cols, rows, screen); err != nil {
		r.turn = time.Now().Add(retryAfter) // go on with this one
		return
	}
	_ = last.Close() // all of it is written; packing it finds out if not
	r.packer.ring()
}

// Write records output. It does not fail: a session is not to end because it cannot be recorded.
func (r *Recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
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
func (r *Recorder) add(code byte, text []byte) {
	r.close()
	now := time.Now()
	r.buffer = appendEventStart(r.buffer, now.Sub(r.at), code)
	r.buffer = appendEscaped(r.buffer, text)
	r.buffer = append(r.buffer, eventEnd...)
	r.at = now
	r.wait()
}

// Mark records that something happened, by which a viewer finds the place.
func (r *Recorder) Mark(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file != nil {
		r.add('m', []byte(text[:min(len(text), maxMarker)]))
	}
}

// Resize records a new size.
func (r *Recorder) Resize(cols, rows int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file != nil {
		r.add('r', fmt.Appendf(nil, "%dx%d", cols, rows))
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
	r.write()
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

// Close records how the program ended, flushes, and packs what is left.
func (r *Recorder) Close(status int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return nil
	}
	if len(r.partial) > 0 { // the program ended in the middle of a character
		r.open()
		r.buffer = appendEscaped(r.buffer, r.partial)
	}
	r.add('x', strconv.AppendInt(nil, int64(status), 10))
	r.retry = time.Time{}
	r.flush()
	err := errors.Join(r.cause, r.file.Sync(), r.file.Close())
	r.file = nil
	return errors.Join(err, r.packer.finish())
}
