package main

import (
	"slices"
	"time"
)

// recovery is how long after a fault its victims may need until all is as before.
const recovery = 8 * time.Second

// soon is when something that happened at a time must be over that takes so long, unless a fault that concerns it is in
// the way: then it takes as long after the recovery from that.
func (w *world) soon(at time.Time, takes time.Duration, concerns func(fault) bool) time.Time {
	by := at.Add(takes)
	faults := slices.Clone(w.history.faults)
	slices.SortFunc(faults, func(a, b fault) int { return a.began.Compare(b.began) })
	for _, f := range faults {
		over := f.ended.Add(recovery)
		if concerns(f) && f.began.Before(by) && over.After(at) {
			by = later(by, over.Add(takes))
		}
	}
	return by
}

// between reports whether a fault is in the way from a session to PostgreSQL.
func (w *world) between(f fault, session string) bool {
	if f.target == clientsNetwork {
		return false
	}
	for _, h := range w.hosts {
		if h != w.hostOf(session) && (f.target == h.Name || f.target == networkOf(h)) {
			return false
		}
	}
	return true
}

func (w *world) hostOf(session string) *host {
	for _, s := range w.sessions {
		if s.id == session {
			return s.host
		}
	}
	return nil
}
