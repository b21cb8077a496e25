package dispatch

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"switchboard/hostagent/protocol"
)

// ErrUnknownKey says that a public key is no host's: never enrolled, or removed.
var ErrUnknownKey = errors.New("no host has this key")

// HostByKey finds the host whose public key it is; ErrUnknownKey if there is none now.
type HostByKey func(ctx context.Context, nkey string) (protocol.HostID, error)

// How long a host may use what it was allowed: then NATS drops it, it connects again, and is judged again.
const (
	lease        = time.Hour
	replyWithin  = 30 * time.Second // after that the command's caller has long gone
	judgeWithin  = 4 * time.Second  // below NATS's own limit of 5 s
	judgesAtOnce = 8
)

// Callout answers NATS's question about every connection that is not the control plane's: who is it, and what may
// it do? So Postgres is the only truth about hosts.
type Callout struct {
	Conn      *nats.Conn
	Issuer    nkeys.KeyPair // signs the answers; NATS knows its public half
	Seal      nkeys.KeyPair // seals them
	Account   string        // NATS account that hosts are put in
	HostByKey HostByKey
	Log       *slog.Logger
	Now       func() time.Time
}

// Serve answers until stop. All replicas serve; each question reaches one of them.
func (c *Callout) Serve(ctx context.Context) (stop func(), err error) {
	return listen(c.Conn, "$SYS.REQ.USER.AUTH", judgesAtOnce, func(message *nats.Msg) {
		ctx, cancel := context.WithTimeout(ctx, judgeWithin)
		defer cancel()
		if err := c.answer(ctx, message); err != nil {
			c.Log.ErrorContext(ctx, "connection not judged", "err", err)
		}
	})
}

func (c *Callout) answer(ctx context.Context, message *nats.Msg) error {
	serverKey := message.Header.Get("Nats-Server-Xkey")
	body, err := c.Seal.Open(message.Data, serverKey)
	if err != nil {
		return fmt.Errorf("open the question: %w", err)
	}
	question, err := jwt.DecodeAuthorizationRequestClaims(string(body))
	if err != nil {
		return fmt.Errorf("read the question: %w", err)
	}
	verdict := jwt.NewAuthorizationResponseClaims(question.UserNkey)
	verdict.Audience = question.Server.ID
	host, err := c.judge(ctx, question)
	if err == nil {
		verdict.Jwt, err = c.permit(host, question.UserNkey)
	}
	if err != nil {
		c.Log.WarnContext(ctx, "connection refused by NATS", "nkey", question.ConnectOptions.Nkey, "err", err)
		verdict.Error = "not a host of this control plane"
	}
	text, err := verdict.Encode(c.Issuer)
	if err != nil {
		return fmt.Errorf("sign the answer: %w", err)
	}
	sealed, err := c.Seal.Seal([]byte(text), serverKey)
	if err != nil {
		return fmt.Errorf("seal the answer: %w", err)
	}
	return message.Respond(sealed)
}

// judge says whose connection it is. The nonce is the server's own, new for each connection.
func (c *Callout) judge(ctx context.Context, question *jwt.AuthorizationRequestClaims) (protocol.HostID, error) {
	shown := question.ConnectOptions
	if shown.Nkey == "" || question.ClientInformation.Nonce == "" {
		return "", errors.New("no key shown")
	}
	signature, err := base64.RawURLEncoding.DecodeString(shown.SignedNonce)
	if err != nil {
		return "", fmt.Errorf("signature: %w", err)
	}
	if err := verify(shown.Nkey, []byte(question.ClientInformation.Nonce), signature); err != nil {
		return "", err
	}
	return c.HostByKey(ctx, shown.Nkey)
}

// verify checks a signature by a user key. Another kind of key is no host's.
func verify(nkey string, text, signature []byte) error {
	if !nkeys.IsValidPublicUserKey(nkey) {
		return errors.New("not a public user key")
	}
	key, err := nkeys.FromPublicKey(nkey)
	if err != nil {
		return err
	}
	return key.Verify(text, signature)
}

// permit is all that a host may do on NATS: hear its own commands and the answers to its own requests, report as
// itself, and answer once what it was asked.
func (c *Callout) permit(host protocol.HostID, connection string) (string, error) {
	claims := jwt.NewUserClaims(connection)
	claims.Name = string(host)
	claims.Audience = c.Account
	claims.Expires = c.Now().Add(lease).Unix()
	claims.Sub.Allow = jwt.StringList{protocol.AllCommands(host), protocol.InboxPrefix(host) + ".>"}
	claims.Pub.Allow = jwt.StringList{protocol.AllEvents(host)}
	claims.Resp = &jwt.ResponsePermission{MaxMsgs: 1, Expires: replyWithin}
	return claims.Encode(c.Issuer)
}
