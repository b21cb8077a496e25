package session

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/protocol"
)

// TestFirstStart: where nobody has used the CLI yet it asks one thing after the other before there is a conversation.
// Each is a state and a prompt of its own, until it is answered at the terminal.
func TestFirstStart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.environ = append(r.environ, r.ownerOfEveryHost()...)
	r.restart()
	check(t, replaceFile(filepath.Join(r.home, ".claude.json"), []byte(`{}`)))
	id := r.start(protocol.CreateSessionRequest{WorkingDir: r.project})
	for n, want := range []struct{ name, title string }{
		{"theme", "Which colours does the terminal get?"},
		{"API key", "May the agent use the API key of its environment?"},
		{"login", "The agent asks to be logged in"},
	} {
		r.told(id, protocol.StateWaiting, "screen: "+want.name+" dialog")
		p := r.prompt(id, n+1)
		if p.Kind != protocol.PromptDialog || p.Title != want.title || len(p.Options) > 0 || !strings.Contains(p.Detail, "[Answer this at the terminal") {
			t.Errorf("the %s dialog is told as %+v", want.name, p)
		}
		if s := r.await(id, protocol.StateWaiting); s.Confidence != protocol.ConfidenceLow {
			t.Errorf("what only the screen says is told with %s confidence", s.Confidence)
		}
		if want.name == "login" {
			break
		}
		if got := r.answerAtTerminal(p, "\r"); got.Where != protocol.WhereTerminal {
			t.Errorf("the %s dialog was settled as %+v", want.name, got)
		}
	}
}

// TestModeOffer: a mode in the person's settings raises the offer of another one, before the conversation.
func TestModeOffer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	kind := agentkind.Claude()
	args := kind.Args
	kind.Args = func(l agentkind.Launch) []string { // without the mode, which keeps the offer away
		all := args(l)
		return append(all[:2:2], all[4:]...)
	}
	r.with(kind)
	check(t, os.MkdirAll(filepath.Join(r.home, ".claude"), 0o700))
	check(t, os.WriteFile(filepath.Join(r.home, ".claude", "settings.json"), []byte(`{"permissions":{"defaultMode":"manual"}}`), 0o600))
	id := r.start(protocol.CreateSessionRequest{WorkingDir: r.project})
	r.told(id, protocol.StateWaiting, "screen: permission mode dialog")
	p := r.prompt(id, 1)
	if p.Kind != protocol.PromptDialog || p.Title != "May the agent make auto mode the default of this machine?" || len(p.Options) > 0 {
		t.Errorf("the offer is told as %+v", p)
	}
	if got := r.answerAtTerminal(p, "\x1b"); got.Where != protocol.WhereTerminal {
		t.Errorf("the offer was settled as %+v", got)
	}
	r.await(id, protocol.StateIdle)
}

// ownerOfEveryHost is an environment in which every host that is asked for says {}, so that the CLI finds its network.
func (r *rig) ownerOfEveryHost() []string {
	r.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(r.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"api.anthropic.com", "platform.claude.com"}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	check(r.t, err)
	authority := filepath.Join(r.home, "authority.pem")
	check(r.t, os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))

	listener, err := new(net.ListenConfig).Listen(r.t.Context(), "tcp", "127.0.0.1:0")
	check(r.t, err)
	every := tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			connection, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			check(r.t, err)
			group.Go(func() { tunnel(connection, &every) })
		}
	})
	r.t.Cleanup(func() {
		check(r.t, listener.Close())
		group.Wait()
	})
	return []string{"HTTPS_PROXY=http://" + listener.Addr().String(), "NO_PROXY=127.0.0.1", "NODE_EXTRA_CA_CERTS=" + authority}
}

// tunnel is every host behind a proxy, for one request.
func tunnel(connection net.Conn, config *tls.Config) {
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(patience))
	if _, err := http.ReadRequest(bufio.NewReader(connection)); err != nil {
		return // nobody came
	}
	_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\n\r\n")
	secured := tls.Server(connection, config)
	defer func() { _ = secured.Close() }()
	if _, err := http.ReadRequest(bufio.NewReader(secured)); err == nil {
		_, _ = io.WriteString(secured, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
	}
}
