package auth

import (
	"testing"
	"unicode/utf8"
)

func FuzzClaims(f *testing.F) {
	f.Add([]byte(`{"sub":"1","email":"a@example.com","email_verified":"true","groups":["a"],"name":"A"}`))
	f.Add([]byte(`{"sub":null,"groups":"one","_claim_names":{"groups":"src1"}}`))
	f.Add([]byte(`{"preferred_username":"\u202e<b>","email":"@@","email_verified":1}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, err := parseClaims(payload, "groups")
		if err != nil {
			return
		}
		if _, err := parseName(c.accountName()); err != nil {
			t.Errorf("%s makes the account %q: %v", payload, c.accountName(), err)
		}
		for try := range 12 {
			if _, err := parseName(numbered(c.accountName(), try)); err != nil {
				t.Errorf("%s makes the account %q: %v", payload, numbered(c.accountName(), try), err)
			}
		}
		for _, shown := range []string{c.shownName(), c.displayName("ada")} {
			if !utf8.ValidString(shown) || !plainText(shown, maxDisplayName) {
				t.Errorf("%s shows %q", payload, shown)
			}
		}
		if !c.emailVerified && (ProviderConfig{AllowedDomains: []string{"example.com"}}).checkDomain(c) == nil {
			t.Errorf("%s is let in unverified", payload)
		}
	})
}
