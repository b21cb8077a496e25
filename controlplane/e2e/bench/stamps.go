package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"time"
)

// What a stamper says.
const (
	wordRead = "read" // it has read a whole message
	wordDone = "done" // it has dealt with it
)

// stampPatience is how long a message may take at most to be read, or to be dealt with.
const stampPatience = 20 * time.Second

// stamps hears from stampers, on a socket of its own.
type stamps struct {
	socket string
	conn   *net.UnixConn
	heard  map[string]chan time.Time // by word
	group  sync.WaitGroup
}

func hearStamps(dir string) (*stamps, error) {
	s := &stamps{
		socket: filepath.Join(dir, "stamps"),
		heard:  map[string]chan time.Time{wordRead: make(chan time.Time, 1024), wordDone: make(chan time.Time, 1024)},
	}
	var err error
	if s.conn, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: s.socket, Net: "unixgram"}); err != nil {
		return nil, fmt.Errorf("listening for stamps: %w", err)
	}
	s.group.Go(s.listen)
	return s, nil
}

func (s *stamps) listen() {
	buffer := make([]byte, 100)
	for {
		n, err := s.conn.Read(buffer)
		if err != nil {
			return
		}
		var word string
		var at int64
		if _, err := fmt.Sscan(string(buffer[:n]), &word, &at); err == nil {
			s.heard[word] <- time.Unix(0, at)
		}
	}
}

func (s *stamps) end() error {
	err := s.conn.Close()
	s.group.Wait()
	return err
}

func (s *stamps) next(ctx context.Context, word string) (time.Time, error) {
	select {
	case at := <-s.heard[word]:
		return at, nil
	case <-time.After(stampPatience):
		return time.Time{}, errors.New("no stamp: a message did not arrive")
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
}

// until is how long it takes from now until a stamper has read what send sends.
func (s *stamps) until(ctx context.Context, send func(context.Context) error) (time.Duration, error) {
	sent := time.Now()
	if err := send(ctx); err != nil {
		return 0, err
	}
	read, err := s.next(ctx, wordRead)
	return read.Sub(sent), err
}
