package fleet

import (
	"strconv"
	"testing"
	"time"
)

func TestReadsAreBounded(t *testing.T) {
	var r reads
	now := time.Now()
	for i := range 3 * maxReads {
		r.remember(read{session: strconv.Itoa(i)}, now)
		if len(r.recorded) > maxReads {
			t.Fatalf("%d reads are remembered", len(r.recorded))
		}
	}
	newest := read{session: strconv.Itoa(3*maxReads - 1)}
	if !r.recent(newest, now) || r.recent(newest, now.Add(readAgain)) {
		t.Error("the newest read is not remembered for as long as it should be")
	}
}
