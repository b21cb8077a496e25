package session

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
)

const (
	// tailBytes is what is read of a transcript at once.
	tailBytes = 1 << 20
	// maxLine is how long a line of a transcript may be. A longer one is passed over.
	maxLine = 4 << 20 // bytes
)

// tail is what was added to a transcript: whole lines, without their ends.
type tail struct {
	lines [][]byte
	ends  []int64 // where in the file each of them ends
	past  int64   // up to where there is no end of a line that is too long
}

// readTail reads the whole lines that stand in a transcript from offset on, about tailBytes of them. A line that is
// too long is an empty one; past is what the last call said of it. The file belongs to the agent: it may not be there
// yet, or no longer.
func readTail(path string, own int, offset, past int64) (tail, error) {
	if info, err := os.Lstat(path); path == "" || err == nil && info.Size() <= max(offset, past) {
		return tail{past: past}, nil
	}
	file, err := openPlain(path, own)
	if errors.Is(err, fs.ErrNotExist) {
		return tail{past: past}, nil
	}
	if err != nil {
		return tail{past: past}, err
	}
	defer file.Close()
	if past > offset {
		return passOver(file, past)
	}
	for most := int64(tailBytes); ; most = maxLine {
		text, err := io.ReadAll(io.NewSectionReader(file, offset, most))
		if err != nil {
			return tail{}, err
		}
		if bytes.IndexByte(text, '\n') >= 0 || int64(len(text)) < most {
			return splitLines(text, offset), nil
		}
		if most == maxLine {
			return passOver(file, offset+most)
		}
	}
}

func splitLines(text []byte, offset int64) tail {
	var t tail
	for {
		line, rest, whole := bytes.Cut(text, []byte("\n"))
		if !whole {
			return t
		}
		offset += int64(len(line)) + 1
		t.lines, t.ends = append(t.lines, line), append(t.ends, offset)
		text = rest
	}
}

// passOver looks for the end of a line that is too long, as far as is read at once.
func passOver(file *os.File, past int64) (tail, error) {
	text, err := io.ReadAll(io.NewSectionReader(file, past, tailBytes))
	if err != nil {
		return tail{past: past}, err
	}
	if end := bytes.IndexByte(text, '\n'); end >= 0 {
		return tail{lines: [][]byte{nil}, ends: []int64{past + int64(end) + 1}}, nil
	}
	return tail{past: past + int64(len(text))}, nil
}
