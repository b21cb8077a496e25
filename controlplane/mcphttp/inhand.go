package mcphttp

import (
	"sync"

	"switchboard/auth"
)

// inHand counts each person's requests that are not answered yet. The zero value is ready.
type inHand struct {
	mu    sync.Mutex // guards the field below
	users map[auth.UserID]int
}

// enter counts a request until leave is called. It refuses one beyond maxOpen.
func (h *inHand) enter(user auth.UserID) (leave func(), ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.users[user] >= maxOpen {
		return nil, false
	}
	if h.users == nil {
		h.users = map[auth.UserID]int{}
	}
	h.users[user]++
	return func() { h.leave(user) }, true
}

func (h *inHand) leave(user auth.UserID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.users[user]--; h.users[user] == 0 {
		delete(h.users, user)
	}
}
