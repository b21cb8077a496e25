package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// The parameters that every authenticator app takes (RFC 6238 section 4): SHA-1, six digits, 30 seconds.
const (
	totpPeriod     = 30 // seconds
	totpSecretSize = 20 // bytes (RFC 4226 section 4, R6)
)

func newTOTPSecret() []byte {
	secret := make([]byte, totpSecretSize)
	rand.Read(secret) // never fails
	return secret
}

// totpCode is the code of one step (RFC 4226 section 5.3).
func totpCode(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[offset:])&0x7fffffff%1_000_000)
}

// totpStep finds the step that a code is of: now's, or one beside it, for clocks that differ and people who type
// slowly (RFC 6238 section 5.2). It takes as long for a wrong code as for a right one.
func totpStep(secret []byte, code string, now time.Time) (step int64, ok bool) {
	at := now.Unix() / totpPeriod
	for _, candidate := range []int64{at - 1, at, at + 1} {
		if subtle.ConstantTimeCompare([]byte(totpCode(secret, candidate)), []byte(code)) == 1 {
			step, ok = candidate, true
		}
	}
	return step, ok
}

// isTOTPCode tells a code of an app from a recovery code.
func isTOTPCode(s string) bool { return len(s) == 6 && strings.Trim(s, "0123456789") == "" }

// TOTPSecret is what a person puts into his authenticator app.
type TOTPSecret struct {
	Text Secret // base32, in groups of four
	URI  Secret // for a QR code
}

// totpSecret writes a secret as apps read it (github.com/google/google-authenticator/wiki/Key-Uri-Format).
func (a *Accounts) totpSecret(name string, secret []byte) TOTPSecret {
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	label := url.PathEscape("Switchboard:" + name + " (" + a.host() + ")")
	query := url.Values{"secret": {text}, "issuer": {"Switchboard"}}
	return TOTPSecret{Text: Secret(grouped(text, " ")), URI: Secret("otpauth://totp/" + label + "?" + query.Encode())}
}

// host is the name under which people know this control plane.
func (a *Accounts) host() string {
	public, err := url.Parse(a.PublicURL)
	if err != nil {
		return ""
	}
	return public.Hostname()
}

// grouped puts a mark after every fourth character but the last, for those who read or type it.
func grouped(text, mark string) string {
	var groups []string
	for ; len(text) > 4; text = text[4:] {
		groups = append(groups, text[:4])
	}
	return strings.Join(append(groups, text), mark)
}
