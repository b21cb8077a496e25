package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"switchboard/auth"
)

// How long a secret may be (Standard Webhooks, "Signature scheme").
const (
	secretPrefix = "whsec_"
	minSecret    = 24 // bytes
	maxSecret    = 64
)

// ErrSecret says that a secret is none of Standard Webhooks'.
var ErrSecret = errors.New(`the secret must be "whsec_" and the base64 of 24 to 64 bytes`)

// CheckSecret refuses what could not sign.
func CheckSecret(secret auth.Secret) error {
	_, err := key(secret)
	return err
}

func key(secret auth.Secret) ([]byte, error) {
	encoded, ok := strings.CutPrefix(string(secret), secretPrefix)
	if !ok {
		return nil, ErrSecret
	}
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(key) < minSecret || len(key) > maxSecret {
		return nil, ErrSecret // err would repeat a part of it
	}
	return key, nil
}

// sign makes the webhook-signature header: one signature for each secret, the newest first.
func sign(id string, at time.Time, body []byte, secrets []auth.Secret) (string, error) {
	var signatures []string
	for _, secret := range secrets {
		key, err := key(secret)
		if err != nil {
			return "", err
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + timestamp(at) + "."))
		mac.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(signatures, " "), nil
}

func timestamp(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
