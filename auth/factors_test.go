package auth

import (
	"testing"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
)

// TestTOTPVectors are those of RFC 6238 appendix B, of whose eight digits we use the last six.
func TestTOTPVectors(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := totpCode(secret, at/totpPeriod); got != want {
			t.Errorf("at %d: got %s, want %s", at, got, want)
		}
	}
}

func TestTOTPSkew(t *testing.T) {
	secret := newTOTPSecret()
	now := time.Unix(1_800_000_000, 0)
	step := now.Unix() / totpPeriod
	for apart, want := range map[int64]bool{-2: false, -1: true, 0: true, 1: true, 2: false} {
		got, ok := totpStep(secret, totpCode(secret, step+apart), now)
		if ok != want || ok && got != step+apart {
			t.Errorf("%d steps apart: %d, %v", apart, got-step, ok)
		}
	}
	for _, code := range []string{"", "12345", "1234567", "abcdef", "１２３４５６"} {
		if _, ok := totpStep(secret, code, now); ok {
			t.Errorf("%q is a code", code)
		}
	}
}

func TestTOTPSecretForApps(t *testing.T) {
	a := &Accounts{PublicURL: "https://sb.example:8443"}
	got := a.totpSecret("ada@example.com", []byte("12345678901234567890"))
	const uri = "otpauth://totp/Switchboard:ada@example.com%20%28sb.example%29?issuer=Switchboard&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	if got.URI != uri || got.Text != "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ" {
		t.Errorf("got %s and %s", string(got.URI), string(got.Text))
	}
}

func FuzzPlainCode(f *testing.F) {
	for _, text := range []string{"123 456", "abcd-efgh-ijkl-mnop", "ABCD EFGH", "\xff\x00", "１２３４５６", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		code := plainCode(Secret(text))
		if len(code) > maxCode || plainCode(Secret(code)) != code {
			t.Errorf("%q becomes %q", text, code)
		}
		if isTOTPCode(code) && len(code) != 6 {
			t.Errorf("%q is taken for a code of an app", code)
		}
	})
}

// FuzzPasskeyAnswer reads what a browser's script sends.
func FuzzPasskeyAnswer(f *testing.F) {
	f.Add(`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AA","signature":"AA"}}`)
	f.Add(`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVgA"}}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, answer string) {
		if got, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer)); err == nil && got == nil {
			t.Error("an assertion without an error is none")
		}
		if got, err := protocol.ParseCredentialCreationResponseBytes([]byte(answer)); err == nil && got == nil {
			t.Error("an attestation without an error is none")
		}
	})
}
