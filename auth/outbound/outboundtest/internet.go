// Package outboundtest is the internet, as tests have it: one server that answers, over real TLS, for every name that
// a test needs.
package outboundtest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"switchboard/auth/outbound"
)

// Internet answers for its names. What nobody put there is 404.
type Internet struct {
	listener net.Listener
	roots    *x509.CertPool

	mu      sync.Mutex // guards what follows
	answers map[string]http.HandlerFunc
	asked   map[string]int
}

// Address is a public one, to which all names lead.
const Address = "93.184.216.34"

// New starts an internet with these names. It ends with the test.
func New(t testing.TB, names ...string) *Internet {
	t.Helper()
	i := &Internet{answers: map[string]http.HandlerFunc{}, asked: map[string]int{}, roots: x509.NewCertPool()}
	server := httptest.NewUnstartedServer(i)
	certificate := selfSigned(t, names)
	i.roots.AddCert(certificate.Leaf)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.StartTLS()
	t.Cleanup(server.Close)
	i.listener = server.Listener
	return i
}

func selfSigned(t testing.TB, names []string) tls.Certificate {
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

// Reach makes a client find every name here.
func (i *Internet) Reach(c *outbound.Client) {
	c.Roots = i.roots
	c.Resolve = func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr(Address)}, nil
	}
	c.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, i.listener.Addr().String())
	}
}

// Put has something answer at an address, in place of what did before.
func (i *Internet) Put(address string, answer http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answers[address] = answer
}

// Asked is how often an address was.
func (i *Internet) Asked(address string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked[address]
}

// Requests is how many came at all.
func (i *Internet) Requests() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	all := 0
	for _, times := range i.asked {
		all += times
	}
	return all
}

// ServeHTTP answers for all names.
func (i *Internet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	address := "https://" + r.Host + r.RequestURI
	i.mu.Lock()
	i.asked[address]++
	answer := i.answers[address]
	i.mu.Unlock()
	if answer == nil {
		answer = http.NotFound
	}
	answer(w, r)
}
