// Package terminal is what a session's terminal shows and what went over it: a screen model fed with the bytes
// that a program wrote, a recording of them in asciicast v3, and plain text made from either for people and
// models to read. It knows nothing of processes.
package terminal

// Terminal is the screen of an xterm-like terminal, fed with what a program writes. It is not safe for
// concurrent use. Its memory is bounded by its size, whatever is written.
type Terminal struct {
	// Reply is called with the answer to a question that the program asked of its terminal (device attributes,
	// cursor position). An answer consists of constants and numbers of the model's own, never of written text.
	Reply func(answer []byte)
	// Bell is called for BEL, and Retitled when the title changes. Each may be nil.
	Bell     func()
	Retitled func(title string)
}

// New makes an empty screen. The size is clamped to what Resize allows.
func New(cols, rows int) *Terminal { return &Terminal{} }

// Write takes what the program wrote. It never fails.
func (t *Terminal) Write(p []byte) (int, error) { return len(p), nil }

// Resize changes the size, within 1×1 and MaxCols×MaxRows. Lines are cut or padded, not wrapped anew: a program
// that cares redraws.
func (t *Terminal) Resize(cols, rows int) {}

// Screen is what is shown now.
func (t *Terminal) Screen() Screen { return Screen{} }

// Snapshot is text with escape sequences that makes any fresh terminal of the same size show what is shown now,
// with the same modes, so that what the program writes next means the same there.
func (t *Terminal) Snapshot() []byte { return nil }
