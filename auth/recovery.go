package auth

import (
	"context"
	"crypto/rand"
	"strings"
	"unicode"
)

// recoveryCodes is how many a person gets at once.
const recoveryCodes = 10

// newRecoveryCodes makes codes of 80 random bits, in groups of four, and the hashes that are kept of them.
func newRecoveryCodes() (codes []Secret, hashes [][]byte) {
	for range recoveryCodes {
		code := strings.ToLower(rand.Text()[:16]) // base32
		codes = append(codes, Secret(grouped(code, "-")))
		hashes = append(hashes, Secret(code).hash())
	}
	return codes, hashes
}

const maxCode = 64 // bytes; longer ones are no codes

// plainCode takes out of a typed code what only helps to read it.
func plainCode(typed Secret) string {
	if len(typed) > maxCode {
		return ""
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r > unicode.MaxASCII, !unicode.IsLetter(r) && !unicode.IsDigit(r):
			return -1
		}
		return unicode.ToLower(r)
	}, string(typed))
}

// RenewRecoveryCodes makes new ones, shown only now; the old ones no longer work.
func (a *Accounts) RenewRecoveryCodes(ctx context.Context, c Caller, token Secret) ([]Secret, error) {
	if _, err := a.recent(ctx, c, token); err != nil {
		return nil, err
	}
	factors, err := a.Store.Factors(ctx, c.User)
	if err != nil {
		return nil, err
	}
	if !factors.TOTP {
		return nil, ErrNotFound
	}
	if err := a.record(ctx, c, "account.recovery_codes", string(c.User), true, nil); err != nil {
		return nil, err
	}
	codes, hashes := newRecoveryCodes()
	return codes, a.Store.SetRecoveryCodes(ctx, c.User, hashes, a.Now())
}
