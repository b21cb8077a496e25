package mcptools

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// progressEvery is how often a client that asked for it hears that a wait goes on, and progressGap how often at most,
// when what is waited for changes.
const (
	progressEvery = 5 * time.Second
	progressGap   = 250 * time.Millisecond
)

// progress tells a client how a wait goes on. A nil one tells nothing, to a client that did not ask.
type progress struct {
	notify func(ctx context.Context, method mcp.MCPMethod, params any) error
	token  any
	total  time.Duration
	words  chan string // the newest, if it has not been told; of one
	last   string      // the newest, told or not; empty: nothing was said yet
	stop   context.CancelFunc
	done   chan struct{}
}

// report tells the client, if it asked for that, how a wait of at most this long goes on: from the first word that is
// said, so that what fails before has an answer of its own, until end is called.
func (c call) report(total time.Duration) *progress {
	token, ok := c.progressToken()
	if !ok {
		return nil
	}
	return &progress{
		notify: c.notify, token: token, total: total,
		words: make(chan string, 1), stop: func() {}, done: make(chan struct{}),
	}
}

// progressToken is the client's, which is a string or a number; what else stands there asks for nothing.
func (c call) progressToken() (token any, ok bool) {
	if c.meta == nil {
		return nil, false
	}
	switch token := c.meta.ProgressToken.(type) {
	case string, float64, json.Number:
		return token, true
	}
	return nil, false
}

// say is what goes on now. Only who called report may call it.
func (p *progress) say(ctx context.Context, words string) {
	if p == nil || words == p.last {
		return
	}
	first := p.last == ""
	p.last = words
	if first {
		p.send(ctx, 0, words)
		ctx, p.stop = context.WithCancel(ctx)
		go p.run(ctx, words)
		return
	}
	select {
	case <-p.words: // nobody was told yet
	default:
	}
	p.words <- words
}

// end returns when nothing more will be told.
func (p *progress) end() {
	if p == nil || p.last == "" {
		return
	}
	p.stop()
	<-p.done
}

// run tells the newest words, and that the wait goes on.
func (p *progress) run(ctx context.Context, words string) {
	defer close(p.done)
	start := time.Now()
	for {
		if !pause(ctx, progressGap) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case words = <-p.words:
		case <-time.After(progressEvery - progressGap):
		}
		if elapsed := time.Since(start); elapsed < p.total {
			p.send(ctx, elapsed, words)
		}
	}
}

// pause reports whether the time passed before ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// progressParams are those of notifications/progress, in seconds.
type progressParams struct {
	Token    any     `json:"progressToken"`
	Progress float64 `json:"progress"`
	Total    float64 `json:"total"`
	Message  string  `json:"message"`
}

func (p *progress) send(ctx context.Context, elapsed time.Duration, words string) {
	// A client that does not read its notifications misses them; its answer comes all the same.
	_ = p.notify(ctx, mcp.MethodNotificationProgress, progressParams{
		Token: p.token, Progress: elapsed.Round(time.Millisecond).Seconds(), Total: p.total.Seconds(), Message: words,
	})
}

// seen says what the sessions do that are waited for.
func (p *progress) seen(ctx context.Context) func([]fleet.Session) {
	return func(sessions []fleet.Session) {
		if len(sessions) == 1 {
			p.say(ctx, sessions[0].Handle+": "+doing(sessions[0]))
			return
		}
		p.say(ctx, summary(sessions))
	}
}

// summary counts what sessions do: "2 working, 1 waiting".
func summary(sessions []fleet.Session) string {
	count := map[protocol.State]int{}
	for _, s := range sessions {
		count[s.State]++
	}
	var words []string
	for _, state := range []protocol.State{protocol.StateStarting, protocol.StateWorking, protocol.StateWaiting, protocol.StateIdle} {
		if count[state] > 0 {
			words = append(words, fmt.Sprintf("%d %s", count[state], state))
		}
	}
	if len(words) == 0 {
		return "no session is running"
	}
	return strings.Join(words, ", ")
}
