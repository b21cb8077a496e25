package session

import (
	"maps"
	"slices"

	"switchboard/hostagent/policy"
)

// rules is the policy in force now.
func (m *Manager) rules() policy.Policy {
	if changed := m.inForce.Load(); changed != nil {
		return *changed
	}
	return m.Policy
}

// Offers has a value when Describe may say something else than before. It is never closed.
func (m *Manager) Offers() <-chan struct{} { return m.offers }

// SetPolicy puts another policy in force, for live sessions too: their next call of a tool is judged by it. What it
// no longer allows to be started goes on if it runs. If it returns an error, the policy before stays in force.
func (m *Manager) SetPolicy(p policy.Policy) error {
	if err := p.PutInForce(m.Dir); err != nil {
		return err
	}
	before := m.rules()
	m.inForce.Store(&p)
	if !sameOffers(before, p) {
		select {
		case m.offers <- struct{}{}:
		default:
		}
	}
	for _, s := range m.all() {
		s.mu.Lock()
		s.fold.policy = p
		s.mu.Unlock()
	}
	return nil
}

func sameOffers(a, b policy.Policy) bool {
	return slices.Equal(a.Roots, b.Roots) && slices.Equal(a.Modes, b.Modes) && slices.Equal(a.Agents, b.Agents) && maps.Equal(a.Programs, b.Programs)
}
