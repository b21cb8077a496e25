package link_test

import (
	"context"
	"testing"

	"golang.org/x/sync/errgroup"

	"switchboard/controlplane/dispatch"
	"switchboard/hostagent/link"
	"switchboard/hostagent/protocol"
)

// TestCommandsWaitTheirTurn: more commands than a host carries out at once are all answered.
func TestCommandsWaitTheirTurn(t *testing.T) {
	p := newPlane(t)
	defer p.https.Close()
	defer p.stop()
	l := p.link(t, "alpha", p.enrol(t, "alpha"), newScript())
	const atOnce, crowd = 32, 200
	begun, goOn := make(chan struct{}, crowd), make(chan struct{})
	link.Handle(l, protocol.ReadScreen, func(context.Context, protocol.ReadScreenRequest) (protocol.ReadScreenReply, error) {
		begun <- struct{}{}
		<-goOn
		return protocol.ReadScreenReply{}, nil
	})
	stop, _ := running(t, l)
	p.await(t, "the host says hello", func() bool { return p.hellos > 0 })

	group, ctx := errgroup.WithContext(t.Context())
	for range crowd {
		group.Go(func() error {
			_, err := dispatch.Call(ctx, dispatch.Hosts{Conn: p.conn}, "alpha", protocol.ReadScreen, protocol.ReadScreenRequest{})
			return err
		})
	}
	for range atOnce {
		<-begun
	}
	if more := len(begun); more > 0 {
		t.Errorf("%d commands more than %d begun at once", more, atOnce)
	}
	close(goOn)
	if err := group.Wait(); err != nil {
		t.Errorf("one of %d callers: %v", crowd, err)
	}
	if err := stop(); err != nil {
		t.Errorf("Run = %v after an orderly stop", err)
	}
}
