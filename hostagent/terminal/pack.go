package terminal

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
)

// packer packs a recording's closed segments and drops the oldest when there is too much. It works beside the
// recorder, which does not wait for it, and rests when there is nothing to do.
type packer struct {
	dir   string
	limit int64         // bytes on disk; 0: none
	wake  chan struct{} // holds a value when a segment was closed
	done  chan struct{} // closed when the last one is packed
	err   error         // of the last round; to be read after done
}

func startPacker(dir string, limit int64) *packer {
	p := &packer{dir: dir, limit: limit, wake: make(chan struct{}, 1), done: make(chan struct{})}
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
	close(p.wake)
	<-p.done
	return p.err
}

func (p *packer) run() {
	defer close(p.done)
	for range p.wake {
		p.err = p.round(false)
		debug.FreeOSMemory() // a holder has nothing to do with what the encoder took
	}
	p.err = p.round(true)
}

// round packs what is closed, and the last segment if the recording has ended. What could not be packed stays as it
// is, and is tried again in the next round.
func (p *packer) round(ended bool) error {
	segments, err := Segments(p.dir)
	if err != nil {
		return err
	}
	for i, s := range segments {
		if !s.packed && (s.Closed || ended) {
			err = errors.Join(err, segments[i].pack())
		}
	}
	return errors.Join(err, p.drop(segments))
}

// drop removes the oldest segments until the rest, with one that is still growing, is within the limit.
func (p *packer) drop(segments []Segment) (err error) {
	total := int64(segmentMost)
	for _, s := range segments {
		total += s.Size
	}
	for _, s := range segments[:max(0, len(segments)-1)] {
		if p.limit == 0 || total <= p.limit {
			return err
		}
		err = errors.Join(err, s.Remove())
		total -= s.Size
	}
	return err
}

// pack replaces the segment's file by a packed one that is whole, or leaves it as it is.
func (s *Segment) pack() error {
	text, err := s.Read()
	if err != nil {
		return err
	}
	packed, err := Pack(text)
	if err != nil {
		return err
	}
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
