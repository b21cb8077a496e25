package session

import (
	"context"
	"errors"
	"io/fs"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
	"switchboard/hostagent/terminal"
)

// maxTerminalLines is how many lines of terminal output may be asked for at once.
const maxTerminalLines = 2000

// Screen is what the session's terminal shows now.
func (m *Manager) Screen(ctx context.Context, r protocol.ReadScreenRequest) (protocol.ReadScreenReply, error) {
	s, err := m.session(r.Session)
	if err != nil {
		return protocol.ReadScreenReply{}, err
	}
	if s.exited() { // its holder may answer for a moment yet
		return protocol.ReadScreenReply{}, s.cannotReach(holder.ErrGone)
	}
	client, err := s.dial(ctx)
	if err != nil {
		return protocol.ReadScreenReply{}, s.cannotReach(err)
	}
	defer client.Close()
	screen, err := client.Screen(ctx)
	if err != nil {
		return protocol.ReadScreenReply{}, s.cannotReach(err)
	}
	reply := protocol.ReadScreenReply{
		Lines: outgoingLines(screen.Lines), Cols: screen.Cols, Rows: screen.Rows, Cursor: screen.Cursor,
		Title: outgoingLine(screen.Title),
	}
	return reply, nil
}

// Terminal is what went over the session's terminal last, also when it has exited.
func (m *Manager) Terminal(_ context.Context, r protocol.ReadTerminalRequest) (protocol.ReadTerminalReply, error) {
	s, err := m.session(r.Session)
	if err != nil {
		return protocol.ReadTerminalReply{}, err
	}
	if r.Lines < 1 || r.Lines > maxTerminalLines {
		return protocol.ReadTerminalReply{}, protocol.Errorf(protocol.CodeInvalid, "lines: want 1 to %d", maxTerminalLines)
	}
	lines, err := terminal.TailText(s.recording(), r.Lines)
	if errors.Is(err, fs.ErrNotExist) {
		return protocol.ReadTerminalReply{Lines: []string{}}, nil
	}
	if err != nil {
		return protocol.ReadTerminalReply{}, protocol.Errorf(protocol.CodeInternal, "reading the recording: %v", err)
	}
	return protocol.ReadTerminalReply{Lines: outgoingLines(lines)}, nil
}
