package auth_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"

	"switchboard/auth"
)

// telephone makes and uses one passkey, or as an attacker would like it to
// (https://www.w3.org/TR/webauthn-3/#sctn-authenticator-data).
type telephone struct {
	key     *ecdsa.PrivateKey
	id      []byte
	user    []byte // the handle of whose it is
	origin  string // that the browser reports
	rpID    string // that the device was asked for
	flags   byte
	counter uint32
	cross   bool // asked from another site's frame
}

// The flags of a use.
const (
	userPresent    = 0x01
	userVerified   = 0x04
	attestedKey    = 0x40
	backupEligible = 0x08
)

func newTelephone(t *testing.T, origin string) *telephone {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 32)
	rand.Read(id)
	return &telephone{key: key, id: id, origin: origin, rpID: "localhost", flags: userPresent | userVerified}
}

// asked is what the page's script got.
type asked struct {
	PublicKey struct {
		Challenge string
		RpID      string
		User      struct{ ID string }
		Rp        struct{ ID string }

		UserVerification       string
		Attestation            string
		AllowCredentials       []any
		ExcludeCredentials     []any
		AuthenticatorSelection struct{ ResidentKey, UserVerification string }
	}
}

func readAsked(t *testing.T, r auth.PasskeyRequest) asked {
	t.Helper()
	var a asked
	if err := json.Unmarshal(r.Options, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

var b64 = base64.RawURLEncoding

func (d *telephone) clientData(kind, challenge string) []byte {
	text, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": d.origin, "crossOrigin": d.cross})
	if err != nil {
		panic(err) // strings only
	}
	return text
}

func (d *telephone) data(flags byte) []byte {
	hash := sha256.Sum256([]byte(d.rpID))
	return binary.BigEndian.AppendUint32(append(hash[:], flags), d.counter)
}

// create answers a request for a new passkey.
func (d *telephone) create(t *testing.T, r auth.PasskeyRequest) string {
	t.Helper()
	a := readAsked(t, r)
	var err error
	if d.user, err = b64.DecodeString(a.PublicKey.User.ID); err != nil {
		t.Fatal(err)
	}
	point, err := d.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	cose := append([]byte{0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32}, point[1:33]...) // EC2, ES256, P-256
	cose = append(append(cose, 0x22, 0x58, 32), point[33:]...)
	data := append(d.data(d.flags|attestedKey), make([]byte, 16)...)
	data = append(binary.BigEndian.AppendUint16(data, uint16(len(d.id))), d.id...)
	data = append(data, cose...)
	var object bytes.Buffer // CBOR: {fmt: "none", attStmt: {}, authData: …}
	object.WriteString("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58")
	object.WriteByte(byte(len(data)))
	object.Write(data)
	return d.answer(t, map[string]string{
		"clientDataJSON": b64.EncodeToString(d.clientData("webauthn.create", a.PublicKey.Challenge)), "attestationObject": b64.EncodeToString(object.Bytes()),
	})
}

// get answers a request for a passkey.
func (d *telephone) get(t *testing.T, r auth.PasskeyRequest) string {
	t.Helper()
	return d.sign(t, "webauthn.get", readAsked(t, r).PublicKey.Challenge)
}

func (d *telephone) sign(t *testing.T, kind, challenge string) string {
	t.Helper()
	client, data := d.clientData(kind, challenge), d.data(d.flags)
	hash := sha256.Sum256(client)
	sum := sha256.Sum256(append(bytes.Clone(data), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, d.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return d.answer(t, map[string]string{
		"clientDataJSON": b64.EncodeToString(client), "authenticatorData": b64.EncodeToString(data),
		"signature": b64.EncodeToString(signature), "userHandle": b64.EncodeToString(d.user),
	})
}

func (d *telephone) answer(t *testing.T, response map[string]string) string {
	t.Helper()
	id := b64.EncodeToString(d.id)
	text, err := json.Marshal(map[string]any{"id": id, "rawId": id, "type": "public-key", "response": response})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
