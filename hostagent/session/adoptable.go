package session

import (
	"slices"
	"time"

	"switchboard/hostagent/agentkind"
)

// Adoptable is a conversation that may be adopted.
type Adoptable struct {
	Agent        string    `json:"agent"`
	Conversation string    `json:"conversation"`
	Dir          string    `json:"dir"`
	Words        string    `json:"words"`          // the first that was said
	Name         string    `json:"name,omitempty"` // that its process shows
	Mode         string    `json:"mode"`
	At           time.Time `json:"at"`
	PID          int       `json:"pid,omitempty"` // of the process that has it open; 0: none has
	Activity     string    `json:"activity,omitempty"`
}

// maxAdoptableWords is how many bytes of a conversation's first words are listed.
const maxAdoptableWords = 400

// Adoptables lists the conversations on this machine that are no session of this host, newest first, and says how many
// more are in directories that the policy does not allow.
func (m *Manager) Adoptables() (all []Adoptable, elsewhere int, err error) {
	for _, kind := range m.Kinds {
		conversations, err := kind.Conversations(m.getenv)
		if err != nil {
			return nil, 0, err
		}
		writers := kind.Writers(m.getenv)
		for _, c := range conversations {
			if m.holds(kind, c.ID) != nil {
				continue
			}
			if _, err := m.rules().Directory(c.Dir); err != nil {
				elsewhere++
				continue
			}
			words, _ := clip(outgoingLine(c.Words), maxAdoptableWords)
			found := Adoptable{Agent: kind.Name, Conversation: c.ID, Dir: c.Dir, Words: words, Mode: c.Mode, At: c.At}
			if at := slices.IndexFunc(writers, func(w agentkind.Writer) bool { return w.Conversation == c.ID }); at >= 0 {
				found.PID, found.Activity, found.Name = writers[at].PID, string(writers[at].Activity), outgoingLine(writers[at].Name)
			}
			all = append(all, found)
		}
	}
	slices.SortStableFunc(all, func(a, b Adoptable) int { return b.At.Compare(a.At) })
	return all, elsewhere, nil
}
