package holder

import (
	"math"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

const (
	restAfter     = 3 * time.Second // without output
	garbage       = 50              // percent of what lives, while there is output; with less there is much at the start
	restingMemory = 16 << 20        // bytes; hardly ever so many
)

// rest keeps a holder small and asleep while its child says nothing. The Go runtime collects garbage every two minutes,
// for which it wakes all its threads; at rest it does so only if memory is really taken. It uses one processor, so that
// whoever is woken wakes no idle thread before he does his work, and a second one only for a flood of output, of which one
// goroutine reads more while another shows.
type rest struct {
	timer *time.Timer

	mu      sync.Mutex // guards the fields below
	resting bool
}

func newRest() *rest {
	r := &rest{}
	r.begin()
	r.timer = time.AfterFunc(restAfter, r.begin)
	return r
}

func (r *rest) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resting = true
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(restingMemory)
	var collections debug.GCStats
	debug.ReadGCStats(&collections)
	if collections.NumGC > 0 { // the first one would cost more memory, for good, than it finds
		debug.FreeOSMemory()
	}
}

// end says that there is output, and how much at once.
func (r *rest) end(bytes int) {
	r.timer.Reset(restAfter)
	r.mu.Lock()
	defer r.mu.Unlock()
	if bytes >= worthShowing {
		runtime.GOMAXPROCS(2)
	}
	if !r.resting {
		return
	}
	r.resting = false
	debug.SetMemoryLimit(math.MaxInt64)
	debug.SetGCPercent(garbage)
}
