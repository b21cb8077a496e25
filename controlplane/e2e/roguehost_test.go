package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"switchboard/hostagent/protocol"
)

// rogue is a host that speaks NATS for itself, to see how far it gets.
type rogue struct {
	url, audience string
	id            protocol.HostID
	key           nkeys.KeyPair
}

// enrolRogue makes an honest enrolment for a dishonest host.
func (w *world) enrolRogue(t *testing.T, owner person, name string) rogue {
	t.Helper()
	key, err := nkeys.CreateUser()
	must(t, err)
	public, err := key.PublicKey()
	must(t, err)
	token, err := owner.browser.JoinToken(t.Context(), name)
	must(t, err)
	request := protocol.EnrolRequest{Version: protocol.Version, Token: token, NKey: public}
	reply := postEnrolment(t, w.plane.URL(), request, http.StatusOK)
	// A machine that missed the answer may ask again; another machine may not.
	postEnrolment(t, w.plane.URL(), request, http.StatusOK)
	other, err := nkeys.CreateUser()
	must(t, err)
	request.NKey, err = other.PublicKey()
	must(t, err)
	postEnrolment(t, w.plane.URL(), request, http.StatusForbidden)
	return rogue{url: w.plane.URL(), audience: reply.Audience, id: reply.Host, key: key}
}

func postEnrolment(t *testing.T, address string, r protocol.EnrolRequest, want int) (reply protocol.EnrolReply) {
	t.Helper()
	body, err := json.Marshal(r)
	must(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+protocol.EnrolPath, bytes.NewReader(body))
	must(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	if resp.StatusCode != want {
		t.Errorf("enrolment: %s, want %d", resp.Status, want)
	}
	if want == http.StatusOK {
		must(t, json.NewDecoder(resp.Body).Decode(&reply))
	}
	return reply
}

// proof shows that we hold the key.
func (r rogue) proof(t *testing.T, audience string) protocol.Proof {
	t.Helper()
	public, err := r.key.PublicKey()
	must(t, err)
	proof := protocol.Proof{NKey: public, Audience: audience, At: time.Now(), Nonce: rand.Text()}
	proof.Signature, err = r.key.Sign(proof.Text())
	must(t, err)
	return proof
}

// open opens the WebSocket. Its answer says why not.
func (r rogue) open(t *testing.T, authorization string) (*websocket.Conn, protocol.Reason) {
	t.Helper()
	//nolint:bodyclose // the library says that there is no need to
	socket, resp, err := websocket.Dial(t.Context(), r.url+protocol.ConnectPath, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {authorization}}, CompressionMode: websocket.CompressionDisabled,
	})
	if err == nil {
		t.Cleanup(func() { _ = socket.CloseNow() }) // mostly closed before, by either side
		return socket, ""
	}
	if resp == nil {
		t.Fatal(err)
	}
	return nil, protocol.Reason(resp.Header.Get(protocol.ReasonHeader))
}

// dialed hands nats.go a connection that is there already.
type dialed struct{ net.Conn }

func (d dialed) Dial(string, string) (net.Conn, error) { return d.Conn, nil }

// connect speaks NATS and collects what the server does not allow.
func (r rogue) connect(t *testing.T) (conn *nats.Conn, refused func() string) {
	t.Helper()
	socket, reason := r.open(t, r.proof(t, r.audience).Header())
	if socket == nil {
		t.Fatalf("not let in: %s", reason)
	}
	public, err := r.key.PublicKey()
	must(t, err)
	var mu sync.Mutex // guards said
	var said []string
	conn, err = nats.Connect("nats://control.plane", nats.SkipHostLookup(), nats.NoReconnect(),
		nats.SetCustomDialer(dialed{websocket.NetConn(context.WithoutCancel(t.Context()), socket, websocket.MessageBinary)}),
		nats.Nkey(public, r.key.Sign), nats.CustomInboxPrefix(protocol.InboxPrefix(r.id)),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			mu.Lock()
			defer mu.Unlock()
			said = append(said, err.Error())
		}))
	must(t, err)
	t.Cleanup(conn.Close)
	return conn, func() string {
		mu.Lock()
		defer mu.Unlock()
		return strings.Join(said, "\n")
	}
}

// TestRogueHost lets an enrolled host reach for what is another's.
func TestRogueHost(t *testing.T) {
	w := newWorld(t)
	studio := w.addHost(t, w.admin, "studio")
	s := w.admin.start(t, args{"name": "web-app", "working_dir": studio.Project()})
	victim, err := findHost(t.Context(), w.admin, "studio")
	must(t, err)
	mallory := w.enrolRogue(t, w.admin, "mallory")
	conn, refused := mallory.connect(t)
	other := "v1.host." + victim.ID

	subjects := []string{
		">", "v1.>", "v1.host.*.command.>", other + ".>", other + ".command.>", other + ".command.send_message",
		other + ".event.>", "*.*.*.*.*", "_INBOX.>", protocol.InboxPrefix(protocol.HostID(victim.ID)) + ".>", "$SYS.>", "$JS.>", "v1.changes.>",
	}
	for _, subject := range subjects {
		_, err := conn.SubscribeSync(subject)
		must(t, err)
		must(t, conn.Flush())
		wantRefused(t, refused, `Subscription to "`+subject+`"`)
	}
	for _, subject := range []string{
		other + ".event.hello", other + ".event.heartbeat", other + ".event.events", other + ".event.leaving",
		other + ".command.terminate_session", "v1.host." + string(mallory.id) + ".command.send_message",
		"$SYS.REQ.SERVER.PING", "$JS.API.INFO", "_INBOX.x",
	} {
		must(t, conn.Publish(subject, []byte(`{}`)))
		must(t, conn.Flush())
		wantRefused(t, refused, `Publish to "`+subject+`"`)
	}
	awaitState(t, w.admin, s.ID, "idle")

	t.Run("events about another host's session", func(t *testing.T) {
		event := `{"session_id":"` + s.ID + `","events":[{"session_id":"` + s.ID + `","seq":999}]}`
		reply, err := conn.RequestWithContext(t.Context(), "v1.host."+string(mallory.id)+".event.events", []byte(event))
		if err == nil && !strings.Contains(string(reply.Data)+reply.Header.Get("Switchboard-Error"), "not") {
			t.Logf("the answer is %s %v", reply.Data, reply.Header)
		}
		awaitState(t, w.admin, s.ID, "idle")
		w.admin.send(t, s.ID, "fake:text not disturbed")
	})
	t.Run("proofs", func(t *testing.T) {
		used := mallory.proof(t, mallory.audience).Header()
		socket, reason := mallory.open(t, used)
		if socket == nil {
			t.Fatalf("a good proof is refused: %s", reason)
		}
		stranger := mallory
		stranger.key, err = nkeys.CreateUser()
		must(t, err)
		late := mallory.proof(t, mallory.audience)
		late.At = late.At.Add(-time.Hour)
		late.Signature, err = mallory.key.Sign(late.Text())
		must(t, err)
		forged := mallory.proof(t, mallory.audience)
		forged.Signature, err = stranger.key.Sign(forged.Text())
		must(t, err)
		for _, test := range []struct {
			name, header string
			want         protocol.Reason
		}{
			{"none", "", protocol.ReasonProof},
			{"a bearer token", "Bearer " + w.admin.tokens.Access, protocol.ReasonProof},
			{"used before", used, protocol.ReasonProof},
			{"for another control plane", mallory.proof(t, "https://elsewhere.example").Header(), protocol.ReasonProof},
			{"by another key", forged.Header(), protocol.ReasonProof},
			{"late", late.Header(), protocol.ReasonClock},
			{"a stranger's", stranger.proof(t, mallory.audience).Header(), protocol.ReasonRemoved},
		} {
			if _, reason := mallory.open(t, test.header); reason != test.want {
				t.Errorf("%s: reason %q, want %q", test.name, reason, test.want)
			}
		}
	})
	t.Run("removed", func(t *testing.T) {
		conn, _ := mallory.connect(t) // a host's newest connection ends those before
		gone := make(chan struct{})
		conn.SetClosedHandler(func(*nats.Conn) { close(gone) })
		must(t, w.admin.browser.RemoveHost(t.Context(), string(mallory.id)))
		select {
		case <-gone:
		case <-time.After(time.Minute):
			t.Error("the connection of a removed host lives on")
		}
		if _, reason := mallory.open(t, mallory.proof(t, mallory.audience).Header()); reason != protocol.ReasonRemoved {
			t.Errorf("a removed host comes back: reason %q", reason)
		}
	})
}

func wantRefused(t *testing.T, refused func() string, what string) {
	t.Helper()
	await(t, "the refusal of a "+what, func(context.Context) (bool, error) {
		said := refused()
		return strings.Contains(strings.ToLower(said), strings.ToLower(what)), errors.New(said)
	})
}
