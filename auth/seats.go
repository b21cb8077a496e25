package auth

import "sync"

// Seats bounds how much each person holds open at a time, such as requests or event streams. The zero value is ready.
type Seats struct {
	mu    sync.Mutex // guards the field below
	taken map[UserID]int
}

// Take takes one of the person's seats, unless most are taken; leave gives it back.
func (s *Seats) Take(user UserID, most int) (leave func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[user] >= most {
		return nil, false
	}
	if s.taken == nil {
		s.taken = map[UserID]int{}
	}
	s.taken[user]++
	return func() { s.leave(user) }, true
}

func (s *Seats) leave(user UserID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken[user]--
	if s.taken[user] == 0 {
		delete(s.taken, user)
	}
}
