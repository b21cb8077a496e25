package seal

import (
	"bytes"
	"errors"
	"testing"
)

func box(t *testing.T, purpose string, secrets ...[]byte) Box {
	t.Helper()
	b, err := New(purpose, secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOpen(t *testing.T) {
	older, newer := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	text, bound := []byte("whsec_abc"), []byte("alice")
	sealed := box(t, "webhooks", older).Seal(text, bound)
	changed := bytes.Clone(sealed)
	changed[len(changed)-1] ^= 1
	for _, test := range []struct {
		name   string
		box    Box
		sealed []byte
		bound  []byte
		opens  bool
	}{
		{"as it was", box(t, "webhooks", older), sealed, bound, true},
		{"after the secret was changed", box(t, "webhooks", newer, older), sealed, bound, true},
		{"after the old secret was dropped", box(t, "webhooks", newer), sealed, bound, false},
		{"for another purpose", box(t, "second factors", older), sealed, bound, false},
		{"bound to somebody else", box(t, "webhooks", older), sealed, []byte("bob"), false},
		{"bound to nobody", box(t, "webhooks", older), sealed, nil, false},
		{"changed", box(t, "webhooks", older), changed, bound, false},
		{"cut off", box(t, "webhooks", older), sealed[:20], bound, false},
		{"empty", box(t, "webhooks", older), nil, bound, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.box.Open(test.sealed, test.bound)
			if !test.opens {
				if !errors.Is(err, ErrBroken) || got != nil {
					t.Fatalf("Open gave %q, %v; want ErrBroken", got, err)
				}
				return
			}
			if err != nil || !bytes.Equal(got, text) {
				t.Fatalf("Open gave %q, %v; want %q", got, err, text)
			}
		})
	}
}

func TestSealIsNeverTheSame(t *testing.T) {
	b := box(t, "webhooks", bytes.Repeat([]byte{1}, 32))
	if bytes.Equal(b.Seal([]byte("x"), nil), b.Seal([]byte("x"), nil)) {
		t.Error("two seals of one text are the same")
	}
}

func TestNewRefusesWeakSecrets(t *testing.T) {
	if _, err := New("webhooks"); err == nil {
		t.Error("no secret is accepted")
	}
	if _, err := New("webhooks", make([]byte, 16)); err == nil {
		t.Error("a secret of 16 bytes is accepted")
	}
}
