package session

import (
	"switchboard/hostagent/policy"
)

// rules is the policy in force now.
func (m *Manager) rules() policy.Policy {
	if changed := m.inForce.Load(); changed != nil {
		return *changed
	}
	return m.Policy
}

// SetPolicy puts another policy in force, for live sessions too: their next call of a tool is judged by it. What it
// no longer allows to be started goes on if it runs. If it returns an error, the policy before stays in force.
func (m *Manager) SetPolicy(p policy.Policy) error {
	if err := p.PutInForce(m.Dir); err != nil {
		return err
	}
	m.inForce.Store(&p)
	for _, s := range m.all() {
		s.mu.Lock()
		s.fold.policy = p
		s.mu.Unlock()
	}
	return nil
}
