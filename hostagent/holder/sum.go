package holder

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
)

// A line's sum is a last member "crc" of its JSON object: CRC-32C, in hexadecimal, over all that stands before that
// member.
const (
	crcBegin = `,"crc":"`
	crcEnd   = `"}`
	crcBytes = len(crcBegin) + 8 + len(crcEnd)
)

func checksum(p []byte) uint32 { return crc32.Checksum(p, crc32.MakeTable(crc32.Castagnoli)) }

// Sum adds its sum to a line, which is a JSON object with at least one member, without a line feed. The line is used.
func Sum(line []byte) []byte {
	line = line[:len(line)-1] // the closing brace
	return fmt.Appendf(line, "%s%08x%s", crcBegin, checksum(line), crcEnd)
}

// The errors of CheckSum.
var (
	ErrNoSum    = errors.New("it has no checksum")
	ErrSumWrong = errors.New("its checksum does not fit")
)

// CheckSum checks the sum of such a line.
func CheckSum(line []byte) error {
	at := len(line) - crcBytes
	if at < 0 || !bytes.HasPrefix(line[at:], []byte(crcBegin)) || !bytes.HasSuffix(line, []byte(crcEnd)) {
		return ErrNoSum
	}
	stated := string(line[at+len(crcBegin) : len(line)-len(crcEnd)])
	if fmt.Sprintf("%08x", checksum(line[:at])) != stated {
		return ErrSumWrong
	}
	return nil
}
