package main

import (
	"bytes"
	"time"
)

// What is typed, as the CLI reads it.
var (
	pasteBegin = []byte("\x1b[200~")
	pasteEnd   = []byte("\x1b[201~")
)

const (
	ctrlS  = 0x13
	ctrlX  = 0x18
	escape = 0x1b
	enter  = '\r'
	// escapeWait tells an Esc that a person pressed from one that begins a sequence.
	escapeWait = 30 * time.Millisecond
)

// listener is who hears what the keys mean.
type listener interface {
	typed(text string) // into the input box
	submit()
	stash()
	pressEscape()
	pressKey(key byte) // a plain key, which a dialog may heed
}

// hear takes in what was read until nothing more comes. A read may end anywhere.
func hear(read <-chan []byte, l listener) {
	var pending []byte
	for {
		rest, whole := hearKeys(pending, l)
		pending = rest
		var escaped <-chan time.Time
		if !whole && len(pending) == 1 && pending[0] == escape {
			escaped = time.After(escapeWait)
		}
		select {
		case more, ok := <-read:
			if !ok {
				return
			}
			pending = append(pending, more...)
		case <-escaped:
			l.pressEscape()
			pending = nil
		}
	}
}

// hearKeys returns what cannot be understood without what follows.
func hearKeys(keys []byte, l listener) (rest []byte, whole bool) {
	for len(keys) > 0 {
		switch key := keys[0]; {
		case bytes.HasPrefix(keys, pasteBegin):
			text, after, ends := bytes.Cut(keys[len(pasteBegin):], pasteEnd)
			if !ends {
				return keys, false
			}
			l.typed(string(text))
			keys = after
			continue
		case key == escape && len(keys) < len(pasteBegin) && bytes.HasPrefix(pasteBegin, keys):
			return keys, false
		case key == escape:
			l.pressEscape()
		case key == ctrlX && len(keys) < 2:
			return keys, false
		case key == ctrlX:
			if keys[1] == enter {
				l.submit()
			}
			keys = keys[1:]
		case key == ctrlS:
			l.stash()
		case key >= ' ':
			l.pressKey(key)
		}
		keys = keys[1:]
	}
	return nil, true
}
