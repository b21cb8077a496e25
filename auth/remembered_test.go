package auth

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestRememberedIsBounded(t *testing.T) {
	now := time.Now()
	var c Changes
	c.Hears(now.Add(time.Hour))
	const token = "sb_access_which_must_not_be_found"
	for i := range 2 * maxRemembered {
		c.remember(keyOf(Secret(fmt.Sprint(token, i))), Access{ExpiresAt: now.Add(time.Hour)}, now, c.count())
	}
	if len(c.known) != maxRemembered {
		t.Errorf("%d tokens are remembered, want %d", len(c.known), maxRemembered)
	}
	if strings.Contains(fmt.Sprintf("%#v", c.known), token[:10]) {
		t.Error("what is remembered shows tokens")
	}
}

func TestDeafChangesRememberNothing(t *testing.T) {
	now := time.Now()
	key, access := keyOf("token"), Access{ExpiresAt: now.Add(time.Hour)}
	var c Changes
	recalls := func() bool {
		c.remember(key, access, now, c.count())
		_, _, ok := c.recall(key, now)
		return ok
	}
	if recalls() {
		t.Error("remembered before anything was heard")
	}
	c.Hears(now.Add(time.Hour))
	if !recalls() {
		t.Error("not remembered")
	}
	c.Deaf()
	if _, _, ok := c.recall(key, now); ok || recalls() {
		t.Error("remembered when deaf")
	}
	c.Listening()
	c.Hears(now.Add(time.Hour))
	if _, _, ok := c.recall(key, now); ok {
		t.Error("remembered what may have changed meanwhile")
	}
}
