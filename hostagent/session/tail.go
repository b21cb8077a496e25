package session

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"

	"switchboard/hostagent/agentkind"
)

// tailed is what one line of the transcript file tells, and where that line ends.
type tailed struct {
	lines []agentkind.Line
	end   int64
}

// maxTail bounds what one look reads of a transcript; the next look goes on. A longer line is skipped.
const maxTail = 4 << 20 // bytes

// readTail reads the whole lines that were added to a transcript since offset. The file belongs to the agent: it
// may not be there yet, or no longer.
func readTail(path string, offset int64, kind agentkind.Kind, logger *slog.Logger) []tailed {
	if info, err := os.Stat(path); path == "" || err == nil && info.Size() <= offset {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			logger.Warn("transcript not readable", "err", err)
		}
		return nil
	}
	defer file.Close()
	text, err := io.ReadAll(io.NewSectionReader(file, offset, maxTail))
	if err != nil {
		logger.Warn("transcript not readable", "err", err)
		return nil
	}
	if len(text) == maxTail && bytes.IndexByte(text, '\n') < 0 {
		return skipLine(file, offset)
	}
	return readLines(text, offset, kind, logger)
}

func readLines(text []byte, offset int64, kind agentkind.Kind, logger *slog.Logger) []tailed {
	var all []tailed
	for {
		line, rest, whole := bytes.Cut(text, []byte("\n"))
		if !whole {
			return all
		}
		offset += int64(len(line)) + 1
		lines, err := kind.ReadTranscript(line)
		if err != nil {
			logger.Warn("transcript line not understood", "err", err, "end", offset)
		}
		all = append(all, tailed{lines: lines, end: offset})
		text = rest
	}
}

// skipLine passes over a line that is too long to be read, once it is whole.
func skipLine(file *os.File, offset int64) []tailed {
	block := make([]byte, 64<<10)
	for {
		n, err := file.ReadAt(block, offset)
		if end := bytes.IndexByte(block[:n], '\n'); end >= 0 {
			return []tailed{{end: offset + int64(end) + 1}}
		}
		if err != nil {
			return nil
		}
		offset += int64(n)
	}
}
