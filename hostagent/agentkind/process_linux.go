package agentkind

import (
	"bytes"
	"os"
	"strconv"
	"time"
)

// sameProcess reports whether the process of this number runs and is the one that began at start, in the clock ticks
// that /proc counts. A zombie does not run.
func sameProcess(pid int, start string, _ time.Time) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, after, _ := bytes.Cut(text[bytes.LastIndexByte(text, '(')+1:], []byte(") "))
	fields := bytes.Fields(after) // from the third on, the state
	const startField = 22 - 3
	return len(fields) > startField && string(fields[0]) != "Z" && string(fields[startField]) == start
}
