package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
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

// bus is a real NATS and a control plane's connection to it.
func bus(t *testing.T) (*embedded.NATS, *nats.Conn) {
	t.Helper()
	dir := t.TempDir()
	keys, err := embedded.LoadKeys(dir)
	must(t, err)
	quiet := slog.New(slog.DiscardHandler)
	server, err := embedded.StartNATS(t.Context(), embedded.NATSConfig{Dir: dir, Keys: keys, Log: quiet})
	must(t, err)
	t.Cleanup(server.Stop)
	conn, err := server.Connect("test", quiet)
	must(t, err)
	t.Cleanup(conn.Close)
	return server, conn
}

func TestCallThatIsNotAnswered(t *testing.T) {
	_, conn := bus(t)
	hosts := dispatch.Hosts{Conn: conn}
	asked := make(chan struct{}, 1)
	_, err := conn.Subscribe(protocol.AllCommands("mute"), func(*nats.Msg) { asked <- struct{}{} })
	must(t, err)
	_, err = conn.Subscribe(protocol.AllCommands("odd"), func(m *nats.Msg) { _ = m.Respond([]byte(`[1]`)) })
	must(t, err)
	must(t, conn.Flush())

	call := func(ctx context.Context, host protocol.HostID) error {
		_, err := dispatch.Call(ctx, hosts, host, protocol.ReadScreen, protocol.ReadScreenRequest{})
		return err
	}
	if err := call(t.Context(), "nobody"); !errors.Is(err, dispatch.ErrOffline) {
		t.Errorf("host without a connection: %v, want %v", err, dispatch.ErrOffline)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	if err := call(ctx, "mute"); !errors.Is(err, dispatch.ErrNoAnswer) {
		t.Errorf("host that does not answer: %v, want %v", err, dispatch.ErrNoAnswer)
	}
	if err := call(t.Context(), "odd"); err == nil {
		t.Error("an answer of another form was taken")
	}
	conn.Close()
	if err := call(t.Context(), "mute"); !errors.Is(err, dispatch.ErrDown) {
		t.Errorf("without NATS: %v, want %v", err, dispatch.ErrDown)
	}
}

func TestReports(t *testing.T) {
	_, conn := bus(t)
	stop, err := dispatch.On(t.Context(), conn, slog.New(slog.DiscardHandler), protocol.Heartbeat,
		func(_ context.Context, host protocol.HostID, r protocol.HeartbeatRequest) (protocol.Nothing, error) {
			switch r.Sessions {
			case 1:
				return protocol.Nothing{}, protocol.Errorf(protocol.CodeRefused, "%s is refused", host)
			case 2:
				return protocol.Nothing{}, errors.New("secret")
			case 3:
				panic("on purpose")
			}
			return protocol.Nothing{}, nil
		})
	must(t, err)
	defer stop()
	for _, test := range []struct {
		name   string
		host   protocol.HostID
		body   string
		failed bool
		want   string
	}{
		{"fine", "alpha", `{"sessions":0}`, false, `{}`},
		{"refused", "alpha", `{"sessions":1}`, true, `{"code":"refused","message":"alpha is refused"}`},
		{"unexpected error", "alpha", `{"sessions":2}`, true, `{"code":"unavailable","message":"not committed; try again"}`},
		{"panic", "alpha", `{"sessions":3}`, true, `{"code":"unavailable","message":"not committed; try again"}`},
		{"garbage", "alpha", `]`, true, `{"code":"invalid","message":"report: invalid character ']' looking for beginning of value"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer, err := report(t, conn, test.host, test.body)
			must(t, err)
			failed := answer.Header.Get(protocol.ErrorHeader) != ""
			if diff := cmp.Diff(string(answer.Data), test.want); diff != "" || failed != test.failed {
				t.Errorf("answer (failed %v, -got +want):\n%s", failed, diff)
			}
		})
	}
}

// report sends a heartbeat as the host does, and waits for its answer.
func report(t *testing.T, conn *nats.Conn, host protocol.HostID, body string) (*nats.Msg, error) {
	t.Helper()
	inbox := protocol.InboxPrefix(host) + "." + protocol.NewID()
	answers, err := conn.SubscribeSync(inbox)
	must(t, err)
	must(t, conn.PublishRequest(protocol.EventSubject(host, protocol.Heartbeat.Name), inbox, []byte(body)))
	return answers.NextMsg(10 * time.Second)
}

// TestReportsThatAreDropped must neither be handled nor answered.
func TestReportsThatAreDropped(t *testing.T) {
	_, conn := bus(t)
	var handled atomic.Int64
	stop, err := dispatch.On(t.Context(), conn, slog.New(slog.DiscardHandler), protocol.Heartbeat,
		func(context.Context, protocol.HostID, protocol.HeartbeatRequest) (protocol.Nothing, error) {
			handled.Add(1)
			return protocol.Nothing{}, nil
		})
	must(t, err)
	defer stop()
	answers, err := conn.SubscribeSync(">")
	must(t, err)
	sent := 0
	for _, test := range []struct{ host, reply string }{
		{"ALPHA", "_INBOX_ALPHA.x"},
		{"alpha", "_INBOX_alpha"},
		{"alpha", "_INBOX_alpha-2.x"},
		{"alpha", "_INBOX.x"},
		{"alpha", protocol.EventSubject("beta", "hello")},
		{"alpha", protocol.EventSubject("alpha", "leaving")},
		{"alpha", protocol.CommandSubject("beta", "terminate_session")},
		{"alpha", protocol.CutSubject("beta")},
		{"alpha", "$JS.API.STREAM.DELETE.x"},
	} {
		must(t, conn.PublishRequest(protocol.EventSubject(protocol.HostID(test.host), protocol.Heartbeat.Name), test.reply, []byte("{}")))
		sent++
	}
	_, err = report(t, conn, "alpha", "{}") // handled after all the others were taken
	must(t, err)
	stop()
	must(t, conn.Flush())
	if n := handled.Load(); n != 1 {
		t.Errorf("%d reports were handled, want only the last one", n)
	}
	if n, _, err := answers.Pending(); err != nil || n != sent+2 {
		t.Errorf("%d messages (%v), want %d reports and the last one's answer", n, err, sent+1)
	}
}

// TestStopWaits finds no report in hand after stop.
func TestStopWaits(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	server, conn := bus(t)
	begun, release := make(chan struct{}), make(chan struct{})
	var finished atomic.Bool
	stop, err := dispatch.On(t.Context(), conn, slog.New(slog.DiscardHandler), protocol.Leaving,
		func(context.Context, protocol.HostID, protocol.Nothing) (protocol.Nothing, error) {
			close(begun)
			<-release
			finished.Store(true)
			return protocol.Nothing{}, nil
		})
	must(t, err)
	must(t, conn.Publish(protocol.EventSubject("alpha", protocol.Leaving.Name), []byte("{}")))
	<-begun
	var stopping sync.WaitGroup
	stopping.Go(stop)
	close(release)
	stopping.Wait()
	if !finished.Load() {
		t.Error("stop returned before the report was handled")
	}
	stop() // means nothing
	conn.Close()
	server.Stop()
}

func TestChanges(t *testing.T) {
	_, conn := bus(t)
	changes := dispatch.Changes{Conn: conn}
	one, two := protocol.NewSessionID(), protocol.NewSessionID()
	ones, stopOnes, err := changes.Watch(one)
	must(t, err)
	defer stopOnes()
	all, stopAll, err := changes.Watch()
	must(t, err)
	defer stopAll()
	changes.Publish("alpha", two)
	<-all
	changes.Publish("alpha", one)
	<-all
	<-ones
	select {
	case <-ones:
		t.Error("another session's change was told")
	default:
	}
	stopOnes()
	changes.Publish("alpha", one)
	<-all
	select {
	case <-ones:
		t.Error("told after stop")
	default:
	}
}

// TestReportsBesideEachOther needs several to be in hand at the same time.
func TestReportsBesideEachOther(t *testing.T) {
	_, conn := bus(t)
	const hosts = 8
	var together sync.WaitGroup
	together.Add(hosts)
	stop, err := dispatch.On(t.Context(), conn, slog.New(slog.DiscardHandler), protocol.Leaving,
		func(context.Context, protocol.HostID, protocol.Nothing) (protocol.Nothing, error) {
			together.Done()
			together.Wait()
			return protocol.Nothing{}, nil
		})
	must(t, err)
	defer stop()
	for i := range hosts {
		must(t, conn.Publish(protocol.EventSubject(protocol.HostID(fmt.Sprint("host-", i)), protocol.Leaving.Name), []byte("{}")))
	}
	together.Wait()
}

// TestReportsOfOneHostLeaveRoom has a host send more reports than are handled at once, while none gets done.
func TestReportsOfOneHostLeaveRoom(t *testing.T) {
	_, conn := bus(t)
	release := make(chan struct{})
	stop, err := dispatch.On(t.Context(), conn, slog.New(slog.DiscardHandler), protocol.Heartbeat,
		func(_ context.Context, host protocol.HostID, _ protocol.HeartbeatRequest) (protocol.Nothing, error) {
			if host == "greedy" {
				<-release
			}
			return protocol.Nothing{}, nil
		})
	must(t, err)
	defer stop()
	const sent = 100
	inbox := protocol.InboxPrefix("greedy") + ".x"
	answers, err := conn.SubscribeSync(inbox)
	must(t, err)
	for range sent {
		must(t, conn.PublishRequest(protocol.EventSubject("greedy", protocol.Heartbeat.Name), inbox, []byte("{}")))
	}
	if _, err := report(t, conn, "alpha", "{}"); err != nil {
		t.Errorf("another host's report: %v", err)
	}
	close(release)
	refused := 0
	for range sent {
		answer, err := answers.NextMsg(10 * time.Second)
		must(t, err)
		if answer.Header.Get(protocol.ErrorHeader) != "" {
			refused++
		}
	}
	if refused == 0 || refused == sent {
		t.Errorf("%d of %d reports refused", refused, sent)
	}
}
