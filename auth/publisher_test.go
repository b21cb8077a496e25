package auth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"switchboard/auth/outbound"
)

// publisher serves clients' metadata documents over real TLS, as the hosts that the clients are of.
type publisher struct {
	listener net.Listener
	roots    *x509.CertPool

	mu      sync.Mutex // guards what follows
	answers map[string]http.HandlerFunc
	asked   map[string]int // how often each document was
}

// publicAddress is one that the outbound client calls; the publisher answers there.
const publicAddress = "93.184.216.34"

func newPublisher(t *testing.T) *publisher {
	t.Helper()
	p := &publisher{answers: map[string]http.HandlerFunc{}, asked: map[string]int{}, roots: x509.NewCertPool()}
	server := httptest.NewUnstartedServer(p)
	certificate := selfSigned(t, "chatgpt.com", "claude.ai", "vscode.dev", "app.example", "other.example")
	p.roots.AddCert(certificate.Leaf)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.StartTLS()
	t.Cleanup(server.Close)
	p.listener = server.Listener
	return p
}

func selfSigned(t *testing.T, names ...string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: names, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// outbound is a client to which every name leads to the publisher.
func (p *publisher) outbound() *outbound.Client {
	return &outbound.Client{
		Roots: p.roots,
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr(publicAddress)}, nil
		},
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, p.listener.Addr().String())
		},
	}
}

func (p *publisher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	address := "https://" + r.Host + r.RequestURI
	p.mu.Lock()
	p.asked[address]++
	answer := p.answers[address]
	p.mu.Unlock()
	if answer == nil {
		answer = http.NotFound
	}
	answer(w, r)
}

func (p *publisher) publish(address string, answer http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers[address] = answer
}

// publishDocument puts a document at its own address.
func (p *publisher) publishDocument(t *testing.T, document map[string]any) {
	t.Helper()
	p.publish(document["client_id"].(string), serves("application/json", documentText(t, document)))
}

func serves(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}
}

func (p *publisher) timesAsked(address string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[address]
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
