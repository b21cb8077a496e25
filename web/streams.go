package web

import (
	"sync"

	"switchboard/auth"
)

// streamsPerUser is how many event streams one person may hold open: more than he has windows to look at.
const streamsPerUser = 24

// streams counts the event streams that are open.
type streams struct {
	mu   sync.Mutex // guards the field below
	open map[auth.UserID]int
}

// enter takes one of the person's places; leave gives it back.
func (s *streams) enter(user auth.UserID) (leave func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[user] >= streamsPerUser {
		return nil, false
	}
	if s.open == nil {
		s.open = map[auth.UserID]int{}
	}
	s.open[user]++
	return func() { s.leave(user) }, true
}

func (s *streams) leave(user auth.UserID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[user]--
	if s.open[user] == 0 {
		delete(s.open, user)
	}
}
