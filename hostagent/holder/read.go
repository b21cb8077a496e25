package holder

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// ReadJournal reads the entries with N > after; no holder is needed. A torn last line is ignored, since nothing
// that it could report has happened; anything else that does not fit is an error that names the position. A
// journal that is not there has no entries.
func ReadJournal(dir string, after uint64) ([]Entry, error) {
	file, err := os.Open(filepath.Join(dir, journalFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	defer file.Close()
	// A holder that was killed may have left entries that only its machine's memory has. Who follows from them what
	// outlives a loss of power needs them to outlive it, too.
	if err := file.Sync(); err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	var entries []Entry
	scan := scanner{source: file, after: after}
	for {
		entry, err := scan.next()
		if errors.Is(err, errNoMore) {
			return entries, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the journal: %w", err)
		}
		if entry.N > after {
			entries = append(entries, entry)
		}
	}
}

// errNoMore: there is no further whole entry. There may be one later.
var errNoMore = errors.New("no further entry")

// maxLine is how long a line may be. A payload of maxFrame bytes that is not JSON grows when it is quoted.
const maxLine = 6*maxFrame + 4<<10

// scanner reads entries one after the other. It can go on after errNoMore when the journal has grown.
type scanner struct {
	source io.ReaderAt
	offset int64 // where the next entry begins
	last   uint64
	after  uint64        // of entries up to this N there is only the N
	reader *bufio.Reader // nil: to be placed at offset
}

func (s *scanner) next() (Entry, error) {
	if s.reader == nil {
		s.reader = bufio.NewReader(io.NewSectionReader(s.source, s.offset, 1<<62))
	}
	line, err := readLine(s.reader)
	if errors.Is(err, io.EOF) {
		s.reader = nil
		return Entry{}, errNoMore
	}
	if err != nil {
		return Entry{}, s.misfit(err)
	}
	entry, err := decodeEntry(line, s.after)
	if err == nil && entry.N != s.last+1 {
		err = fmt.Errorf("it has the number %d", entry.N)
	}
	if err != nil && s.torn(line) {
		s.reader = nil
		return Entry{}, errNoMore
	}
	if err != nil {
		return Entry{}, s.misfit(err)
	}
	s.offset += int64(len(line))
	s.last = entry.N
	return entry, nil
}

func (s *scanner) misfit(err error) error {
	return fmt.Errorf("entry %d at byte %d: %w", s.last+1, s.offset, err)
}

// torn reports whether a line that does not fit is what a loss of power leaves of the last one: pages of zeros
// that its text never reached. JSON holds no zero byte.
func (s *scanner) torn(line []byte) bool {
	if bytes.IndexByte(line, 0) < 0 {
		return false
	}
	_, err := s.reader.ReadByte()
	return errors.Is(err, io.EOF)
}

// readLine reads up to a line feed; io.EOF if there is none.
func readLine(reader *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := reader.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxLine {
			return nil, fmt.Errorf("it is longer than %d bytes", maxLine)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// decodeEntry reads a line, and no more than the N of one up to after: who follows a long journal reads it from its
// start again and again.
func decodeEntry(line []byte, after uint64) (Entry, error) {
	line = bytes.TrimSuffix(line, []byte("\n"))
	if err := CheckSum(line); err != nil {
		return Entry{}, err
	}
	if n, ok := entryNumber(line); ok && n <= after {
		return Entry{N: n}, nil
	}
	var entry Entry
	if err := json.Unmarshal(line, &entry); err != nil {
		return Entry{}, err
	}
	return entry, nil
}

// entryNumber reads the N with which a line begins.
func entryNumber(line []byte) (uint64, bool) {
	rest, begins := bytes.CutPrefix(line, []byte(`{"n":`))
	digits, _, _ := bytes.Cut(rest, []byte(","))
	n, err := strconv.ParseUint(string(digits), 10, 64)
	return n, begins && err == nil
}
