package holder

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// keyReader reads a terminal so that Close ends a blocked Read. The terminal stays in blocking mode: the shell
// that has it too would not survive the other.
type keyReader struct {
	in        *os.File
	wake      *os.File // readable when closed
	waker     *os.File
	closeOnce sync.Once
}

func newKeyReader(in *os.File) (*keyReader, error) {
	wake, waker, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	return &keyReader{in: in, wake: wake, waker: waker}, nil
}

// Read waits for keys; io.EOF after Close.
func (k *keyReader) Read(p []byte) (int, error) {
	in, wake := int(k.in.Fd()), int(k.wake.Fd())
	for {
		var ready unix.FdSet
		ready.Set(in)
		ready.Set(wake)
		_, err := unix.Select(max(in, wake)+1, &ready, nil, nil, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("wait for keys: %w", err)
		}
		if ready.IsSet(wake) {
			return 0, io.EOF
		}
		return k.in.Read(p)
	}
}

// Close ends Read, now and for good. It leaves the terminal open.
func (k *keyReader) Close() error {
	k.closeOnce.Do(func() { k.waker.Close() })
	return nil
}

// release frees the reader when nobody reads any more.
func (k *keyReader) release() {
	_ = k.Close()
	k.wake.Close()
}

// detachReader ends the input when the detach key is pressed twice in a row. Pressed once, it is an ordinary key:
// it is held back until the next one.
type detachReader struct {
	source io.ReadCloser
	held   []byte
	err    error
}

// The detach key is ctrl+\, as a plain terminal sends it and as one with the kitty keyboard protocol does.
var detachKeys = [][]byte{{0x1c}, []byte("\x1b[92;5u")}

func (d *detachReader) Read(p []byte) (int, error) {
	for len(d.held) == 0 || d.err == nil && d.isKey(d.held) {
		if d.err != nil {
			return 0, d.err
		}
		n, err := d.source.Read(p)
		d.held, d.err = append(d.held, p[:n]...), err
		if d.pressedTwice() {
			d.err = io.EOF
		}
	}
	n := copy(p, d.held)
	d.held = append(d.held[:0], d.held[n:]...)
	return n, nil
}

// pressedTwice cuts the input off before the key that is there twice in a row.
func (d *detachReader) pressedTwice() bool {
	for _, key := range detachKeys {
		if at := bytes.Index(d.held, bytes.Repeat(key, 2)); at >= 0 {
			d.held = d.held[:at]
			return true
		}
	}
	return false
}

// isKey reports whether p is the detach key, pressed once.
func (d *detachReader) isKey(p []byte) bool {
	for _, key := range detachKeys {
		if bytes.Equal(p, key) {
			return true
		}
	}
	return false
}

func (d *detachReader) Close() error { return d.source.Close() }
