package fleet

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"switchboard/auth"
	"switchboard/hostagent/protocol"
)

// SearchStore finds words.
type SearchStore interface {
	// Search looks for a person's words in transcripts and names of the sessions that he may see: first those whose
	// names match, then transcript entries, newest first.
	Search(ctx context.Context, user auth.UserID, query string, limit int) ([]Hit, error)
}

// Hit is one place where a search's words stand: an entry of a transcript, or, with Seq 0, a session's own names.
type Hit struct {
	Session  protocol.SessionID
	Handle   string
	HostName string
	Seq      uint64
	At       time.Time
	Role     protocol.Role
	Snippet  string
}

// Found is one thing that a search found.
type Found struct{ ID, Title, URL, Snippet string }

// Document is what stands behind a search's result.
type Document struct {
	ID, Title, Text, URL string
	Metadata             map[string]string
}

// Limits of a search and of a document, in results, bytes and entries.
const (
	maxFound         = 20
	maxQuery         = 1000
	documentEntries  = 40
	maxDocumentEntry = 4 << 10
	maxDocument      = 64 << 10
)

// Search looks for words in the transcripts and names of the sessions that the caller may see.
func (f *Fleet) Search(ctx context.Context, c auth.Caller, query string) ([]Found, error) {
	if err := f.anywhere(ctx, c, deed{action: "session.search", scope: auth.ScopeSessionsRead, reads: true}); err != nil {
		return nil, err
	}
	query = strings.TrimSpace(query)
	if query == "" {
		return nil, refuse(ErrInvalid, "query: empty")
	}
	if err := checkLine("query", query, maxQuery); err != nil {
		return nil, err
	}
	hits, err := f.Store.Search(ctx, c.User, query, maxFound)
	if err != nil {
		return nil, err
	}
	found := make([]Found, 0, len(hits))
	for _, h := range hits {
		found = append(found, f.found(h))
	}
	return found, nil
}

func (f *Fleet) found(h Hit) Found {
	found := Found{ID: h.Handle, Title: fmt.Sprintf("Session %s on %s", h.Handle, h.HostName), URL: f.sessionURL(h.Session)}
	found.Snippet = printable(h.Snippet)
	if h.Seq > 0 {
		found.ID += ":" + strconv.FormatUint(h.Seq, 10)
		found.Title += fmt.Sprintf(", %s at %s", h.Role, h.At.UTC().Format(time.RFC3339))
	}
	return found
}

func (f *Fleet) sessionURL(id protocol.SessionID) string {
	return f.PublicURL + "/sessions/" + string(id)
}

// Fetch returns a session as a document: its state and the end of its transcript or, for an id with a seq, the
// entries around it.
func (f *Fleet) Fetch(ctx context.Context, c auth.Caller, id string) (Document, error) {
	ref, digits, around := strings.Cut(id, ":")
	var seq uint64
	if around {
		var err error
		if seq, err = strconv.ParseUint(digits, 10, 63); err != nil {
			ref = id // no such session: the gate says so
		}
	}
	session, err := f.session(ctx, c, reading("session.fetch"), ref)
	if err != nil {
		return Document{}, err
	}
	entries, err := f.entriesAround(ctx, session, seq, around)
	if err != nil {
		return Document{}, err
	}
	return Document{
		ID: id, Title: fmt.Sprintf("Session %s on %s", session.Handle, session.HostName),
		Text: session.text(entries), URL: f.sessionURL(session.ID),
		Metadata: map[string]string{
			"session_id": string(session.ID), "handle": session.Handle, "host": session.HostName,
			"state": session.stateWords(), "agent": session.Agent, "working_dir": printable(session.WorkingDir),
		},
	}, nil
}

func (f *Fleet) entriesAround(ctx context.Context, session Session, seq uint64, around bool) ([]TranscriptEntry, error) {
	if !around {
		return f.Store.LastEntries(ctx, session.ID, session.LastSeq, documentEntries)
	}
	before, err := f.Store.LastEntries(ctx, session.ID, min(seq, session.LastSeq), documentEntries/2)
	if err != nil {
		return nil, err
	}
	after, err := f.Store.Entries(ctx, session.ID, seq, session.LastSeq, documentEntries/2)
	return append(before, after...), err
}

// text is the session for reading: what it is, and entries of its transcript. If they are too long, the last ones
// are kept.
func (s Session) text(entries []TranscriptEntry) string {
	head := fmt.Sprintf("Session %s on %s, %s, in %s\n", s.Handle, s.HostName, s.stateWords(), printable(s.WorkingDir))
	for _, p := range s.Open {
		head += fmt.Sprintf("Open prompt %s: %s\n", p.ID, printable(p.Title))
	}
	var lines []string
	room := maxDocument
	for i := len(entries) - 1; i >= 0 && room > 0; i-- {
		line := entries[i].text()
		room -= len(line)
		lines = append([]string{line}, lines...)
	}
	return head + "\n" + strings.Join(lines, "\n")
}

func (e TranscriptEntry) text() string {
	body := e.Said()
	if e.Role == protocol.RoleToolCall {
		body = e.Tool + " " + body
	}
	if len(body) > maxDocumentEntry {
		body = body[:maxDocumentEntry] + " …"
	}
	return fmt.Sprintf("[%d] %s %s: %s", e.Seq, e.At.UTC().Format(time.RFC3339), e.Speaker(), printable(body))
}

// printable takes control characters out of text that an agent or a terminal wrote.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}
