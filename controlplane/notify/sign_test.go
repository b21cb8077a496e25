package notify

import (
	"strings"
	"testing"
	"time"

	"switchboard/auth"
)

// The vector that Standard Webhooks' libraries test themselves with.
func TestSign(t *testing.T) {
	got, err := sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`),
		[]auth.Secret{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

func FuzzSecret(f *testing.F) {
	for _, seed := range []string{
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_AAAA", "whsec_===",
		"whsec_" + strings.Repeat("A", 88), "whsec_" + strings.Repeat("A", 86) + "==", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS\n",
		"WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS_",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, err := key(auth.Secret(text))
		if err == nil && (len(key) < minSecret || len(key) > maxSecret || !strings.HasPrefix(text, secretPrefix)) {
			t.Errorf("%q is taken for a key of %d bytes", text, len(key))
		}
		if err != nil && err.Error() != ErrSecret.Error() {
			t.Errorf("the error may repeat the secret: %v", err)
		}
	})
}
