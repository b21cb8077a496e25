package e2e

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/controlplane/e2e/harness"
	"switchboard/controlplane/embedded"
)

// Bounds of reference figures, with room for a machine that is busy with other tests.
const (
	refusedWithin = 3 * time.Second  // 1 s: a call while the database is away
	backWithin    = 6 * time.Second  // 2 s: calls once it is there again
	failsWithin   = 8 * time.Second  // 5 s: a call to a host that is cut off without a word
	shownWithin   = 20 * time.Second // 15 s: that such a host is offline
	databaseAway  = 10 * time.Second
)

// TestDatabaseAway takes PostgreSQL away under callers: each is refused at once and told when to try again, nothing piles
// up, and all goes on when it is back.
func TestDatabaseAway(t *testing.T) {
	dir, err := harness.TempDir()
	must(t, err)
	t.Cleanup(func() { expect(t, os.RemoveAll(dir)) })
	config := embedded.PostgresConfig{Dir: dir, Log: slog.New(slog.DiscardHandler)}
	database, err := embedded.StartPostgres(t.Context(), config)
	must(t, err)
	t.Cleanup(func() { database.Stop() })
	w := startWorld(t, "serve", "DATABASE_URL="+database.URL(), "SWITCHBOARD_RATE=0")
	mac := w.addHost(t, w.admin, "studio")
	s := w.admin.start(t, args{"name": "web-app", "working_dir": mac.Project()})
	refusal := func() (status int, retryAfter string) { // the agent is idle: a refusal when all is well
		answer, err := harness.CallRaw(t.Context(), w.plane.MCP(), w.admin.tokens.Access, "interrupt_session", args{"session_id": s.ID})
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		return answer.Status, answer.Header.Get("Retry-After")
	}
	const callers = 16
	all := func(do func()) {
		var group sync.WaitGroup
		for range callers {
			group.Go(do)
		}
		group.Wait()
	}
	all(func() { refusal() })
	before := descriptors(w.plane.Process().PID)

	database.Stop()
	var mu sync.Mutex
	var slowest time.Duration
	var calls int
	away := time.Now()
	all(func() {
		for time.Since(away) < databaseAway {
			began := time.Now()
			status, retryAfter := refusal()
			took := time.Since(began)
			if seconds, err := strconv.Atoi(retryAfter); status != http.StatusServiceUnavailable || err != nil || seconds < 1 {
				t.Errorf("a call without a database: %d, Retry-After %q", status, retryAfter)
				return
			}
			mu.Lock()
			slowest, calls = max(slowest, took), calls+1
			mu.Unlock()
		}
	})
	t.Logf("%d calls refused, the slowest after %s", calls, slowest)
	if slowest > refusedWithin {
		t.Errorf("a call was refused after %s", slowest)
	}

	database, err = embedded.StartPostgres(t.Context(), config)
	must(t, err)
	back := time.Now()
	await(t, "calls to be served", func(context.Context) (bool, error) {
		status, _ := refusal()
		return status == http.StatusOK, fmt.Errorf("status %d", status)
	})
	t.Logf("served %s after it was back", time.Since(back))
	if took := time.Since(back); took > backWithin {
		t.Errorf("served %s after the database was back", took)
	}
	all(func() { refusal() })
	if now := descriptors(w.plane.Process().PID); now > before+callers {
		t.Errorf("%d open files before, %d after", before, now)
	}
	db, err := pgx.Connect(t.Context(), database.URL())
	must(t, err)
	var connections int
	expect(t, db.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'switchboard%'`).Scan(&connections))
	expect(t, db.Close(t.Context()))
	if connections == 0 || connections > 2*callers {
		t.Errorf("%d connections to the database", connections)
	}
	w.admin.send(t, s.ID, "fake:text still here")
	awaitLogs(t, w.admin, args{"session_id": s.ID}, "assistant: still here")
}

// descriptors counts a process's open files, where the system tells; else 0.
func descriptors(pid int) int {
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return 0
	}
	return len(open)
}

// TestPartition cuts a host off without a word. Calls fail soon, it is shown offline, and what was sent meanwhile is never
// done late.
func TestPartition(t *testing.T) {
	w := newWorld(t)
	network, err := harness.StartProxy(t.Context(), w.plane.Listen)
	must(t, err)
	t.Cleanup(network.Close)
	mac := w.machine(t, "studio")
	must(t, mac.Prepare(t.Context()))
	token, err := w.admin.browser.JoinToken(t.Context(), mac.Name)
	must(t, err)
	must(t, mac.Enrol(t.Context(), "http://"+network.Address(), token))
	must(t, mac.Start())
	awaitHost(t, w.admin, mac.Name, true)
	s := w.admin.start(t, args{"name": "web-app", "working_dir": mac.Project()})

	for _, test := range []struct {
		name string
		ways []harness.Direction
	}{
		{"both ways", []harness.Direction{harness.There, harness.Back}},
		{"nothing reaches the host", []harness.Direction{harness.Back}},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := "told to " + test.name
			call := args{"session_id": s.ID, "message": "fake:text " + text, "wait_seconds": 0, "idempotency_key": test.name}
			network.Freeze(test.ways...)
			began := time.Now()
			var m messageAnswer
			err := w.admin.Call(t.Context(), "send_message", call, &m)
			t.Logf("the call took %s: %+v, %v", time.Since(began), m, err)
			if took := time.Since(began); took > failsWithin || err != nil || m.Status != "queued" {
				t.Errorf("the call took %s: %+v, %v", took, m, err)
			}
			awaitHost(t, w.admin, mac.Name, false)
			t.Logf("offline after %s", time.Since(began))
			if took := time.Since(began); took > shownWithin {
				t.Errorf("the host was shown offline after %s", took)
			}
			await(t, "the deadline to pass", func(context.Context) (bool, error) {
				return time.Since(began) > 18*time.Second, nil
			})
			network.Thaw()
			awaitReach(t, w.admin, s.ID)
			await(t, "what became of it", func(ctx context.Context) (bool, error) {
				text, err := w.admin.Text(ctx, "send_message", call) // a repeat
				return err == nil && !strings.Contains(text, "outcome unknown"), errors.Join(err, errors.New(text))
			})
			awaitLogs(t, w.admin, args{"session_id": s.ID}, "assistant: "+text)
			awaitState(t, w.admin, s.ID, "idle")
			wantOnce(t, w.admin, s.ID, "user: fake:text "+text, "assistant: "+text)
		})
	}
}
