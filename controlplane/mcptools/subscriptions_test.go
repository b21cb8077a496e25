package mcptools

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
)

// news collects what a client is told of.
type news struct {
	mu   sync.Mutex // guards the fields below
	uris []string
	acks []string // what a listening client was told there will be news of
}

func newsOf(c *client.Client) *news {
	n := &news{}
	c.OnNotification(func(notification mcp.JSONRPCNotification) {
		n.mu.Lock()
		defer n.mu.Unlock()
		switch notification.Method {
		case mcp.MethodNotificationResourceUpdated:
			n.uris = append(n.uris, fmt.Sprint(notification.Params.AdditionalFields["uri"]))
		case mcp.MethodNotificationSubscriptionsAcknowledged:
			established, _ := at(notification.Params.AdditionalFields, "notifications", "resourceSubscriptions").([]any)
			n.acks = append(n.acks, fmt.Sprint(established))
		}
	})
	return n
}

func (n *news) told() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.uris)
}

func (n *news) acknowledged() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.acks)
}

// eventually waits until what is said holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// follow subscribes in the way of the client's era, and returns when the server knows of it.
func (w *world) follow(t *testing.T, c *client.Client, n *news, version string, uris ...string) {
	t.Helper()
	if !mcp.IsModernProtocol(version) {
		for _, uri := range uris {
			if err := subscribe(t, c, uri); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	stop, err := c.ListenAsync(t.Context(), mcp.SubscriptionFilter{ResourceSubscriptions: uris}, func(err error) { t.Log(err) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	eventually(t, "the acknowledgement", func() bool { return len(n.acknowledged()) > 0 })
}

func subscribe(t *testing.T, c *client.Client, uri string) error {
	t.Helper()
	return c.Subscribe(t.Context(), mcp.SubscribeRequest{Params: mcp.SubscribeParams{URI: uri}}) //nolint:staticcheck // as old clients do
}

// Who may read a resource hears of its changes, on whatever replica he listens, and nobody else does, whatever he asks
// to hear of.
func TestSubscriptions(t *testing.T) {
	w := newWorld(t)
	elsewhere := w.replica()
	inEras(t, func(t *testing.T, version string) {
		mine, other := w.start("mine"), w.start("other")
		id := textAt(w.must("get_session_status", args{"session_id": mine}), "session", "session_id")
		byHandle, byID := "session://"+mine+"/transcript", "session://"+id+"/screen"
		alice, bob := elsewhere.dialEra("alice", version), elsewhere.dialEra("bob", version)
		hers, his := newsOf(alice), newsOf(bob)
		w.follow(t, alice, hers, version, byHandle, byID)
		if mcp.IsModernProtocol(version) {
			w.follow(t, bob, his, version, byHandle, byID)
			if acks := his.acknowledged(); len(acks) != 1 || acks[0] != "[]" {
				t.Errorf("bob was promised %v", acks)
			}
		} else if err := subscribe(t, bob, byID); err == nil {
			t.Error("bob could subscribe")
		}

		w.must("send_message", args{"session_id": other, "message": "not of this"})
		began := time.Now()
		for i := range 5 {
			w.must("send_message", args{"session_id": mine, "message": fmt.Sprint("change ", i), "wait_seconds": 20})
		}
		eventually(t, "news of both resources", func() bool {
			return slices.Contains(hers.told(), byHandle) && slices.Contains(hers.told(), byID)
		})
		if most := int(time.Since(began)/time.Second) + 2; len(hers.told()) > 2*most {
			t.Errorf("%d notifications in %v", len(hers.told()), time.Since(began))
		}
		for _, uri := range hers.told() {
			if uri != byHandle && uri != byID {
				t.Errorf("alice was told of %s", uri)
			}
		}
		if told := his.told(); len(told) > 0 {
			t.Errorf("bob was told of %v", told)
		}
	})
}

func TestHostSubscription(t *testing.T) {
	w := newWorld(t)
	inEras(t, func(t *testing.T, version string) {
		host := w.enrol("mac-"+strings.ReplaceAll(version, "-", ""), "alice")
		c := w.dialEra("alice", version)
		n := newsOf(c)
		uri := "host://" + string(host.id) + "/status"
		w.follow(t, c, n, version, uri)
		host.leave()
		eventually(t, "news of the host", func() bool { return slices.Contains(n.told(), uri) })
	})
}

// A share that ends, ends what was heard through it.
func TestWithdrawnShare(t *testing.T) {
	w := newWorld(t)
	handle := w.start("shared")
	uri := "session://" + handle + "/transcript"
	inEras(t, func(t *testing.T, version string) {
		if err := w.fleet.ShareHost(t.Context(), manager("alice"), "macbook", "bob", fleet.AccessViewer); err != nil {
			t.Fatal(err)
		}
		alice, bob := w.dialEra("alice", version), w.dialEra("bob", version)
		hers, his := newsOf(alice), newsOf(bob)
		w.follow(t, alice, hers, version, uri)
		w.follow(t, bob, his, version, uri)
		w.must("send_message", args{"session_id": handle, "message": "one", "wait_seconds": 20})
		eventually(t, "news for bob", func() bool { return len(his.told()) > 0 })

		if err := w.fleet.ShareHost(t.Context(), manager("alice"), "macbook", "bob", fleet.AccessNone); err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond) // what was on its way arrives
		heard, before := len(his.told()), len(hers.told())
		w.must("send_message", args{"session_id": handle, "message": "two", "wait_seconds": 20})
		eventually(t, "news for alice", func() bool { return len(hers.told()) > before })
		time.Sleep(2 * time.Second) // as long again as news take
		if told := his.told(); len(told) > heard {
			t.Errorf("bob was told of %v after the share had ended", told[heard:])
		}
	})
}

// A subscription ends with its client's token.
func TestRevokedListener(t *testing.T) {
	w := newWorld(t)
	handle := w.start("web-app")
	c := w.dial("alice-laptop")
	n := newsOf(c)
	ended := make(chan error, 1)
	go func() {
		ended <- c.Listen(t.Context(), mcp.SubscriptionFilter{ResourceSubscriptions: []string{"session://" + handle + "/transcript"}})
	}()
	eventually(t, "the acknowledgement", func() bool { return len(n.acknowledged()) > 0 })
	w.revoked.Store(auth.Secret("alice-laptop"), true)
	select {
	case err := <-ended:
		if errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	case <-time.After(15 * time.Second):
		t.Error("the stream outlives its token")
	}
}

// What happens while a legacy client's stream is broken is told when it opens the next one.
func TestMissedNews(t *testing.T) {
	w := newWorld(t)
	handle := w.start("web-app")
	uri := "session://" + handle + "/transcript"
	session := w.openSession("alice")
	if answer := w.inSession("alice", session, "resources/subscribe", args{"uri": uri}); answer.Error.Code != 0 || answer.Result == nil {
		t.Fatal(answer.raw)
	}
	w.must("send_message", args{"session_id": handle, "message": "while away", "wait_seconds": 20})
	if event := w.firstEvent(session); !strings.Contains(event, uri) {
		t.Errorf("the stream began with %s", event)
	}
	if answer := w.inSession("alice", session, "resources/unsubscribe", args{"uri": uri}); answer.Error.Code != 0 {
		t.Error(answer.raw)
	}
	if answer := w.inSession("alice", session, "resources/unsubscribe", args{"uri": "host://nothing/status"}); answer.Error.Code != 0 {
		t.Error(answer.raw)
	}
}

// A stream has news of the first resources that it asks for, however many those are.
func TestListenLimit(t *testing.T) {
	w := newWorld(t)
	c := w.dial("alice")
	n := newsOf(c)
	wanted := []string{"host://macbook/status"}
	for range maxSubscriptions {
		wanted = append(wanted, "session://nothing/screen")
	}
	w.follow(t, c, n, protocols[0], append(wanted, "host://"+string(w.host.id)+"/status")...)
	if acks := n.acknowledged(); len(acks) != 1 || acks[0] != "[host://macbook/status]" {
		t.Errorf("promised %v", acks)
	}
}

// firstEvent opens a legacy session's stream and returns what comes first.
func (w *world) firstEvent(session string) string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 15*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+"/mcp", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header = http.Header{"Authorization": {"Bearer alice"}, "Accept": {"text/event-stream"}, mcp.HeaderSessionID: {session}}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if event, ok := strings.CutPrefix(lines.Text(), "data: "); ok && event != "" { // the first has only an id
			return event
		}
	}
	return "nothing"
}

func TestSubscriptionLimits(t *testing.T) {
	w := newWorld(t)
	handle := w.start("web-app")
	session := w.openSession("alice")
	// One resource has many spellings, and each is a subscription.
	spelling := func(i int) string {
		name := ""
		for at, letter := range []byte(handle) {
			if i&(1<<at) != 0 {
				name += fmt.Sprintf("%%%02x", letter)
			} else {
				name += string(letter)
			}
		}
		return "session://" + name + "/transcript"
	}
	for i := range maxSubscriptions {
		if answer := w.inSession("alice", session, "resources/subscribe", args{"uri": spelling(i)}); answer.Error.Code != 0 {
			t.Fatalf("subscription %d: %s", i, answer.raw)
		}
	}
	if answer := w.inSession("alice", session, "resources/subscribe", args{"uri": spelling(maxSubscriptions)}); answer.Error.Code != mcp.INVALID_PARAMS {
		t.Errorf("one too many: %s", answer.raw)
	}
	if answer := w.inSession("alice", session, "resources/subscribe", args{"uri": spelling(0)}); answer.Error.Code != 0 {
		t.Errorf("the same again: %s", answer.raw)
	}
	if answer := w.rpc("alice", protocols[1], "resources/subscribe", args{"uri": spelling(0)}); answer.Error.Code != mcp.INVALID_REQUEST {
		t.Errorf("without a session: %s", answer.raw)
	}
	if answer := w.inSession("bob", session, "resources/subscribe", args{"uri": spelling(0)}); answer.status != 404 {
		t.Errorf("in another's session: %d %s", answer.status, answer.raw)
	}
	if answer := w.rpc("alice", protocols[0], "resources/subscribe", args{"uri": spelling(0)}); answer.Error.Code != mcp.METHOD_NOT_FOUND {
		t.Errorf("in the new era: %d %s", answer.status, answer.raw)
	}
}
