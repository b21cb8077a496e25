package link_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"switchboard/controlplane/dispatch"
	"switchboard/hostagent/link"
	"switchboard/hostagent/protocol"
)

func TestCommandIsAnswered(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	p := newPlane(t)
	defer p.https.Close()
	defer p.stop()
	l := p.link(t, "alpha", p.enrol(t, "alpha"), newScript())
	link.Handle(l, protocol.ReadScreen, func(_ context.Context, r protocol.ReadScreenRequest) (protocol.ReadScreenReply, error) {
		switch r.Session {
		case "refused":
			return protocol.ReadScreenReply{}, fmt.Errorf("screen: %w", protocol.Errorf(protocol.CodeNotFound, "no such session"))
		case "failed":
			return protocol.ReadScreenReply{}, errors.New("secret path")
		case "panics":
			panic("on purpose")
		}
		return protocol.ReadScreenReply{Title: string(r.Session)}, nil
	})
	link.Handle(l, protocol.SendMessage, func(context.Context, protocol.SendMessageRequest) (protocol.SendMessageReply, error) {
		return protocol.SendMessageReply{}, nil
	})
	stop, _ := running(t, l)
	p.await(t, "the host says hello", func() bool { return p.hellos > 0 })

	hosts := dispatch.Hosts{Conn: p.conn}
	for _, test := range []struct {
		session protocol.SessionID
		want    string
		code    protocol.Code
	}{
		{session: "fine", want: "fine"},
		{session: "refused", code: protocol.CodeNotFound},
		{session: "failed", code: protocol.CodeInternal},
		{session: "panics", code: protocol.CodeInternal},
	} {
		t.Run(string(test.session), func(t *testing.T) {
			reply, err := dispatch.Call(t.Context(), hosts, "alpha", protocol.ReadScreen, protocol.ReadScreenRequest{Session: test.session})
			if diff := cmp.Diff(code(err), test.code); diff != "" || reply.Title != test.want {
				t.Errorf("title %q, error %v: %s", reply.Title, err, diff)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("an unexpected error's text crossed: %v", err)
			}
		})
	}
	t.Run("unknown command", func(t *testing.T) {
		_, err := dispatch.Call(t.Context(), hosts, "alpha", protocol.ReadChanges, protocol.ReadChangesRequest{})
		if code(err) != protocol.CodeInvalid {
			t.Errorf("error %v, want %s", err, protocol.CodeInvalid)
		}
	})
	t.Run("overdue", func(t *testing.T) {
		late := protocol.SendMessageRequest{Act: protocol.Act{Deadline: time.Now().Add(-2 * time.Minute)}}
		_, err := dispatch.Call(t.Context(), hosts, "alpha", protocol.SendMessage, late)
		if code(err) != protocol.CodeUnavailable {
			t.Errorf("error %v, want %s", err, protocol.CodeUnavailable)
		}
	})
	t.Run("overdue by the control plane's clock", func(t *testing.T) {
		for _, ahead := range []time.Duration{time.Hour, -time.Hour} {
			hellos := 0
			p.update(func() { p.ahead, hellos = ahead, p.hellos })
			must(t, hosts.Cut("alpha"))
			p.await(t, "the host says hello again", func() bool { return p.hellos > hellos })
			for left, want := range map[time.Duration]protocol.Code{10 * time.Second: "", -2 * time.Second: protocol.CodeUnavailable} {
				p.awaitCode(t, ahead, left, want)
			}
		}
	})
	t.Run("offline at once", func(t *testing.T) {
		_, err := dispatch.Call(t.Context(), hosts, "beta", protocol.ReadScreen, protocol.ReadScreenRequest{})
		if !errors.Is(err, dispatch.ErrOffline) {
			t.Errorf("error %v, want %v", err, dispatch.ErrOffline)
		}
	})
	if err := stop(); err != nil {
		t.Errorf("Run = %v after an orderly stop", err)
	}
	p.await(t, "the host has left and its connection is gone", func() bool { return len(p.left) > 0 && len(p.away) > 0 })
}

// awaitCode sends messages with so much time left, by a clock that is so far ahead, until the answer has this code. That
// the host has heard the answer to its hello shows only here.
func (p *plane) awaitCode(t *testing.T, ahead, left time.Duration, want protocol.Code) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); ; {
		r := protocol.SendMessageRequest{Act: protocol.Act{Deadline: time.Now().Add(ahead + left)}}
		_, err := dispatch.Call(t.Context(), dispatch.Hosts{Conn: p.conn}, "alpha", protocol.SendMessage, r)
		if code(err) == want && (err != nil) == (want != "") {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("%s left by a clock that is %s ahead: error %v, want code %q", left, ahead, err, want)
		}
	}
}

func code(err error) protocol.Code {
	var refusal *protocol.Error
	if errors.As(err, &refusal) {
		return refusal.Code
	}
	return ""
}

// TestNoEventLostOrDoubled restarts the control plane's side again and again while events are made, and lets it
// refuse them for a while.
func TestNoEventLostOrDoubled(t *testing.T) {
	p := newPlane(t)
	source := newScript()
	sessions := []protocol.SessionID{protocol.NewSessionID(), protocol.NewSessionID(), protocol.NewSessionID()}
	made := 0
	add := func(n int) {
		for range n {
			made++
			for _, id := range sessions {
				source.add(id, fmt.Sprint("entry ", made, strings.Repeat("x", made%5*1000)))
			}
		}
	}
	add(150)
	stop, _ := running(t, p.link(t, "alpha", p.enrol(t, "alpha"), source))
	for round := 1; round <= 3; round++ {
		p.await(t, "the host says hello", func() bool { return p.hellos >= round })
		add(250)
		p.stop()
		add(50)
		p.start(t)
	}
	p.update(func() { p.refusing = true })
	add(1)
	p.update(func() { p.refusing = false })
	p.await(t, "all is committed", func() bool {
		for _, id := range sessions {
			if len(p.committed[id]) < made {
				return false
			}
		}
		return true
	})
	must(t, stop())
	for _, id := range sessions {
		want, err := source.Events(id, 0, made)
		must(t, err)
		if diff := cmp.Diff(lines(p.committed[id]), lines(want)); diff != "" {
			t.Errorf("session %s: committed and made differ:\n%.2000s", id, diff)
		}
	}
}

// TestAdoptedSessionIsIntroduced: before its events, once, and to a control plane that does not know such sessions as
// soon as that is upgraded; the others' events do not wait for it.
func TestAdoptedSessionIsIntroduced(t *testing.T) {
	p := newPlane(t)
	p.stop()
	p.older = true
	p.start(t)
	source := newScript()
	source.adopted = protocol.NewSessionID()
	other := protocol.NewSessionID()
	source.add(source.adopted, "first words")
	source.add(other, "hello")
	stop, _ := running(t, p.link(t, "alpha", p.enrol(t, "alpha"), source))
	p.await(t, "the other's events are committed", func() bool { return len(p.committed[other]) == 1 })
	p.stop()
	p.update(func() {
		if len(p.committed[source.adopted]) > 0 {
			t.Error("events of a session came that nobody had heard of")
		}
		p.older = false
	})
	p.start(t)
	p.await(t, "the adopted one's are committed", func() bool { return len(p.committed[source.adopted]) == 1 })
	source.add(source.adopted, "more words")
	p.await(t, "the adopted one goes on", func() bool { return len(p.committed[source.adopted]) == 2 })
	must(t, stop())
	if got := p.adopted[source.adopted]; got != 1 || p.adopted[other] != 0 {
		t.Errorf("adopted %v, want that one once", p.adopted)
	}
}

// lines is what of events is compared: quicker than byte for byte.
func lines(events []protocol.Event) []string {
	var lines []string
	for _, event := range events {
		lines = append(lines, fmt.Sprintf("%d %s %s", event.Seq, event.Kind, event.Body))
	}
	return lines
}

func TestRemovalCutsAndBars(t *testing.T) {
	p := newPlane(t)
	key := p.enrol(t, "alpha")
	_, ended := running(t, p.link(t, "alpha", key, newScript()))
	_, otherEnded := running(t, p.link(t, "beta", p.enrol(t, "beta"), newScript()))
	p.await(t, "both hosts say hello", func() bool { return len(p.greeted) == 2 })
	public, err := key.PublicKey()
	must(t, err)
	p.update(func() { delete(p.hosts, public) })
	must(t, dispatch.Hosts{Conn: p.conn}.Cut("alpha"))
	if err := <-ended; !errors.Is(err, link.ErrRemoved) {
		t.Errorf("Run = %v, want %v", err, link.ErrRemoved)
	}
	p.await(t, "the host is known to be away", func() bool { return slices.Contains(p.away, "alpha") })
	select {
	case err := <-otherEnded:
		t.Errorf("another host's link ended too: %v", err)
	default:
	}
	barred := p.link(t, "alpha", key, newScript())
	if err := barred.Try(t.Context()); !errors.Is(err, link.ErrRemoved) {
		t.Errorf("Try = %v, want %v", err, link.ErrRemoved)
	}
	if err := barred.Ask(t.Context()); !errors.Is(err, link.ErrRemoved) {
		t.Errorf("Ask = %v, want %v", err, link.ErrRemoved)
	}
}

func TestNewerConnectionFencesOlder(t *testing.T) {
	p := newPlane(t)
	key := p.enrol(t, "alpha")
	older := p.link(t, "alpha", key, newScript())
	stop, _ := running(t, older)
	p.await(t, "the first says hello", func() bool { return p.hellos > 0 })
	must(t, p.link(t, "alpha", key, newScript()).Ask(t.Context()))
	for p.link(t, "alpha", key, newScript()).Try(t.Context()) != nil { // the first may be back before the greeting is over
	}
	p.await(t, "the first is back", func() bool { return p.hellos > 1 })
	must(t, stop())
}

func TestThroughProxy(t *testing.T) {
	p := newPlane(t)
	var asked []string
	proxy := httptest.NewServer(connectProxy(t, &asked))
	defer proxy.Close()
	address, err := url.Parse(proxy.URL)
	must(t, err)
	address.User = url.UserPassword("dev", "secret")
	l := p.link(t, "alpha", p.enrol(t, "alpha"), newScript())
	l.Transport.Proxy = http.ProxyURL(address)
	must(t, l.Try(t.Context()))
	want := []string{strings.TrimPrefix(p.https.URL, "https://")}
	if diff := cmp.Diff(asked, want); diff != "" {
		t.Errorf("the proxy was asked for (-got +want):\n%s", diff)
	}
}

func TestManyHosts(t *testing.T) {
	const hosts = 50
	p := newPlane(t)
	var stops []func() error
	for i := range hosts {
		host := protocol.HostID(fmt.Sprintf("host-%d", i))
		l := p.link(t, host, p.enrol(t, host), newScript())
		link.Handle(l, protocol.ReadScreen, func(context.Context, protocol.ReadScreenRequest) (protocol.ReadScreenReply, error) {
			return protocol.ReadScreenReply{Title: string(host)}, nil
		})
		stop, _ := running(t, l)
		stops = append(stops, stop)
	}
	p.await(t, "all say hello", func() bool { return len(p.greeted) == hosts })
	for i := range hosts {
		host := protocol.HostID(fmt.Sprintf("host-%d", i))
		reply, err := dispatch.Call(t.Context(), dispatch.Hosts{Conn: p.conn}, host, protocol.ReadScreen, protocol.ReadScreenRequest{})
		if err != nil || reply.Title != string(host) {
			t.Errorf("%s answered %q, %v", host, reply.Title, err)
		}
	}
	for _, stop := range stops {
		must(t, stop())
	}
}

// old is a host on which many sessions have ended.
type old struct {
	*script
	ended []protocol.Session
}

func (o old) Sessions() []protocol.Session {
	return append(slices.Clone(o.ended), o.script.Sessions()...)
}

// TestOldHostIsHeard has more ended sessions than fit into one message.
func TestOldHostIsHeard(t *testing.T) {
	p := newPlane(t)
	source := old{script: newScript()}
	const ended = 3000
	for range ended {
		id := protocol.NewSessionID()
		source.ended = append(source.ended, protocol.Session{
			ID: id, Name: "web-app", Agent: "claude", WorkingDir: "/home/dev/" + strings.Repeat("project/", 10),
			State: protocol.StateExited, Evidence: "process exit, code 0", ExitReason: "process exit, code 0", LastSeq: 2,
		})
	}
	live := protocol.NewSessionID()
	source.add(live, "hello")
	stop, _ := running(t, p.link(t, "alpha", p.enrol(t, "alpha"), source))
	p.await(t, "the host is heard", func() bool { return p.greeted["alpha"] })
	p.await(t, "the live session's event is committed", func() bool { return len(p.committed[live]) == 1 })
	for source.has(t) != live {
	}
	must(t, stop())
}
