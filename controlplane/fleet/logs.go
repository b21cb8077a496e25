package fleet

import (
	"context"
	"slices"

	"switchboard/auth"
	"switchboard/hostagent/protocol"
)

// TranscriptPage is a run of a session's transcript.
type TranscriptPage struct {
	Session Session
	Entries []TranscriptEntry
	Cursor  string // goes on after the last entry
	More    bool   // there are entries after the last
}

// The lengths of a page of a transcript. The bytes count texts and tool inputs.
const (
	defaultEntries = 50
	maxEntries     = 500
	maxPageBytes   = 1 << 20
)

// How many lines of a terminal's recording are read, if it is not said, and at most. A line says less than an entry.
const (
	defaultTerminalLines = 200
	maxTerminalLines     = 10_000
)

// Transcript returns a run of a session's transcript: what follows a cursor or, without one, its end.
func (f *Fleet) Transcript(ctx context.Context, c auth.Caller, ref, at string, limit int) (TranscriptPage, error) {
	session, err := f.session(ctx, c, reading("session.read_transcript"), ref)
	if err != nil {
		return TranscriptPage{}, err
	}
	if limit < 0 || limit > maxEntries {
		return TranscriptPage{}, refuse(ErrInvalid, "lines %d: want 1 to %d", limit, maxEntries)
	}
	if limit == 0 {
		limit = defaultEntries
	}
	if at == "" {
		return f.transcriptEnd(ctx, session, limit)
	}
	from, err := parseCursor(at)
	if err != nil {
		return TranscriptPage{}, err
	}
	return f.transcriptAfter(ctx, session, from.seq, limit)
}

// reading is the deed of one who reads what a session contains.
func reading(action string) deed {
	return deed{action: action, scope: auth.ScopeSessionsRead, need: AccessViewer, reads: true}
}

func (f *Fleet) transcriptEnd(ctx context.Context, session Session, limit int) (TranscriptPage, error) {
	entries, err := f.Store.LastEntries(ctx, session.ID, session.LastSeq, limit)
	if err != nil {
		return TranscriptPage{}, err
	}
	slices.Reverse(entries)
	entries = entries[:fitting(entries)]
	slices.Reverse(entries)
	return TranscriptPage{Session: session, Entries: entries, Cursor: session.Cursor()}, nil
}

// transcriptAfter reads no further than the session's last event when it was read, so that a cursor at that event
// loses nothing that is committed meanwhile.
func (f *Fleet) transcriptAfter(ctx context.Context, session Session, after uint64, limit int) (TranscriptPage, error) {
	entries, err := f.Store.Entries(ctx, session.ID, after, session.LastSeq, limit+1)
	if err != nil {
		return TranscriptPage{}, err
	}
	page := TranscriptPage{Session: session, Cursor: session.Cursor()}
	page.Entries = entries[:min(fitting(entries), limit)]
	if len(page.Entries) < len(entries) {
		page.More = true
		page.Cursor = cursor{seq: page.Entries[len(page.Entries)-1].Seq}.String()
	}
	return page, nil
}

// fitting is how many of the entries fit on a page: at least one.
func fitting(entries []TranscriptEntry) int {
	size := 0
	for i, e := range entries {
		size += len(e.Said())
		if size > maxPageBytes && i > 0 {
			return i
		}
	}
	return len(entries)
}

// Screen returns what a session's terminal shows now.
func (f *Fleet) Screen(ctx context.Context, c auth.Caller, ref string) (Session, protocol.ReadScreenReply, error) {
	session, err := f.session(ctx, c, reading("session.read_screen"), ref)
	if err != nil {
		return Session{}, protocol.ReadScreenReply{}, err
	}
	reply, err := ask(ctx, f, session.peer(), protocol.ReadScreen, protocol.ReadScreenRequest{Session: session.ID})
	return session, reply, err
}

// Terminal returns the last lines that went over a session's terminal.
func (f *Fleet) Terminal(ctx context.Context, c auth.Caller, ref string, lines int) (Session, protocol.ReadTerminalReply, error) {
	session, err := f.session(ctx, c, reading("session.read_terminal"), ref)
	if err != nil {
		return Session{}, protocol.ReadTerminalReply{}, err
	}
	if lines < 0 || lines > maxTerminalLines {
		return Session{}, protocol.ReadTerminalReply{}, refuse(ErrInvalid, "lines %d: want 1 to %d", lines, maxTerminalLines)
	}
	if lines == 0 {
		lines = defaultTerminalLines
	}
	reply, err := ask(ctx, f, session.peer(), protocol.ReadTerminal, protocol.ReadTerminalRequest{Session: session.ID, Lines: lines})
	return session, reply, err
}

// SessionChanges returns what differs in the git work tree of a session's directory; path narrows it.
func (f *Fleet) SessionChanges(ctx context.Context, c auth.Caller, ref, path string) (Session, protocol.ReadChangesReply, error) {
	session, err := f.session(ctx, c, reading("session.read_changes"), ref)
	if err != nil {
		return Session{}, protocol.ReadChangesReply{}, err
	}
	if err := checkLine("path", path, maxPath); err != nil {
		return Session{}, protocol.ReadChangesReply{}, err
	}
	reply, err := ask(ctx, f, session.peer(), protocol.ReadChanges, protocol.ReadChangesRequest{Session: session.ID, Path: path})
	return session, reply, err
}
