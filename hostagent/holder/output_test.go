package holder

import (
	"bytes"
	"math"
	"runtime"
	"runtime/debug"
	"testing"
)

// TestBacklog: what is added in pieces is taken whole and in order, and never more than the bound at once.
func TestBacklog(t *testing.T) {
	var b backlog
	b.changed.L = &b.mu
	piece := bytes.Repeat([]byte("0123456789abcde\n"), readBytes/16)
	var want []byte
	done := make(chan struct{})
	for range 100 {
		want = append(want, piece...)
	}
	want = append(want, "the end"...)
	go func() {
		defer close(done)
		for range 100 {
			b.add(piece)
		}
		b.add([]byte("the end"))
		b.end()
	}()
	var got, p []byte
	for more := true; more; {
		p, more = b.take(p)
		if len(p) > backlogBytes {
			t.Errorf("%d bytes waited", len(p))
		}
		got = append(got, p...)
	}
	<-done
	if !bytes.Equal(got, want) {
		t.Errorf("took %d bytes, want %d, or others", len(got), len(want))
	}
}

// TestLittleOutputIsShown: less than is worth to be shown at once is, when no more comes.
func TestLittleOutputIsShown(t *testing.T) {
	var b backlog
	b.changed.L = &b.mu
	taken := make(chan string)
	go func() {
		p, _ := b.take(nil)
		taken <- string(p)
	}()
	b.add([]byte("a"))
	b.offer()
	if got := <-taken; got != "a" {
		t.Errorf("took %q", got)
	}
}

// TestRest: without output nothing is collected unless memory is taken, with output it is as ever, and a flood has two
// processors.
func TestRest(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	r := newRest()
	defer r.timer.Stop()
	want := func(when string, percent int, limit int64, processors int) {
		t.Helper()
		now := debug.SetGCPercent(100)
		debug.SetGCPercent(now)
		if got := debug.SetMemoryLimit(-1); now != percent || got != limit || runtime.GOMAXPROCS(0) != processors {
			t.Errorf("%s: %d %%, %d bytes, %d processors", when, now, got, runtime.GOMAXPROCS(0))
		}
	}
	want("new", -1, restingMemory, 1)
	r.end(worthShowing - 1)
	want("with output", garbage, math.MaxInt64, 1)
	r.end(worthShowing)
	want("with much output", garbage, math.MaxInt64, 2)
	r.end(1)
	want("with output again", garbage, math.MaxInt64, 2)
	r.begin()
	want("at rest", -1, restingMemory, 1)
}
