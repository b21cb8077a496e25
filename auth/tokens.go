package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// tokens makes and checks codes and tokens. A token is "sb_<kind>_<key>.<signature>": 256 random bits, and their
// HMAC under the secret, in which the kind is bound. Only the signature is stored; without the key it opens
// nothing.
type tokens struct {
	secrets [][]byte // the first one signs
}

func (o *OAuth) tokens() tokens {
	if len(o.Secret) < sha256.Size {
		panic("auth: OAuth.Secret needs 32 random bytes") // with less, anyone could make tokens
	}
	return tokens{secrets: append([][]byte{o.Secret}, o.OldSecrets...)}
}

// prefixes tell a secret scanner, and a person who finds one, what it is.
func prefix(kind TokenKind) string {
	return "sb_" + string(kind) + "_"
}

// new makes a token of fresh randomness.
func (t tokens) new(kind TokenKind) (token Secret, signature string) {
	key := make([]byte, sha256.Size)
	rand.Read(key) // never fails
	return t.seal(kind, key)
}

// successor makes the token that follows a refresh token, always the same for the same scopes, so that a client
// that asks twice gets one answer and not two families.
func (t tokens) successor(kind TokenKind, parent Secret, scopes string) (token Secret, signature string) {
	return t.seal(kind, t.mac(t.secrets[0], "successor", string(kind), string(parent), scopes))
}

func (t tokens) seal(kind TokenKind, key []byte) (token Secret, signature string) {
	encode := base64.RawURLEncoding.EncodeToString
	signature = encode(t.mac(t.secrets[0], "signature", string(kind), string(key)))
	return Secret(prefix(kind) + encode(key) + "." + signature), signature
}

// verify reports whether a token of that kind was made here, and its signature.
func (t tokens) verify(kind TokenKind, token Secret) (signature string, ok bool) {
	rest, found := strings.CutPrefix(string(token), prefix(kind))
	if !found {
		return "", false
	}
	first, signature, _ := strings.Cut(rest, ".")
	decode := base64.RawURLEncoding.Strict().DecodeString
	key, err := decode(first)
	if err != nil || len(key) != sha256.Size {
		return "", false
	}
	mac, err := decode(signature)
	if err != nil {
		return "", false
	}
	for _, secret := range t.secrets {
		if hmac.Equal(mac, t.mac(secret, "signature", string(kind), string(key))) {
			return signature, true
		}
	}
	return "", false
}

// verifyAny is verify for a token of one of several kinds.
func (t tokens) verifyAny(token Secret, kinds ...TokenKind) (kind TokenKind, signature string, ok bool) {
	for _, kind := range kinds {
		if signature, ok := t.verify(kind, token); ok {
			return kind, signature, true
		}
	}
	return "", "", false
}

// mac is over the parts with their lengths, so that no two lists of parts are the same text.
func (t tokens) mac(secret []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, secret)
	for _, part := range parts {
		h.Write([]byte{byte(len(part) >> 8), byte(len(part))})
		h.Write([]byte(part))
	}
	return h.Sum(nil)
}
