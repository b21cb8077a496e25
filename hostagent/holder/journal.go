package holder

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// journal is the session's log: one JSON object per line, each with a checksum, each on disk before append or sync
// returns. Only the holder writes it; its lock is what makes the holder the only one.
type journal struct {
	mu      sync.Mutex // guards the fields below
	file    *os.File
	size    int64         // bytes of whole entries
	last    uint64        // N of the last entry that is written: what a crash of this process leaves
	synced  uint64        // N of the last that is on disk, too: what a loss of power leaves
	broken  error         // a sync failed: what is on disk is unknown, and stays so
	changed chan struct{} // closed and replaced when entries are on disk
}

// lockPatience is how long a new holder waits for one that is about to end.
const lockPatience = 2 * time.Second

// openJournal opens or makes the journal in dir, takes its lock, and cuts off a torn last line.
func openJournal(dir string) (*journal, error) {
	file, err := os.OpenFile(filepath.Join(dir, journalFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	j := &journal{file: file, changed: make(chan struct{})}
	if err := j.recover(dir); err != nil {
		file.Close()
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	return j, nil
}

func (j *journal) recover(dir string) error {
	if err := lock(j.file); err != nil {
		return err
	}
	scan := scanner{source: j.file}
	for {
		entry, err := scan.next()
		if errors.Is(err, errNoMore) {
			break
		}
		if err != nil {
			return err
		}
		j.last = entry.N
	}
	j.synced = j.last // once the file is synced, below
	j.size = scan.offset
	if err := j.file.Truncate(j.size); err != nil {
		return fmt.Errorf("cut off a torn line: %w", err)
	}
	if err := j.file.Sync(); err != nil {
		return err
	}
	return syncDir(dir)
}

func lock(file *os.File) error {
	until := time.Now().Add(lockPatience)
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		if time.Now().After(until) {
			return errors.New("another holder runs this session")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// syncDir makes a new file's name survive a loss of power.
func syncDir(dir string) error {
	directory, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer directory.Close()
	return directory.Sync()
}

// append adds an entry and returns its N once it is on disk. After an error the entry is not in the journal.
func (j *journal) append(kind string, body any) (uint64, error) {
	note, err := NewNote(kind, body)
	if err != nil {
		return 0, fmt.Errorf("journal: %w", err)
	}
	n, err := j.write(note)
	if err != nil {
		return 0, err
	}
	return n, j.sync(n)
}

// write adds entries, all or none, and returns the last one's N. They outlive this process, and not yet a loss of
// power: sync makes them do so, and tells of them.
func (j *journal) write(notes ...Note) (uint64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return 0, fmt.Errorf("journal %s: %w", notes[0].Kind, j.broken)
	}
	var lines []byte
	for i, note := range notes {
		line, err := encodeEntry(Entry{N: j.last + uint64(i) + 1, At: time.Now().UTC(), Kind: note.Kind, Body: note.Body})
		if err != nil {
			return 0, fmt.Errorf("journal %s: %w", note.Kind, err)
		}
		lines = append(lines, line...)
	}
	if _, err := j.file.WriteAt(lines, j.size); err != nil {
		j.cutBack()
		return 0, fmt.Errorf("journal %s: %w", notes[0].Kind, err)
	}
	j.size += int64(len(lines))
	j.last += uint64(len(notes))
	return j.last, nil
}

// sync returns when all entries up to n are on disk.
func (j *journal) sync(n uint64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.synced >= n {
		return nil
	}
	if j.broken != nil {
		return fmt.Errorf("journal: %w", j.broken)
	}
	if err := j.file.Sync(); err != nil {
		// The kernel may have dropped the pages: a second sync would lie.
		j.broken = fmt.Errorf("an earlier sync failed: %w", err)
		return fmt.Errorf("journal: %w", err)
	}
	j.synced = j.last
	close(j.changed)
	j.changed = make(chan struct{})
	return nil
}

// cutBack takes off what of an entry was written, so that the next one begins at a line's start.
func (j *journal) cutBack() {
	if err := j.file.Truncate(j.size); err != nil {
		j.broken = fmt.Errorf("a torn line could not be taken off: %w", err)
	}
}

// newest is the N of the last entry that is on disk, and a channel that is closed when there is a newer one.
func (j *journal) newest() (uint64, <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.synced, j.changed
}

func (j *journal) close() error { return j.file.Close() }

func encodeEntry(e Entry) ([]byte, error) {
	line, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	return append(Sum(line), '\n'), nil
}
