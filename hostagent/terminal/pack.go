package terminal

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// packer packs a recording's closed segments and drops the oldest when there is too much. It works beside the
// recorder, which does not wait for it, and rests when there is nothing to do.
type packer struct {
	dir   string
	limit int64         // bytes on disk; 0: none
	wake  chan struct{} // holds a value when a segment was closed
	end   chan struct{} // closed when the recording has ended
	done  chan struct{} // closed when the last one is packed
	err   error         // of the last round; to be read after done
}

func startPacker(dir string, limit int64) *packer {
	p := &packer{dir: dir, limit: limit, wake: make(chan struct{}, 1), end: make(chan struct{}), done: make(chan struct{})}
	go p.run()
	return p
}

// ring says that a segment was closed.
func (p *packer) ring() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// finish packs what is left, the last segment too, and returns when that is done.
func (p *packer) finish() error {
	close(p.end)
	<-p.done
	return p.err
}

// Packing must not take the agent's time away: a flood closes hundreds of segments a second. So the packer begins a
// moment after the first of them, packs some at a time, and rests for longer than that took. What a flood leaves
// behind counts in full until it is packed, and so is dropped the sooner.
const (
	packDelay = time.Second
	packBatch = 16 // segments
	packRest  = 3  // times as long as the batch took
)

func (p *packer) run() {
	defer close(p.done)
	for await(p, p.wake) && await(p, time.After(packDelay)) {
		for more := true; more; {
			began := time.Now()
			more, p.err = p.round(packBatch, false)
			more = more && await(p, time.After(packRest*time.Since(began)))
		}
		debug.FreeOSMemory() // a holder has nothing to do with what the encoder took
	}
	_, p.err = p.round(math.MaxInt, true)
}

// await waits for one thing, and reports whether it came before the recording's end.
func await[T any](p *packer, thing <-chan T) bool {
	select {
	case <-p.end:
		return false
	case <-thing:
		return true
	}
}

// round drops what is too much, and packs some of what is closed, and the last segment if the recording has ended. It
// reports whether there is more to pack. What could not be packed stays as it is, and is tried again when another
// segment is closed.
func (p *packer) round(most int, ended bool) (more bool, err error) {
	segments, err := Segments(p.dir)
	if err != nil {
		return false, err
	}
	encoder, err := newEncoder()
	if err != nil {
		return false, err
	}
	defer func() { _ = encoder.Close() }() // EncodeAll leaves nothing open
	segments, err = p.drop(segments)
	for i, s := range segments {
		if s.packed || !s.Closed && !ended {
			continue
		}
		if most == 0 {
			return err == nil, err
		}
		most--
		err = errors.Join(err, segments[i].pack(encoder))
	}
	_, dropErr := p.drop(segments)
	return false, errors.Join(err, dropErr)
}

// drop removes the oldest segments until the rest, with one that is still growing, is within the limit. It returns
// the rest.
func (p *packer) drop(segments []Segment) (rest []Segment, err error) {
	total := int64(segmentMost)
	for _, s := range segments {
		total += s.Size
	}
	for len(segments) > 1 && p.limit > 0 && total > p.limit {
		err = errors.Join(err, segments[0].Remove())
		total -= segments[0].Size
		segments = segments[1:]
	}
	return segments, err
}

// pack replaces the segment's file by a packed one that is whole, or leaves it as it is.
func (s *Segment) pack(encoder *zstd.Encoder) error {
	text, err := s.Read()
	if err != nil {
		return err
	}
	packed := encoder.EncodeAll(text, nil)
	path := strings.TrimSuffix(s.path, plainExtension) + packedExtension
	if err := writeSynced(path+".new", packed); err != nil {
		return errors.Join(fmt.Errorf("pack recording: %w", err), os.Remove(path+".new"))
	}
	err = errors.Join(os.Chtimes(path+".new", s.End, s.End), os.Rename(path+".new", path), os.Remove(s.path))
	if err != nil {
		return fmt.Errorf("pack recording: %w", err)
	}
	s.path, s.packed, s.Size = path, true, int64(len(packed))
	return nil
}

func writeSynced(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Sync(), file.Close())
}
