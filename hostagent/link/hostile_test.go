package link_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"switchboard/controlplane/dispatch"
	"switchboard/hostagent/link"
	"switchboard/hostagent/protocol"
)

// hostile is the enrolled host evil, whose agent says to NATS whatever it likes.
type hostile struct {
	conn     *nats.Conn
	refusals chan error // of what it published or subscribed to
}

func (p *plane) hostile(t *testing.T) hostile {
	t.Helper()
	const host = protocol.HostID("evil")
	key := p.enrol(t, host)
	public, err := key.PublicKey()
	must(t, err)
	h := hostile{refusals: make(chan error, 100)}
	h.conn, err = nats.Connect("nats://control.plane", nats.SetCustomDialer(p.socket(t, p.proof(t, key, time.Now()))), nats.SkipHostLookup(),
		nats.NoReconnect(), nats.Nkey(public, key.Sign), nats.CustomInboxPrefix(protocol.InboxPrefix(host)),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { h.refusals <- err }))
	must(t, err)
	t.Cleanup(h.conn.Close)
	return h
}

func (p *plane) proof(t *testing.T, key nkeys.KeyPair, at time.Time) protocol.Proof {
	t.Helper()
	public, err := key.PublicKey()
	must(t, err)
	audience, err := p.keys.Audience()
	must(t, err)
	proof := protocol.Proof{NKey: public, Audience: audience, At: at, Nonce: protocol.NewID()}
	proof.Signature, err = key.Sign(proof.Text())
	must(t, err)
	return proof
}

// socket opens the bridge with a proof, as a dialer for nats.go.
func (p *plane) socket(t *testing.T, proof protocol.Proof) dialer {
	t.Helper()
	socket, _, err := p.open(proof.Header()) //nolint:bodyclose // the library says that there is no need to
	must(t, err)
	return dialer{websocket.NetConn(context.Background(), socket, websocket.MessageBinary)}
}

func (p *plane) open(authorization string) (*websocket.Conn, *http.Response, error) {
	header := http.Header{}
	if authorization != "" {
		header.Set("Authorization", authorization)
	}
	return websocket.Dial(context.Background(), p.https.URL+protocol.ConnectPath, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: p.transport()}, HTTPHeader: header})
}

type dialer struct{ conn net.Conn }

func (d dialer) Dial(string, string) (net.Conn, error) { return d.conn, nil }

func TestHostilePublishes(t *testing.T) {
	p := newPlane(t)
	evil := p.hostile(t)
	heard, err := p.conn.SubscribeSync(">")
	must(t, err)
	must(t, p.conn.Flush())
	for _, subject := range []string{
		protocol.EventSubject("alpha", "events"),
		protocol.EventSubject("alpha", "hello"),
		protocol.CommandSubject("alpha", "send_message"),
		protocol.CommandSubject("evil", "send_message"),
		protocol.CutSubject("alpha"),
		protocol.InboxPrefix("alpha") + ".x",
		protocol.InboxPrefix("evil") + ".x",
		"v1.change.alpha.x",
		"_INBOX.x",
		"$JS.API.STREAM.CREATE.x",
		"$SYS.REQ.USER.AUTH",
		"$SYS.REQ.SERVER.PING",
	} {
		t.Run(subject, func(t *testing.T) {
			must(t, evil.conn.Publish(subject, []byte("forged")))
			must(t, evil.conn.Flush())
			if err := <-evil.refusals; !strings.Contains(err.Error(), "ermissions violation") {
				t.Errorf("refused with %v", err)
			}
		})
	}
	// What it may say arrives after all that it may not, so nothing of that can still be on its way.
	must(t, evil.conn.Publish(protocol.EventSubject("evil", "anything"), []byte("own")))
	for {
		message, err := heard.NextMsg(10 * time.Second)
		must(t, err)
		if string(message.Data) == "forged" {
			t.Errorf("%s came through", message.Subject)
		}
		if string(message.Data) == "own" {
			return
		}
	}
}

// TestHostileReplyTo lets a host name another's subjects for the answers to its own reports. The control plane may
// publish anywhere: such an answer would be the other host's own hello or leaving.
func TestHostileReplyTo(t *testing.T) {
	p := newPlane(t)
	evil := p.hostile(t)
	heard, err := p.conn.SubscribeSync("v1.host.alpha.>")
	must(t, err)
	must(t, p.conn.Flush())
	leaving := protocol.EventSubject("evil", protocol.Leaving.Name)
	for _, reply := range []string{
		protocol.EventSubject("alpha", protocol.Leaving.Name),
		protocol.EventSubject("alpha", protocol.Hello.Name),
		protocol.CommandSubject("alpha", protocol.TerminateSession.Name),
	} {
		must(t, evil.conn.PublishRequest(leaving, reply, []byte("{}")))
	}
	_, err = evil.conn.Request(leaving, []byte("{}"), 10*time.Second)
	must(t, err)
	p.stopReports() // returns when all that was begun is done
	must(t, p.conn.Flush())
	if n, _, err := heard.Pending(); err != nil || n > 0 {
		message, _ := heard.NextMsg(time.Second)
		t.Errorf("%d answers went to another host's subjects (%v), such as %s", n, err, message.Subject)
	}
}

func TestHostileSubscribes(t *testing.T) {
	p := newPlane(t)
	evil := p.hostile(t)
	for _, subject := range []string{
		">", "*", "v1.>", "v1.host.*.command.>", "v1.host.*.command.send_message", "v1.host.*.event.>",
		protocol.AllCommands("alpha"), protocol.AllEvents("alpha"), protocol.AllEvents("evil"),
		protocol.InboxPrefix("alpha") + ".>", "_INBOX.>", "_INBOX_*.>", "v1.change.>", "v1.control.>", "$SYS.>", "$JS.>",
	} {
		for _, queue := range []string{"", "controlplane"} {
			t.Run(subject+" "+queue, func(t *testing.T) {
				_, err := evil.conn.QueueSubscribeSync(subject, queue)
				must(t, err)
				must(t, evil.conn.Flush())
				if err := <-evil.refusals; !strings.Contains(err.Error(), "ermissions violation") {
					t.Errorf("refused with %v", err)
				}
			})
		}
	}
}

// TestHostileAnswers lets a host try to answer what another one was asked, and to answer twice.
func TestHostileAnswers(t *testing.T) {
	p := newPlane(t)
	evil := p.hostile(t)
	inbox := make(chan string, 1)
	alpha := p.link(t, "alpha", p.enrol(t, "alpha"), newScript())
	link.Handle(alpha, protocol.ReadScreen, func(context.Context, protocol.ReadScreenRequest) (protocol.ReadScreenReply, error) {
		must(t, evil.conn.Publish(<-inbox, []byte(`{"title":"forged"}`)))
		must(t, evil.conn.Flush())
		if err := <-evil.refusals; err == nil {
			t.Error("another's inbox was published to")
		}
		return protocol.ReadScreenReply{Title: "true"}, nil
	})
	stop, _ := running(t, alpha)
	p.await(t, "the host says hello", func() bool { return p.hellos > 0 })
	tap, err := p.conn.Subscribe(protocol.AllCommands("alpha"), func(m *nats.Msg) { inbox <- m.Reply })
	must(t, err)
	reply, err := dispatch.Call(t.Context(), dispatch.Hosts{Conn: p.conn}, "alpha", protocol.ReadScreen, protocol.ReadScreenRequest{})
	if err != nil || reply.Title != "true" {
		t.Errorf("reply %q, %v; want the asked host's own", reply.Title, err)
	}
	must(t, tap.Unsubscribe())
	must(t, stop())

	twice, err := evil.conn.Subscribe(protocol.AllCommands("evil"), func(m *nats.Msg) {
		_ = m.Respond([]byte("first"))
		_ = m.Respond([]byte("second"))
	})
	must(t, err)
	defer func() { must(t, twice.Unsubscribe()) }()
	must(t, evil.conn.Flush())
	_, err = p.conn.Request(protocol.CommandSubject("evil", "read_screen"), nil, 10*time.Second)
	must(t, err)
	if err := <-evil.refusals; !strings.Contains(err.Error(), "ermissions violation") {
		t.Errorf("the second answer was refused with %v", err)
	}
}

func TestBadProofs(t *testing.T) {
	p := newPlane(t)
	key := p.enrol(t, "alpha")
	stranger, err := nkeys.CreateUser()
	must(t, err)
	account, err := nkeys.CreateAccount()
	must(t, err)
	good := p.proof(t, key, time.Now())
	socket, _, err := p.open(good.Header()) //nolint:bodyclose // the library says that there is no need to
	must(t, err)
	defer func() { _ = socket.CloseNow() }()
	forged := p.proof(t, stranger, time.Now())
	forged.NKey = good.NKey
	elsewhere := p.proof(t, key, time.Now())
	elsewhere.Audience = "another"
	elsewhere.Signature, err = key.Sign(elsewhere.Text())
	must(t, err)
	later := p.proof(t, key, time.Now())
	later.At = later.At.Add(time.Second)
	for _, test := range []struct {
		name   string
		header string
		status int
		reason protocol.Reason
	}{
		{"none", "", 401, protocol.ReasonProof},
		{"another scheme", "Bearer abc", 401, protocol.ReasonProof},
		{"garbage", protocol.ProofScheme + " ....", 401, protocol.ReasonProof},
		{"huge", protocol.ProofScheme + " " + strings.Repeat("x", 10_000), 401, protocol.ReasonProof},
		{"used before", good.Header(), 401, protocol.ReasonProof},
		{"signed by another key", forged.Header(), 401, protocol.ReasonProof},
		{"for another control plane", elsewhere.Header(), 401, protocol.ReasonProof},
		{"time changed", later.Header(), 401, protocol.ReasonProof},
		{"old", p.proof(t, key, time.Now().Add(-2*protocol.ProofAge)).Header(), 401, protocol.ReasonClock},
		{"from the future", p.proof(t, key, time.Now().Add(2*protocol.ProofAge)).Header(), 401, protocol.ReasonClock},
		{"not a user's key", p.proof(t, account, time.Now()).Header(), 401, protocol.ReasonProof},
		{"unknown key", p.proof(t, stranger, time.Now()).Header(), 403, protocol.ReasonRemoved},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, response, err := p.open(test.header) //nolint:bodyclose // the library says that there is no need to
			if err == nil || response == nil {
				t.Fatalf("let in, or no answer: %v", err)
			}
			reason := protocol.Reason(response.Header.Get(protocol.ReasonHeader))
			if response.StatusCode != test.status || reason != test.reason {
				t.Errorf("answer %d %s, want %d %s", response.StatusCode, reason, test.status, test.reason)
			}
		})
	}
}

// TestHostileGreeting shows a good proof to the bridge, and something else to NATS behind it.
func TestHostileGreeting(t *testing.T) {
	p := newPlane(t)
	key := p.enrol(t, "alpha")
	stranger, err := nkeys.CreateUser()
	must(t, err)
	strangerKey, err := stranger.PublicKey()
	must(t, err)
	own, err := key.PublicKey()
	must(t, err)
	controlPlane, err := p.keys.User.PublicKey()
	must(t, err)
	old, err := key.Sign([]byte("an old nonce"))
	must(t, err)
	for _, test := range []struct {
		name    string
		connect string
	}{
		{"nobody", `{}`},
		{"no signature", fmt.Sprintf(`{"nkey":%q}`, own)},
		{"replayed signature", fmt.Sprintf(`{"nkey":%q,"sig":%q}`, own, base64.RawURLEncoding.EncodeToString(old))},
		{"another's key", fmt.Sprintf(`{"nkey":%q,"sig":%q}`, strangerKey, base64.RawURLEncoding.EncodeToString(old))},
		{"control plane's key", fmt.Sprintf(`{"nkey":%q,"sig":%q}`, controlPlane, base64.RawURLEncoding.EncodeToString(old))},
		{"user and password", `{"user":"controlplane","pass":"x"}`},
		{"garbage", `{{{{`},
		{"huge", `{"name":"` + strings.Repeat("x", 100_000) + `"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			conn := p.socket(t, p.proof(t, key, time.Now())).conn
			defer conn.Close()
			// It may be cut off before all is written.
			_, _ = fmt.Fprintf(conn, "CONNECT %s\r\nPING\r\n", test.connect)
			var heard strings.Builder
			buffer := make([]byte, 4096)
			for {
				n, err := conn.Read(buffer)
				heard.Write(buffer[:n])
				if err != nil {
					break
				}
			}
			if strings.Contains(heard.String(), "PONG") {
				t.Errorf("was let in: %s", heard.String())
			}
		})
	}
}
