package idp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"net/http"
	"time"
)

// Fault is a rule that the provider breaks.
type Fault string

// The faults. Those that end in At are followed by a path.
const (
	WrongNonce           Fault = "nonce of another login"
	NoNonce              Fault = "no nonce"
	WrongAudience        Fault = "aud is another client"
	OtherParty           Fault = "azp is another client"
	NoParty              Fault = "two audiences and no azp"
	AlgNone              Fault = "alg none"
	AlgHS256             Fault = "HS256 with the public key as the secret"
	StrangeKey           Fault = "signed with a key that is not published"
	BadSignature         Fault = "signature of other claims"
	Expired              Fault = "expired"
	Future               Fault = "issued in the future"
	Stale                Fault = "issued an hour ago"
	OtherIssuer          Fault = "issued by another issuer"
	NoSubject            Fault = "no sub"
	WrongAccessHash      Fault = "at_hash of another access token"
	NoIDToken            Fault = "no id_token"
	Garbage              Fault = "id_token is no token"
	OtherSubject         Fault = "UserInfo about somebody else"
	WrongIss             Fault = "answer with another iss"
	NoIss                Fault = "answer without the promised iss"
	Denied               Fault = "access_denied"
	DiscoveryOtherIssuer Fault = "discovery names another issuer"
	DiscoveryPlain       Fault = "discovery names an endpoint on plain http"
	BrokenAt             Fault = "500 at "
	SlowAt               Fault = "no answer at "
	LongAt               Fault = "endless answer at "
	MovedAt              Fault = "redirect at "
)

// TokenFaults are those of ID tokens: none may let anybody in.
func TokenFaults() []Fault {
	return []Fault{
		WrongNonce, NoNonce, WrongAudience, OtherParty, NoParty, AlgNone, AlgHS256, StrangeKey, BadSignature, Expired,
		Future, Stale, OtherIssuer, NoSubject, WrongAccessHash, NoIDToken, Garbage,
	}
}

func newKey(id, alg string) Key {
	var signer crypto.Signer
	var err error
	if alg == "ES256" {
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	} else {
		signer, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		panic(err) // the system has no randomness
	}
	return Key{ID: id, Alg: alg, Signer: signer}
}

// keys publishes the key that is in use.
func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	jwk := map[string]any{"kid": p.key.ID, "alg": p.key.Alg, "use": "sig"}
	switch public := p.key.Signer.Public().(type) {
	case *rsa.PublicKey:
		jwk["kty"], jwk["n"], jwk["e"] = "RSA", encode(public.N.Bytes()), encode(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // 4, x, y
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		jwk["kty"], jwk["crv"], jwk["x"], jwk["y"] = "EC", "P-256", encode(point[1:33]), encode(point[33:])
	}
	answer(w, http.StatusOK, map[string]any{"keys": []any{jwk}})
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// idToken is called with the lock held.
func (p *Provider) idToken(g grant, access string) string {
	now := p.Now()
	sum := sha256.Sum256([]byte(access))
	claims := map[string]any{
		"iss": p.Issuer, "aud": p.ClientID, "azp": p.ClientID, "nonce": g.nonce, "iat": now.Unix(),
		"exp": now.Add(5 * time.Minute).Unix(), "at_hash": encode(sum[:16]),
	}
	maps.Copy(claims, g.person.Claims)
	p.spoil(claims, now)
	key := p.key
	switch p.fault {
	case Garbage:
		return "not.a.token"
	case AlgNone:
		return unsigned(map[string]any{"alg": "none"}, claims) + "."
	case AlgHS256:
		return p.confused(claims)
	case StrangeKey:
		key = newKey(key.ID, key.Alg)
	}
	token := signed(key, claims)
	if p.fault == BadSignature {
		claims["sub"] = "root"
		token = unsigned(map[string]any{"alg": key.Alg, "kid": key.ID}, claims) + token[lastDot(token):]
	}
	return token
}

// spoil breaks a claim.
func (p *Provider) spoil(claims map[string]any, now time.Time) {
	switch p.fault {
	case WrongNonce:
		claims["nonce"] = rand.Text()
	case NoNonce:
		delete(claims, "nonce")
	case WrongAudience:
		claims["aud"] = "another"
	case OtherParty:
		claims["azp"] = "another"
	case NoParty:
		claims["aud"] = []string{p.ClientID, "another"}
		delete(claims, "azp")
	case Expired:
		claims["exp"] = now.Add(-time.Minute).Unix()
	case Future:
		claims["iat"] = now.Add(time.Hour).Unix()
	case Stale:
		claims["iat"] = now.Add(-time.Hour).Unix()
	case OtherIssuer:
		claims["iss"] = "https://evil.example"
	case NoSubject:
		delete(claims, "sub")
	case WrongAccessHash:
		claims["at_hash"] = encode(make([]byte, 16))
	}
}

// confused signs with HMAC, under the public key that everybody has.
func (p *Provider) confused(claims map[string]any) string {
	der, err := x509.MarshalPKIXPublicKey(p.key.Signer.Public())
	if err != nil {
		panic(err) // a key that we made
	}
	text := unsigned(map[string]any{"alg": "HS256", "kid": p.key.ID}, claims)
	mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	mac.Write([]byte(text))
	return text + "." + encode(mac.Sum(nil))
}

func unsigned(header, claims map[string]any) string {
	h, err := json.Marshal(header)
	if err != nil {
		panic(err) // strings only
	}
	c, err := json.Marshal(claims)
	if err != nil {
		panic(err) // a test's own mistake
	}
	return encode(h) + "." + encode(c)
}

func signed(key Key, claims map[string]any) string {
	text := unsigned(map[string]any{"alg": key.Alg, "kid": key.ID, "typ": "JWT"}, claims)
	sum := sha256.Sum256([]byte(text))
	if elliptic, ok := key.Signer.(*ecdsa.PrivateKey); ok {
		r, s, err := ecdsa.Sign(rand.Reader, elliptic, sum[:])
		if err != nil {
			panic(err)
		}
		signature := make([]byte, 64)
		r.FillBytes(signature[:32])
		s.FillBytes(signature[32:])
		return text + "." + encode(signature)
	}
	signature, err := key.Signer.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		panic(err)
	}
	return text + "." + encode(signature)
}

func lastDot(token string) int {
	for i := len(token) - 1; ; i-- {
		if token[i] == '.' {
			return i
		}
	}
}
