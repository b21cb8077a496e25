package fleet_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

func TestEnrol(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	enrol := func(token, nkey string) (fleet.Host, error) {
		return w.Enrol(t.Context(), fleet.Enrolment{Token: token, NKey: nkey}, "192.0.2.2")
	}
	token := must(w.CreateJoinToken(t.Context(), alice, "Ada Mac"))(t)
	if _, err := enrol("swj_wrong", newKey(t)); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("unknown token: %v", err)
	}
	if _, err := enrol(token.Token, "not a key"); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("malformed key: %v", err)
	}
	key := newKey(t)
	h := must(enrol(token.Token, key))(t)
	if h.Name != "Ada Mac" || h.Owner != alice.User || !strings.HasPrefix(string(h.ID), "ada-mac-") {
		t.Errorf("host %s %q of %s", h.ID, h.Name, h.Owner)
	}
	if again := must(enrol(token.Token, key))(t); again.ID != h.ID {
		t.Errorf("a repeat made another host %s", again.ID)
	}
	if _, err := enrol(token.Token, newKey(t)); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("another machine with the same token: %v", err)
	}
	third := must(w.CreateJoinToken(t.Context(), alice, "other"))(t)
	if _, err := enrol(third.Token, key); !errors.Is(err, fleet.ErrConflict) || !strings.HasPrefix(err.Error(), "this machine's key belongs to a host") {
		t.Errorf("a key that is taken: %v", err)
	}
	w.Now = func() time.Time { return time.Now().Add(time.Hour) }
	if _, err := enrol(third.Token, newKey(t)); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("expired token: %v", err)
	}
	for _, name := range []string{"", "-x", "a\nb", strings.Repeat("x", 41), "büro"} {
		if _, err := w.CreateJoinToken(t.Context(), alice, name); !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("host name %q: %v", name, err)
		}
	}
}

func TestHostNameIsTakenOnce(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	early := must(w.CreateJoinToken(t.Context(), alice, "MAC-1"))(t)
	h := w.newHost(alice, "mac-1")
	const taken = "there is a host named MAC-1 already; choose another name, or remove that host on https://switchboard.example/hosts first"
	_, err := w.CreateJoinToken(t.Context(), alice, "MAC-1")
	if !errors.Is(err, fleet.ErrConflict) || err.Error() != taken {
		t.Errorf("a token for a name that is taken: %v", err)
	}
	_, err = w.Enrol(t.Context(), fleet.Enrolment{Token: early.Token, NKey: newKey(t)}, "192.0.2.2")
	if !errors.Is(err, fleet.ErrConflict) || err.Error() != taken {
		t.Errorf("a name that was taken since: %v", err)
	}
	if err := w.RemoveHost(t.Context(), alice, string(h.ID)); err != nil {
		t.Fatal(err)
	}
	must(w.Enrol(t.Context(), fleet.Enrolment{Token: early.Token, NKey: newKey(t)}, "192.0.2.2"))(t)
}

// A machine whose own directory was thrown away, while the control plane's data were kept, is a new host beside
// the one that it was.
func TestLocalHostIsNumbered(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("x", 40)
	for _, test := range []struct{ ask, want string }{
		{"vm", "vm"}, {"VM", "VM-2"}, {" vm ", "vm-3"}, {long, long}, {long, long[:38] + "-2"},
	} {
		token := must(w.NewLocalJoinToken(t.Context(), test.ask))(t)
		h := must(w.Enrol(t.Context(), fleet.Enrolment{Token: token.Token, NKey: newKey(t)}, "127.0.0.1"))(t)
		if h.Name != test.want {
			t.Errorf("the next %q is %q, want %q", test.ask, h.Name, test.want)
		}
	}
	if _, err := w.NewLocalJoinToken(t.Context(), "büro"); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("a name that cannot be typed: %v", err)
	}
}

func TestJoinTokenIsGoodForOneMachine(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	token := must(w.CreateJoinToken(t.Context(), alice, "mac-1"))(t)
	keys := make([]string, 16)
	for i := range keys {
		keys[i] = newKey(t)
	}
	var group sync.WaitGroup
	var won atomic.Int32
	for _, key := range keys {
		group.Go(func() {
			_, err := w.Enrol(t.Context(), fleet.Enrolment{Token: token.Token, NKey: key}, "192.0.2.2")
			if err == nil {
				won.Add(1)
				return
			}
			if !errors.Is(err, auth.ErrForbidden) {
				t.Errorf("a loser gets %v", err)
			}
		})
	}
	group.Wait()
	if won.Load() != 1 {
		t.Errorf("%d machines enrolled with one token", won.Load())
	}
}

// The machine that the control plane runs on is enrolled before there is anybody to own it.
func TestLocalHostBecomesTheFirstAdministrators(t *testing.T) {
	w := newWorld(t)
	token := must(w.NewLocalJoinToken(t.Context(), "this-mac"))(t)
	key := newKey(t)
	h := must(w.Enrol(t.Context(), fleet.Enrolment{Token: token.Token, NKey: key}, "127.0.0.1"))(t)
	if h.Owner != "" {
		t.Errorf("owner %q before there is anybody", h.Owner)
	}
	if err := w.AdoptHosts(t.Context(), ""); err != nil {
		t.Errorf("before there is anybody: %v", err)
	}
	root := w.person("root", auth.RoleAdmin)
	w.person("second", auth.RoleAdmin)
	if err := w.AdoptHosts(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	hosts := must(w.ListHosts(t.Context(), root))(t)
	if len(hosts) != 1 || hosts[0].ID != h.ID || hosts[0].Access != fleet.AccessOwner {
		t.Errorf("hosts %+v", hosts)
	}
	later := must(w.NewLocalJoinToken(t.Context(), "other-mac"))(t)
	if h := must(w.Enrol(t.Context(), fleet.Enrolment{Token: later.Token, NKey: newKey(t)}, ""))(t); h.Owner != root.User {
		t.Errorf("owner %q, want the administrator who is there already", h.Owner)
	}
}

// A control plane that was killed told nobody that its hosts are away.
func TestRestart(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h, gone := w.newHost(alice, "mac-1"), w.newHost(alice, "mac-2")
	gone.offline()
	before := must(w.ListHosts(t.Context(), alice))(t)
	if err := w.RecordRestart(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := must(w.ListHosts(t.Context(), alice))(t)
	if after[0].Online(time.Now()) || !after[0].AwaySince.Equal(*before[0].LastSeenAt) {
		t.Errorf("away since %v, last seen at %v", after[0].AwaySince, before[0].LastSeenAt)
	}
	if !after[1].AwaySince.Equal(*before[1].AwaySince) {
		t.Errorf("away since %v, and before since %v", after[1].AwaySince, before[1].AwaySince)
	}
	h.hello()
	if hosts := must(w.ListHosts(t.Context(), alice))(t); !hosts[0].Online(time.Now()) {
		t.Error("back, and not online")
	}
}

func TestWhoSeesAndManagesAHost(t *testing.T) {
	w := newWorld(t)
	alice, admin := w.person("alice", auth.RoleMember), w.person("root", auth.RoleAdmin)
	viewer, stranger := w.person("vera", auth.RoleMember), w.person("mallory", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	w.session(alice, h, "web-app")
	share(t, w, alice, viewer, fleet.AccessViewer)

	access := map[string]fleet.Access{}
	for _, c := range []auth.Caller{alice, admin, viewer, stranger} {
		for _, host := range must(w.ListHosts(t.Context(), c))(t) {
			access[c.UserName] = host.Access
		}
	}
	want := map[string]fleet.Access{"alice": fleet.AccessOwner, "root": fleet.AccessManage, "vera": fleet.AccessViewer}
	if diff := cmp.Diff(access, want); diff != "" {
		t.Errorf("access (got -, want +):\n%s", diff)
	}
	if page := must(w.ListSessions(t.Context(), admin, fleet.SessionFilter{}))(t); len(page.Sessions) != 0 {
		t.Errorf("the administrator sees %d sessions", len(page.Sessions))
	}
	if err := w.ShareHost(t.Context(), admin, "mac-1", admin.User, fleet.AccessOperator); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("an administrator shares a host with himself: %v", err)
	}
	if err := w.ShareHost(t.Context(), alice, "mac-1", "u-nobody", fleet.AccessViewer); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("a share with nobody: %v", err)
	}
	if err := w.ShareHost(t.Context(), alice, "mac-1", viewer.User, fleet.AccessOwner); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("a share of the ownership: %v", err)
	}
	if _, err := w.Shares(t.Context(), viewer, "mac-1"); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("a viewer reads the shares: %v", err)
	}
	if err := w.RemoveHost(t.Context(), viewer, "mac-1"); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("a viewer removes the host: %v", err)
	}
	if err := w.RemoveHost(t.Context(), stranger, "mac-1"); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("a stranger removes the host: %v", err)
	}
	if err := w.ShareHost(t.Context(), alice, "mac-1", viewer.User, fleet.AccessNone); err != nil {
		t.Fatal(err)
	}
	if page := must(w.ListSessions(t.Context(), viewer, fleet.SessionFilter{}))(t); len(page.Sessions) != 0 {
		t.Errorf("after the share's end the viewer sees %d sessions", len(page.Sessions))
	}
}

func TestRemoveHost(t *testing.T) {
	w := newWorld(t)
	alice, admin := w.person("alice", auth.RoleMember), w.person("root", auth.RoleAdmin)
	h := w.newHost(alice, "mac-1")
	w.session(alice, h, "web-app")
	listener := w.connect()
	subscription := must(listener.SubscribeSync(protocol.CutSubject(h.ID)))(t)
	if err := listener.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := w.RemoveHost(t.Context(), admin, "mac-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := subscription.NextMsgWithContext(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := w.HostByKey(t.Context(), h.NKey); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("its key finds it: %v", err)
	}
	if page := must(w.ListSessions(t.Context(), alice, fleet.SessionFilter{}))(t); len(page.Sessions) != 0 {
		t.Errorf("%d of its sessions are listed", len(page.Sessions))
	}
	if _, err := w.Host(t.Context(), alice, "mac-1"); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("it is found: %v", err)
	}
	token := must(w.CreateJoinToken(t.Context(), alice, "mac-1"))(t)
	must(w.Enrol(t.Context(), fleet.Enrolment{Token: token.Token, NKey: newKey(t)}, ""))(t) // its name is free again
}

func TestSilentHostIsAway(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	online := func() bool { return must(w.Session(t.Context(), alice, s.Handle))(t).HostOnline }
	if !online() {
		t.Error("away right after its hello")
	}
	w.Now = func() time.Time { return time.Now().Add(protocol.OfflineAfter) }
	if online() {
		t.Error("online after a long silence")
	}
	must(report(h, protocol.Heartbeat, protocol.HeartbeatRequest{}))(t)
	if !online() {
		t.Error("away after a heartbeat")
	}
	must(report(h, protocol.Leaving, protocol.Nothing{}))(t)
	if online() {
		t.Error("online after it left")
	}
}
