package session

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"

	"switchboard/hostagent/protocol"
)

var messages = flag.Int("messages", 7, "how many random messages each of the tests of exactness sends")

// TestMessagesArriveExactly sends messages of every sort to the real CLI, also while the machine is busy. Each is exact
// at the hook and in what the model was asked, once; or it is reported as not confirmed, which nothing here explains.
func TestMessagesArriveExactly(t *testing.T) {
	for _, hogs := range []int{0, 4} {
		t.Run(fmt.Sprintf("beside %d hogs", hogs), func(t *testing.T) {
			r := newRig(t)
			id := r.create("")
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			random := rand.New(rand.NewPCG(seed, 0))
			r.hog(hogs)
			for n := range *messages {
				r.exactly(id, fmt.Sprintf("%s m%d", randomMessage(random, n), n))
			}
		})
	}
}

// TestVeryManyLines: the CLI takes in each paste by itself, which takes a busy machine long.
func TestVeryManyLines(t *testing.T) {
	r := newRig(t)
	id := r.create("")
	r.hog(4)
	var text strings.Builder
	for n := range 3500 {
		fmt.Fprintf(&text, "line %d\n", n)
	}
	r.exactly(id, text.String())
}

// hog keeps the machine busy until the test is over.
func (r *rig) hog(processes int) {
	r.t.Helper()
	for range processes {
		hog := exec.CommandContext(r.t.Context(), "/bin/sh", "-c", "while :; do :; done")
		check(r.t, hog.Start())
		r.t.Cleanup(func() { _ = hog.Wait() }) // it is killed with the test's context
	}
}

// exactly sends a message and checks that it came to the agent, and to its model, as it was and once.
func (r *rig) exactly(id protocol.SessionID, text string) {
	r.t.Helper()
	s, err := r.session(id)
	check(r.t, err)
	clean, err := s.kind.CleanMessage(text)
	check(r.t, err)
	began := time.Now()
	message := r.send(id, text)
	if got := r.message(id, message); got.Status != protocol.MessageAccepted {
		r.t.Errorf("%d bytes: message became %v, want accepted: %.200q", len(text), got, text)
	}
	r.t.Logf("%d bytes, %d lines: %.1f s", len(text), strings.Count(text, "\n")+1, time.Since(began).Seconds())
	entry := r.entry(id, "the message", func(e protocol.Entry) bool { return e.Message == message })
	if entry.Role != protocol.RoleUser {
		r.t.Errorf("%d bytes: the transcript has it as %s", len(text), entry.Role)
	}
	r.await(id, protocol.StateIdle)
	came := 0
	for _, prompt := range r.model.Prompts() {
		if s.kind.SameMessage(clean, prompt) {
			came++
		}
	}
	if came != 1 {
		r.t.Errorf("%d bytes: the model was asked it %d times: %.200q", len(text), came, text)
	}
}

// randomMessage is of one of the sorts that have broken something.
func randomMessage(random *rand.Rand, n int) string {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	repeat := func(most int, part func() string) string {
		var text strings.Builder
		for range 1 + random.IntN(most) {
			text.WriteString(part())
		}
		return text.String()
	}
	words := func() string {
		return pick("hello ", "über ", "naïve ", "cafe\u0301 ", "漢字 ", "שלום ", "مرحبا ", "👨‍👩‍👧 ", "🏴 ", "❤️ ", "x\ty ", `back\slash `, "'quote\" ", "$HOME `ls` ", "<b>&amp; ")
	}
	sorts := []func() string{
		func() string { return repeat(30, words) },
		func() string {
			return repeat(40, func() string { return repeat(8, words) + pick("\n", "\n\n", "\r\n", `\`+"\n") })
		},
		func() string {
			return pick("!", "@", "#", "! ", "  ", "@README.md ", "# heading\n", "-- ") + repeat(9, words)
		},
		func() string { return strings.Repeat(pick("x", "é", "漢", "👍"), 799+random.IntN(3)) },
		func() string {
			return "func main() {\n" + repeat(60, func() string { return "\tif x := f(\"\\n\"); x != nil {\n\t\treturn\n\t}\n" }) + "}"
		},
		func() string { return repeat(12, words) + `C:\` + "\n\\" },
		func() string {
			line := repeat(20, words) + words() + words() + words()
			return strings.Repeat(line+"\n", 1+(14_000+random.IntN(20_000))/len(line))
		},
	}
	return sorts[n%len(sorts)]()
}
