package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"switchboard/auth/audit"
)

// auditLength is how many records a page holds.
const auditLength = 100

type auditPage struct {
	Events []audit.Event
	Filter string
	Before int64 // where the next page begins; 0 at the end
}

// Audit shows who asked for what, newest first. A filter looks through one page at a time.
func (p *Pages) Audit(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	before, _ := strconv.ParseInt(query.Get("before"), 10, 64) // what is no number begins at the newest
	events, err := p.Fleet.AuditLog(r.Context(), visit.Caller, max(before, 0), auditLength)
	if err != nil {
		return err
	}
	page := auditPage{Filter: query.Get("filter")}
	if len(events) == auditLength {
		page.Before = events[len(events)-1].Seq
	}
	for _, e := range events {
		if mentions(e, page.Filter) {
			page.Events = append(page.Events, e)
		}
	}
	return p.show(w, http.StatusOK, "audit", visit.view(r, "Audit", page))
}

func mentions(e audit.Event, text string) bool {
	words := []string{e.UserName, e.Client, e.Addr, e.Action, e.Host, e.Session, e.Target}
	for name, value := range e.Detail {
		words = append(words, name, value)
	}
	return slices.ContainsFunc(words, func(word string) bool {
		return strings.Contains(strings.ToLower(word), strings.ToLower(strings.TrimSpace(text)))
	})
}
