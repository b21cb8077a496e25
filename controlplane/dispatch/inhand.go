package dispatch

import (
	"sync"

	"switchboard/hostagent/protocol"
)

// reportsPerHost is how many of its reports of one kind are handled at a time: as many sessions' events as a host
// agent sends at once. One that floods us keeps room for the others.
const reportsPerHost = 4

// inHand counts each host's reports that are being handled.
type inHand struct {
	mu sync.Mutex // guards the field below
	of map[protocol.HostID]int
}

var errTooMany error = protocol.Errorf(protocol.CodeUnavailable, "more than %d reports at once; try again", reportsPerHost)

// enter takes one of the host's places, unless all are taken; leave gives it back.
func (h *inHand) enter(host protocol.HostID) (leave func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.of[host] >= reportsPerHost {
		return nil, errTooMany
	}
	if h.of == nil {
		h.of = map[protocol.HostID]int{}
	}
	h.of[host]++
	return func() { h.leave(host) }, nil
}

func (h *inHand) leave(host protocol.HostID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.of[host]--
	if h.of[host] == 0 {
		delete(h.of, host)
	}
}
