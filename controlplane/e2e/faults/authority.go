package main

import (
	"context"
	"math/rand/v2"
	"time"

	"switchboard/controlplane/e2e/harness"
)

// revocation is a token that somebody has taken back.
type revocation struct {
	token string
	at    time.Time // when that was answered
}

// revokedWithin is how soon no replica may take a token any more that was taken back, whatever it is cut off from.
const revokedWithin = 5 * time.Second

// logIn gets tokens as a client does, and keeps what of them nobody may read.
func (w *world) logIn(ctx context.Context) (harness.Tokens, error) {
	code, err := w.oauth.Authorize(ctx)
	if err != nil {
		return harness.Tokens{}, err
	}
	w.keepSecret("authorization code", code.Code)
	w.keepSecret("PKCE verifier", code.Verifier)
	tokens, err := w.oauth.Redeem(ctx, code)
	if err == nil {
		w.keepSecret("access token", tokens.Access)
		w.keepSecret("refresh token", tokens.Refresh)
	}
	return tokens, err
}

// comeAndGo logs in, works a little, and takes the token back, again and again.
func (w *world) comeAndGo(ctx context.Context, random *rand.Rand) {
	lasting := context.WithoutCancel(ctx)
	for wait(ctx, between(random, 500*time.Millisecond, 3*time.Second)) {
		bounded, cancel := context.WithTimeout(lasting, 20*time.Second)
		tokens, err := w.logIn(bounded)
		if err == nil {
			w.callAs(bounded, tokens.Access)
			err = w.oauth.Revoke(bounded, tokens.Access)
		}
		cancel()
		if err != nil {
			continue // some part is down
		}
		w.mu.Lock()
		w.revoked = append(w.revoked, revocation{tokens.Access, time.Now()})
		w.mu.Unlock()
	}
}

// poach calls with tokens that were taken back, at any replica that answers.
func (w *world) poach(ctx context.Context, random *rand.Rand) {
	for wait(ctx, between(random, 20*time.Millisecond, 300*time.Millisecond)) {
		w.mu.Lock()
		var token string
		if n := len(w.revoked); n > 0 {
			token = w.revoked[n-1-random.IntN(min(n, 4))].token
		}
		w.mu.Unlock()
		if token != "" {
			w.callAs(context.WithoutCancel(ctx), token)
		}
	}
}

func (w *world) callAs(ctx context.Context, token string) {
	a := w.begin("list_hosts", nil)
	a.token = token
	w.call(ctx, a, args{}, nil)
	w.finish(a)
}
