package link

import (
	"encoding/json"

	"switchboard/hostagent/protocol"
)

// greetingBytes bounds the ended sessions in a hello: all of it must fit into one message of 1 MiB, however long a
// host has been in use.
const greetingBytes = 512 << 10

// greeting chooses the sessions that a hello names: those that live, and of the others the newest. One that is not
// named counts as ended, which it is; how far the control plane has its events comes out when it gets the first one.
// The sessions are given and returned oldest first.
func greeting(sessions []protocol.Session) []protocol.Session {
	room := greetingBytes
	named := make([]bool, len(sessions))
	for i := len(sessions) - 1; i >= 0; i-- {
		live := sessions[i].State != protocol.StateExited
		if !live {
			room -= size(sessions[i])
		}
		named[i] = live || room >= 0
	}
	var chosen []protocol.Session
	for i, session := range sessions {
		if named[i] {
			chosen = append(chosen, session)
		}
	}
	return chosen
}

func size(session protocol.Session) int {
	// Strings, numbers and times always marshal.
	text, _ := json.Marshal(session)
	return len(text) + 1
}
