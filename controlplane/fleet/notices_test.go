package fleet_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

func TestNoticesAreTold(t *testing.T) {
	w, e := newWorld(t), newEndpoint(t)
	w.subscriptions(e)
	w.deliver()
	alice := w.client(w.person("alice", auth.RoleMember), "chatgpt")
	h := w.newHost(alice, "mac")
	s := w.session(alice, h, "web-app")
	asks := w.subscribe(alice, e.wants(fleet.NoticeNeedsAnswer))
	done := w.subscribe(alice, e.wants(fleet.NoticeFinished))
	w.subscribe(alice, e.wants(fleet.NoticeEnded))

	h.is(s.ID, protocol.StateIdle) // ready: nothing is finished
	h.is(s.ID, protocol.StateWorking)
	prompt := h.asks(s.ID)
	got := e.wait(1)[0]
	want := fleet.NoticeData{
		SessionID: s.Handle, Name: "web-app", Host: "mac", URL: "https://switchboard.example/sessions/" + string(s.ID),
		PromptID: string(prompt.ID), Asks: "permission",
	}
	if got.name != "session.needs_answer" || got.data != want {
		t.Errorf("told %s %+v, want %+v", got.name, got.data, want)
	}
	if got.header.Get("X-MCP-Subscription-Id") != asks.ID || got.header.Get("webhook-id") != got.id || got.id == "" {
		t.Errorf("header %v for event %q of subscription %s", got.header, got.id, asks.ID)
	}
	if !got.signed(webhookSecret) || got.signed(newSecret) {
		t.Errorf("signature %q", got.header.Get("webhook-signature"))
	}
	if bytes.Contains(got.body, []byte("make test")) {
		t.Errorf("what the agent wrote is told: %s", got.body)
	}
	h.say(s.ID, protocol.EventSettlement, protocol.Settlement{Prompt: prompt.ID, Outcome: protocol.OutcomeAllowed, At: time.Now()})
	h.is(s.ID, protocol.StateIdle)
	if got := e.wait(2)[1]; got.name != "session.finished" || got.header.Get("X-MCP-Subscription-Id") != done.ID {
		t.Errorf("told %s to %s", got.name, got.header.Get("X-MCP-Subscription-Id"))
	}
	h.is(s.ID, protocol.StateIdle) // the same again is no news
	h.is(s.ID, protocol.StateExited)
	h.is(s.ID, protocol.StateExited)
	if got := e.wait(3)[2]; got.name != "session.ended" {
		t.Errorf("told %s", got.name)
	}
	if e.asked != 1 {
		t.Errorf("the endpoint was verified %d times for one address", e.asked)
	}
	if allowed, _ := w.audited("subscription.begin"); allowed != 3 {
		t.Errorf("%d of 3 subscriptions are in the audit chain", allowed)
	}
}

func TestNoticesAreToldToWhoMayHearThem(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(w *world, alice, bob auth.Caller, h *host, s fleet.Session, p protocol.Prompt)
		before bool // the change comes before the event
	}{
		{name: "not shared", before: true, change: func(w *world, alice, bob auth.Caller, h *host, _ fleet.Session, _ protocol.Prompt) {
			must(w.sql.Exec(w.t.Context(), `DELETE FROM host_shares`))(w.t)
		}},
		{name: "share withdrawn", change: func(w *world, alice, bob auth.Caller, h *host, _ fleet.Session, _ protocol.Prompt) {
			must(w.sql.Exec(w.t.Context(), `DELETE FROM host_shares`))(w.t)
		}},
		{name: "grant revoked", change: func(w *world, alice, bob auth.Caller, _ *host, _ fleet.Session, _ protocol.Prompt) {
			must(w.sql.Exec(w.t.Context(), `UPDATE oauth_grants SET revoked_at = now() WHERE id = $1`, bob.Grant))(w.t)
		}},
		{name: "tokens expired", change: func(w *world, alice, bob auth.Caller, _ *host, _ fleet.Session, _ protocol.Prompt) {
			must(w.sql.Exec(w.t.Context(), `UPDATE oauth_tokens SET expires_at = now() WHERE grant_id = $1`, bob.Grant))(w.t)
		}},
		{name: "person suspended", change: func(w *world, alice, bob auth.Caller, _ *host, _ fleet.Session, _ protocol.Prompt) {
			must(w.sql.Exec(w.t.Context(), `UPDATE users SET suspended_at = now() WHERE id = $1`, bob.User))(w.t)
		}},
		{name: "client disabled", change: func(w *world, alice, bob auth.Caller, _ *host, _ fleet.Session, _ protocol.Prompt) {
			must(w.sql.Exec(w.t.Context(), `UPDATE oauth_clients SET disabled_at = now() WHERE id = $1`, bob.ClientID))(w.t)
		}},
		{name: "host removed", change: func(w *world, alice, bob auth.Caller, h *host, _ fleet.Session, _ protocol.Prompt) {
			must(w.sql.Exec(w.t.Context(), `UPDATE hosts SET removed_at = now()`))(w.t)
		}},
		{name: "answered meanwhile", change: func(w *world, _, _ auth.Caller, h *host, s fleet.Session, p protocol.Prompt) {
			h.say(s.ID, protocol.EventSettlement, protocol.Settlement{Prompt: p.ID, Outcome: protocol.OutcomeDenied, At: time.Now()})
		}},
		{name: "unsubscribed", change: func(w *world, alice, bob auth.Caller, _ *host, _ fleet.Session, _ protocol.Prompt) {
			if err := w.Unsubscribe(w.t.Context(), bob, fleet.Subscribe{Kind: fleet.NoticeNeedsAnswer, URL: bobsURL(w)}); err != nil {
				w.t.Fatal(err)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, e := newWorld(t), newEndpoint(t)
			w.subscriptions(e)
			alice := w.client(w.person("alice", auth.RoleMember), "chatgpt")
			bob := w.client(w.person("bob", auth.RoleMember), "claude")
			h := w.newHost(alice, "mac")
			s := w.session(alice, h, "web-app")
			if err := w.ShareHost(t.Context(), alice, string(h.ID), bob.User, fleet.AccessViewer); err != nil {
				t.Fatal(err)
			}
			w.subscribe(bob, e.wants(fleet.NoticeNeedsAnswer))
			if test.before {
				test.change(w, alice, bob, h, s, protocol.Prompt{})
			}
			prompt := h.asks(s.ID)
			if !test.before {
				test.change(w, alice, bob, h, s, prompt)
			}
			// Alice's own comes after bob's would have: then bob's is not late, but never.
			w.subscribe(alice, e.wants(fleet.NoticeFinished))
			w.deliver()
			h.is(s.ID, protocol.StateWorking)
			if test.name != "host removed" {
				h.is(s.ID, protocol.StateIdle)
				if got := e.wait(1)[0]; got.name != "session.finished" {
					t.Errorf("bob was told %s", got.name)
				}
				return
			}
			time.Sleep(300 * time.Millisecond) // nothing more can be awaited: the session is nobody's
			e.wait(0)
		})
	}
}

func bobsURL(w *world) string {
	w.t.Helper()
	var url string
	if err := w.sql.QueryRow(w.t.Context(), `SELECT url FROM subscriptions WHERE user_id = 'u-bob'`).Scan(&url); err != nil {
		w.t.Fatal(err)
	}
	return url
}

func TestNoticesThatFail(t *testing.T) {
	for _, test := range []struct {
		name    string
		status  []int // of the answers, in turn
		forward time.Duration
		ids     []int // which notice is told each time
		ends    bool  // the subscription
		reason  string
	}{
		{name: "retried", status: []int{500, 204, 204}, forward: 6 * time.Second, ids: []int{0, 0, 1}},
		{name: "a redirect is not followed", status: []int{302, 204, 204}, forward: 6 * time.Second, ids: []int{0, 0, 1}},
		{name: "too early", status: []int{425, 204, 204}, forward: 6 * time.Second, ids: []int{0, 0, 1}},
		{name: "too large: not sent again", status: []int{413, 204}, ids: []int{0, 1}},
		{name: "gone: ends", status: []int{410}, ids: []int{0}, ends: true},
		{name: "waits before it tries again", status: []int{503}, ids: []int{0}, reason: "http_5xx"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, e := newWorld(t), newEndpoint(t)
			forward := w.subscriptions(e)
			e.status = func(attempt int) int { return test.status[min(attempt, len(test.status))-1] }
			alice := w.client(w.person("alice", auth.RoleMember), "chatgpt")
			h := w.newHost(alice, "mac")
			s := w.session(alice, h, "web-app")
			sub := w.subscribe(alice, e.wants(fleet.NoticeNeedsAnswer))
			prompts := []string{string(h.asks(s.ID).ID), string(h.asks(s.ID).ID)}
			w.deliver()
			if test.forward > 0 {
				e.wait(1)
				w.failedOnce(sub.ID)
				forward(test.forward)
				w.Changes.Publish(h.ID, s.ID)
			}
			got := e.wait(len(test.ids))
			for i, which := range test.ids {
				if got[i].data.PromptID != prompts[which] {
					t.Errorf("attempt %d tells of prompt %s, want %s", i, got[i].data.PromptID, prompts[which])
				}
			}
			if len(got) == 3 && got[0].id != got[1].id {
				t.Errorf("the same notice is %s and then %s", got[0].id, got[1].id)
			}
			if test.ends {
				w.ended(sub.ID)
			}
			if test.reason != "" {
				w.failedOnce(sub.ID)
			}
			again, err := w.Subscribe(t.Context(), alice, e.wants(fleet.NoticeNeedsAnswer))
			if err != nil || again.ID != sub.ID {
				t.Fatalf("renewed as %s of %s: %v", again.ID, sub.ID, err)
			}
			if e.asked != 1 && !test.ends {
				t.Errorf("verified %d times", e.asked)
			}
			if test.ends && e.asked != 2 {
				t.Errorf("an endpoint that was gone is not asked again")
			}
			if test.reason != "" && (again.LastError != test.reason || again.FailedSince == nil) {
				t.Errorf("status %+v, want %s", again, test.reason)
			}
		})
	}
}

func (w *world) failedOnce(id string) {
	w.t.Helper()
	w.untilSQL("the failure to be counted", `SELECT failures > 0 FROM subscriptions WHERE id = $1`, id)
}

func (w *world) ended(id string) {
	w.t.Helper()
	w.untilSQL("the subscription to end", `SELECT count(*) = 0 FROM subscriptions WHERE id = $1`, id)
}

func (w *world) untilSQL(what, query, id string) {
	w.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		var done bool
		if err := w.sql.QueryRow(w.t.Context(), query, id).Scan(&done); err != nil {
			w.t.Fatal(err)
		}
		if done {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("waited in vain for %s", what)
		}
	}
}

// Each notice comes once, from whichever replica has it.
func TestReplicasShareNotices(t *testing.T) {
	w, e := newWorld(t), newEndpoint(t)
	w.subscriptions(e)
	alice := w.client(w.person("alice", auth.RoleMember), "chatgpt")
	h := w.newHost(alice, "mac")
	s := w.session(alice, h, "web-app")
	w.subscribe(alice, e.wants(fleet.NoticeNeedsAnswer))
	w.deliver()
	w.deliver()
	const many = 40
	for range many {
		h.asks(s.ID)
	}
	seen := map[string]bool{}
	for _, got := range e.wait(many) {
		if seen[got.id] {
			t.Errorf("%s came twice", got.id)
		}
		seen[got.id] = true
	}
}

// A replica that dies with a subscription in hand loses nothing: another one goes on when the lease is over.
func TestDeadReplica(t *testing.T) {
	w, e := newWorld(t), newEndpoint(t)
	forward := w.subscriptions(e)
	alice := w.client(w.person("alice", auth.RoleMember), "chatgpt")
	h := w.newHost(alice, "mac")
	s := w.session(alice, h, "web-app")
	w.subscribe(alice, e.wants(fleet.NoticeNeedsAnswer))
	h.asks(s.ID)
	now := w.Now()
	if due := must(w.db.ClaimSubscriptions(t.Context(), now, now.Add(time.Minute), 16))(t); len(due) != 1 {
		t.Fatalf("%d subscriptions are due", len(due))
	}
	if due := must(w.db.ClaimSubscriptions(t.Context(), now, now.Add(time.Minute), 16))(t); len(due) != 0 {
		t.Fatal("another replica claims what is in hand")
	}
	forward(2 * time.Minute)
	w.deliver()
	e.wait(1)
}

// Who is out is told nothing more, also when he goes while notices are told to him.
func TestNoticesStopMidway(t *testing.T) {
	w, e := newWorld(t), newEndpoint(t)
	w.subscriptions(e)
	alice := w.client(w.person("alice", auth.RoleMember), "chatgpt")
	h := w.newHost(alice, "mac")
	s := w.session(alice, h, "web-app")
	w.subscribe(alice, e.wants(fleet.NoticeNeedsAnswer))
	for range 4 {
		h.asks(s.ID)
	}
	e.status = func(int) int {
		must(w.sql.Exec(t.Context(), `UPDATE oauth_grants SET revoked_at = now() WHERE id = $1`, alice.Grant))(t)
		return http.StatusNoContent
	}
	bob := w.client(w.person("bob", auth.RoleMember), "claude")
	if err := w.ShareHost(t.Context(), alice, string(h.ID), bob.User, fleet.AccessViewer); err != nil {
		t.Fatal(err)
	}
	w.subscribe(bob, e.wants(fleet.NoticeNeedsAnswer))
	w.deliver()
	e.wait(1)
	h.asks(s.ID)
	if got := e.wait(2); got[1].header.Get("X-Mcp-Subscription-Id") == got[0].header.Get("X-Mcp-Subscription-Id") {
		t.Error("alice was told more after her grant was revoked")
	}
}

// A host whose clock says what no JSON can hold keeps nobody from his other hosts' notices, and none of his lists.
func TestTimesThatCannotBeTold(t *testing.T) {
	w, e := newWorld(t), newEndpoint(t)
	w.subscriptions(e)
	alice := w.client(w.person("alice", auth.RoleMember), "chatgpt")
	h := w.newHost(alice, "mac")
	s := w.session(alice, h, "web-app")
	w.subscribe(alice, e.wants(fleet.NoticeNeedsAnswer))
	for i, at := range []string{"9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+23:59"} {
		state := json.RawMessage(`{"id":"` + string(s.ID) + `","state":"working","evidence":"","state_at":"` + at + `","started_at":"` + at + `","exited_at":"` + at + `"}`)
		h.say(s.ID, protocol.EventSession, state)
		prompt := json.RawMessage(`{"id":"` + []string{"late", "early"}[i] + `","kind":"permission","title":"sure?","asked_at":"` + at + `"}`)
		h.sayAt(s.ID, at, protocol.EventPrompt, prompt)
	}
	page := must(w.ListSessions(t.Context(), alice, fleet.SessionFilter{}))(t)
	if _, err := json.Marshal(page); err != nil {
		t.Errorf("the list of sessions: %v", err)
	}
	h.asks(s.ID)
	w.deliver()
	e.wait(1) // those of another age are too old to be told
}
