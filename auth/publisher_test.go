package auth_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"switchboard/auth/outbound"
	"switchboard/auth/outbound/outboundtest"
)

// publisher serves clients' metadata documents, as the hosts that the clients are of.
type publisher struct{ *outboundtest.Internet }

func newPublisher(t *testing.T) *publisher {
	t.Helper()
	return &publisher{outboundtest.New(t, "chatgpt.com", "claude.ai", "vscode.dev", "app.example", "other.example")}
}

// outbound is a client to which every name leads to the publisher.
func (p *publisher) outbound() *outbound.Client {
	c := &outbound.Client{}
	p.Reach(c)
	return c
}

// publishDocument puts a document at its own address.
func (p *publisher) publishDocument(t *testing.T, document map[string]any) {
	t.Helper()
	p.Put(document["client_id"].(string), serves("application/json", documentText(t, document)))
}

func serves(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}
}

// publishFixture puts up one of the documents that real clients publish, and returns it.
func (p *publisher) publishFixture(t *testing.T, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "documents", name))
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	p.publishDocument(t, document)
	return document
}

// newDocumentServer is an authorization server that finds documents at a publisher.
func newDocumentServer(t *testing.T) (*server, *publisher) {
	t.Helper()
	s, p := newServer(t), newPublisher(t)
	s.oauth.Outbound = p.outbound()
	return s, p
}

// described is an app whose id is its document's.
func (s *server) described(id, redirect string) *app {
	return &app{s: s, id: id, redirect: redirect, verifier: "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"}
}

func documentText(t *testing.T, document map[string]any) string {
	t.Helper()
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// audited lists what the audit log has of an action, newest first.
func (s *server) audited(t *testing.T, action string) []string {
	t.Helper()
	var found []string
	for _, e := range s.actions(t) {
		if e.Action == action {
			found = append(found, fmt.Sprintf("%s %v %v", e.Target, e.Allowed, e.Detail))
		}
	}
	return found
}
