package embedded_test

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"
	"go.uber.org/goleak"

	"switchboard/controlplane/dispatch"
	"switchboard/controlplane/embedded"
	"switchboard/hostagent/protocol"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func keys(t *testing.T, dir string) embedded.Keys {
	t.Helper()
	keys, err := embedded.LoadKeys(dir)
	must(t, err)
	return keys
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func startNATS(t *testing.T, dir string) (*embedded.NATS, *nats.Conn) {
	t.Helper()
	n, err := embedded.StartNATS(t.Context(), embedded.NATSConfig{Dir: dir, Keys: keys(t, dir), Log: quiet()})
	must(t, err)
	t.Cleanup(n.Stop)
	conn, err := n.Connect("test", quiet())
	must(t, err)
	t.Cleanup(conn.Close)
	return n, conn
}

func TestNATSKeepsStreamsFromStartToStart(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dir := t.TempDir()
	n, conn := startNATS(t, dir)
	js, err := jetstream.New(conn)
	must(t, err)
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "kept", Subjects: []string{"kept"}})
	must(t, err)
	_, err = js.Publish(t.Context(), "kept", []byte("word"))
	must(t, err)
	conn.Close()
	n.Stop()
	n.Stop() // means nothing

	n, conn = startNATS(t, dir)
	js, err = jetstream.New(conn)
	must(t, err)
	stream, err := js.Stream(t.Context(), "kept")
	must(t, err)
	message, err := stream.GetLastMsgForSubject(t.Context(), "kept")
	must(t, err)
	if string(message.Data) != "word" {
		t.Errorf("kept %q", message.Data)
	}
	conn.Close()
	n.Stop()
}

func TestNATSTakesOneControlPlane(t *testing.T) {
	dir := t.TempDir()
	startNATS(t, dir)
	_, err := embedded.StartNATS(t.Context(), embedded.NATSConfig{Dir: dir, Keys: keys(t, dir), Log: quiet()})
	if err == nil || !strings.Contains(err.Error(), "another control plane is running") {
		t.Errorf("a second start: %v", err)
	}
}

func TestKeysAreMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	made, err := keys(t, dir).Environment()
	must(t, err)
	read, err := keys(t, dir).Environment()
	must(t, err)
	written, err := os.ReadFile(filepath.Join(dir, "nats.env"))
	must(t, err)
	if made != read || made != string(written) {
		t.Errorf("public halves differ:\n%s\n%s\n%s", made, read, written)
	}
	info, err := os.Stat(filepath.Join(dir, "nats.seeds"))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("seeds have mode %v", info.Mode())
	}
	for _, text := range []string{"", "SUA\nSAA\nSXA\n", "x y z", string(written)} {
		must(t, os.WriteFile(filepath.Join(dir, "nats.seeds"), []byte(text), 0o600))
		if _, err := embedded.LoadKeys(dir); err == nil {
			t.Errorf("seeds %q were taken", text)
		}
	}
}

func TestJoinRefusesAddresses(t *testing.T) {
	for _, address := range []string{"", "nats", "tls://nats:4222", "nats://u:p@nats:4222", "wss://nats", "nats://:4222", "http://nats"} {
		if _, err := embedded.JoinNATS(address, keys(t, t.TempDir())); err == nil || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// TestExternalNATS runs a server with deploy/nats.conf: a host is let in through the control plane's answer, may do
// no more than with the embedded one, and a stranger is not let in.
func TestExternalNATS(t *testing.T) {
	own := keys(t, t.TempDir())
	external := externalServer(t, own)
	n, err := embedded.JoinNATS(external, own)
	must(t, err)
	conn, err := n.Connect("test", quiet())
	must(t, err)
	defer conn.Close()
	host, err := nkeys.CreateUser()
	must(t, err)
	public, err := host.PublicKey()
	must(t, err)
	callout := &dispatch.Callout{Conn: conn, Issuer: own.Issuer, Seal: own.Seal, Account: embedded.Account, Log: quiet(), Now: time.Now,
		HostByKey: func(_ context.Context, nkey string) (protocol.HostID, error) {
			if nkey != public {
				return "", dispatch.ErrUnknownKey
			}
			return "alpha", nil
		}}
	stop, err := callout.Serve(t.Context())
	must(t, err)
	defer stop()

	refused := make(chan error, 1)
	hostConn, err := dialAs(t, n, host, nats.CustomInboxPrefix(protocol.InboxPrefix("alpha")),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
	must(t, err)
	defer hostConn.Close()
	_, err = hostConn.Subscribe(protocol.AllCommands("alpha"), func(m *nats.Msg) { _ = m.Respond([]byte("done")) })
	must(t, err)
	must(t, hostConn.Flush())
	answer, err := conn.Request(protocol.CommandSubject("alpha", "any"), nil, 10*time.Second)
	if err != nil || string(answer.Data) != "done" {
		t.Errorf("answer %v, %v", answer, err)
	}
	must(t, hostConn.Publish(protocol.EventSubject("beta", "hello"), nil))
	must(t, hostConn.Flush())
	if err := <-refused; !strings.Contains(err.Error(), "ermissions violation") {
		t.Errorf("another's subject: %v", err)
	}

	stranger, err := nkeys.CreateUser()
	must(t, err)
	if conn, err := dialAs(t, n, stranger); err == nil {
		conn.Close()
		t.Error("a stranger was let in")
	}
}

func dialAs(t *testing.T, n *embedded.NATS, key nkeys.KeyPair, options ...nats.Option) (*nats.Conn, error) {
	t.Helper()
	socket, err := n.Dial(t.Context())
	must(t, err)
	t.Cleanup(func() { _ = socket.Close() })
	public, err := key.PublicKey()
	must(t, err)
	return nats.Connect("nats://control.plane", append(options, nats.SetCustomDialer(dialer{socket}), nats.SkipHostLookup(),
		nats.NoReconnect(), nats.Nkey(public, key.Sign))...)
}

type dialer struct{ conn net.Conn }

func (d dialer) Dial(string, string) (net.Conn, error) { return d.conn, nil }

// externalServer runs NATS from the configuration that we ship, on a free port.
func externalServer(t *testing.T, keys embedded.Keys) (address string) {
	t.Helper()
	variables, err := keys.Environment()
	must(t, err)
	for _, line := range strings.Fields(variables) {
		name, value, _ := strings.Cut(line, "=")
		t.Setenv(name, value)
	}
	text, err := os.ReadFile("../../deploy/nats.conf")
	must(t, err)
	config := filepath.Join(t.TempDir(), "nats.conf")
	replaced := strings.NewReplacer("/data/jetstream", t.TempDir(), "port: 4222", "listen: 127.0.0.1:-1").Replace(string(text))
	must(t, os.WriteFile(config, []byte(replaced), 0o600))
	options, err := server.ProcessConfigFile(config)
	must(t, err)
	options.NoSigs, options.NoLog = true, true
	ns, err := server.NewServer(options)
	must(t, err)
	ns.Start()
	t.Cleanup(func() {
		ns.Shutdown()
		ns.WaitForShutdown()
	})
	if !ns.ReadyForConnections(10 * time.Second) {
		t.Fatal("server not ready")
	}
	return "nats://" + ns.Addr().String()
}
