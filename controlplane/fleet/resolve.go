package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"switchboard/auth"
	"switchboard/hostagent/protocol"
)

// maxRef is longer than any id, handle or name.
const maxRef = 100

// maxCandidates bounds an error's list.
const maxCandidates = 10

// plausible reports whether ref may be put to the store at all.
func plausible(ref string) bool {
	return ref != "" && len(ref) <= maxRef && utf8.ValidString(ref) && !strings.ContainsFunc(ref, unicode.IsControl)
}

// seeSession finds the one session that the caller means, among those that he may see. What does not exist, what
// is not his and what cannot be a session give the very same error; several give a *Question.
func (f *Fleet) seeSession(ctx context.Context, c auth.Caller, ref string) (Session, error) {
	ref = strings.TrimSpace(ref)
	unseen := refuse(auth.ErrNotFound, "no session %.80q that you can see", ref)
	if !plausible(ref) {
		return Session{}, unseen
	}
	found, err := f.Store.ResolveSession(ctx, c.User, ref)
	if err != nil {
		return Session{}, err
	}
	f.judge(found)
	found = meant(found, ref)
	switch len(found) {
	case 0:
		return Session{}, unseen
	case 1:
		return found[0], nil
	}
	return Session{}, whichSession(ref, found)
}

// meant narrows what has a ref as its id, handle or name: an id or handle is exact, and a name means those of its
// sessions that live, if any does.
func meant(found []Session, ref string) []Session {
	var live []Session
	for _, s := range found {
		if strings.EqualFold(s.Handle, ref) || strings.EqualFold(string(s.ID), ref) {
			return []Session{s}
		}
		if s.State != protocol.StateExited {
			live = append(live, s)
		}
	}
	if len(live) > 0 {
		return live
	}
	return found
}

func candidates(sessions []Session) string {
	var words []string
	for _, s := range sessions[:min(len(sessions), maxCandidates)] {
		words = append(words, fmt.Sprintf("%s (on %s, %s)", s.Handle, s.HostName, s.stateWords()))
	}
	if len(sessions) > maxCandidates {
		words = append(words, fmt.Sprintf("and %d more", len(sessions)-maxCandidates))
	}
	return strings.Join(words, ", ")
}

// seeHost finds the one host that the caller means, among those that he may see.
func (f *Fleet) seeHost(ctx context.Context, c auth.Caller, ref string) (Host, error) {
	ref = strings.TrimSpace(ref)
	unseen := refuse(auth.ErrNotFound, "no host %.80q that you can see", ref)
	if !plausible(ref) {
		return Host{}, unseen
	}
	found, err := f.Store.VisibleHosts(ctx, c, ref)
	if err != nil {
		return Host{}, err
	}
	for _, h := range found {
		if string(h.ID) == ref {
			return h, nil
		}
	}
	if len(found) == 0 {
		return Host{}, unseen
	}
	return found[0], nil // names are unique
}

// unlessFound returns unseen in place of a store's "not found", and any other error as it is.
func unlessFound(err, unseen error) error {
	if errors.Is(err, auth.ErrNotFound) {
		return unseen
	}
	return err
}
