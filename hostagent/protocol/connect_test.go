package protocol_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	. "switchboard/hostagent/protocol"
)

func proof() Proof {
	return Proof{NKey: "UA2", At: time.Unix(1_795_250_000, 0), Nonce: "0123456789abcdef", Signature: []byte{1, 2, 3}}
}

func TestProofCrosses(t *testing.T) {
	want := proof()
	want.Audience = "AA2"
	got, err := ParseProof(want.Header())
	if err != nil {
		t.Fatal(err)
	}
	got.Audience = "AA2" // each side fills in its own
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("proof (-got +want):\n%s", diff)
	}
	if string(got.Text()) != "switchboard-host-1\nUA2\nAA2\n1795250000\n0123456789abcdef\n" {
		t.Errorf("signed text %q", got.Text())
	}
}

func TestOverdue(t *testing.T) {
	act := Act{Deadline: at}
	for offset, want := range map[time.Duration]bool{-time.Hour: false, time.Minute: false, time.Minute + 1: true} {
		if got := act.Overdue(at.Add(offset), time.Minute); got != want {
			t.Errorf("%s after the deadline: overdue %v, want %v", offset, got, want)
		}
	}
	if (Act{}).Overdue(at, 0) {
		t.Error("overdue without a deadline")
	}
}

func FuzzParseProof(f *testing.F) {
	f.Add(proof().Header())
	f.Add("")
	f.Add(ProofScheme + " ....")
	f.Add(ProofScheme + " UA2.-1.0123456789abcdef.AQID")
	f.Add(ProofScheme + " UA2\n.99999999999999999999.0123456789abcdef.AQID")
	f.Fuzz(func(t *testing.T, header string) {
		got, err := ParseProof(header)
		if err != nil {
			return
		}
		again, err := ParseProof(got.Header())
		if err != nil || !cmp.Equal(again, got) {
			t.Errorf("%q reads as %v, and that again as %v, %v", header, got, again, err)
		}
		if strings.Count(string(got.Text()), "\n") != 5 {
			t.Errorf("%q makes a signed text of other lines: %q", header, got.Text())
		}
	})
}
