package holder_test

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"switchboard/hostagent/holder"
)

func lookAhead(t *testing.T, client *holder.Client) holder.Seen {
	t.Helper()
	look, err := client.LookAhead(t.Context(), 30*time.Millisecond, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return look.Seen
}

// typeSeen reports whether it typed, and submits what it did.
func typeSeen(t *testing.T, client *holder.Client, seen holder.Seen) bool {
	t.Helper()
	delivery, err := client.Type(t.Context(), typing(t, seen))
	if err != nil {
		t.Fatal(err)
	}
	defer delivery.End()
	if !delivery.Typed {
		return false
	}
	if err := delivery.Wait(); err != nil {
		t.Fatal(err)
	}
	submitted, err := delivery.Submit([]byte("!"))
	if err != nil || !submitted {
		t.Errorf("submitted: %v, %v", submitted, err)
	}
	return true
}

// What is typed after a look ahead goes over the connection that it left open, with the same conditions and once.
func TestLookAhead(t *testing.T) {
	t.Parallel()
	client, _, news := repeater(t)
	if !typeSeen(t, client, lookAhead(t, client)) {
		t.Error("nothing has come over the terminal, and it did not type")
	}
	untilShown(t, client, "message!")
	if seen := lookAt(t, client).Seen; !typeSeen(t, client, seen) {
		t.Error("it did not type without a look ahead")
	}
	untilShown(t, client, "message!message!")
	lookAhead(t, client)
	if !typeSeen(t, client, lookAhead(t, client)) {
		t.Error("it did not type after the second look ahead of two")
	}
	untilShown(t, client, "message!message!message!")
	seen := lookAhead(t, client)
	news()
	if typeSeen(t, client, seen) {
		t.Error("it typed though output had come")
	}
}

// A holder does not wait for those who only may want something.
func TestHolderEndsWhileOneLooksAhead(t *testing.T) {
	t.Parallel()
	client, dir, _ := repeater(t)
	seen := lookAhead(t, client)
	if err := client.Signal(t.Context(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); holder.Alive(dir); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the holder goes on")
		}
	}
	if _, err := client.Type(t.Context(), typing(t, seen)); !errors.Is(err, holder.ErrGone) && !errors.Is(err, holder.ErrLost) {
		t.Errorf("typing into nothing: %v", err)
	}
}
