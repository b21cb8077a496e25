package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nkeys"

	"switchboard/hostagent/link"
	"switchboard/hostagent/protocol"
)

// enrollCommand is `hostagent enroll`.
type enrollCommand struct {
	URL     string `arg:"" help:"The control plane's address, such as https://switchboard.example.com."`
	Token   string `arg:"" name:"join-token" help:"From the control plane's page \"Register a host\". It works once. -: read it from standard input, where no other user of this machine can see it."`
	Replace bool   `help:"Become a new host, although this machine is one already. Its sessions are kept."`
}

// Run makes this machine a host. The key is made here and its private half stays here.
func (c *enrollCommand) Run(env environment) error {
	address, err := checkURL(c.URL)
	if err != nil {
		return err
	}
	token, err := c.token(env.stdin)
	if err != nil {
		return err
	}
	lock, before, err := env.dir.reserve(c.Replace)
	if err != nil {
		return err
	}
	defer lock.Close()
	return join(env, address, token, before, enrol)
}

// reserve takes the directory, and makes sure that its machine may become a host. Before is the host that it was.
func (d hostDir) reserve(replace bool) (lock *os.File, before hostConfig, err error) {
	lock, err = d.lock()
	if err != nil {
		return nil, before, err
	}
	before, err = d.load()
	switch {
	case err == nil && !replace:
		err = fmt.Errorf("this machine is the host %s of %s already; --replace makes it a new one", before.Name, before.URL)
	case replace, errors.Is(err, errNotEnrolled):
		return lock, before, nil
	default:
		err = fmt.Errorf("%w; --replace makes this machine a new host", err)
	}
	return nil, before, errors.Join(err, lock.Close())
}

// join trades a token for being a host, and remembers which.
func join(env environment, address, token string, before hostConfig,
	enrol func(context.Context, string, protocol.EnrolRequest) (protocol.EnrolReply, error),
) error {
	key, nkey, err := env.dir.newKey()
	if err != nil {
		return err
	}
	defer key.Wipe()
	reply, err := enrol(env.ctx, address, protocol.EnrolRequest{Version: protocol.Version, Token: token, NKey: nkey})
	if err != nil {
		return err
	}
	config := hostConfig{URL: address, Host: reply.Host, Name: reply.Name, Audience: reply.Audience, NKey: nkey}
	if err := env.dir.adopt(config, before); err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.stdout, "This machine is now the host %s of %s.\n"+
		"Next: `hostagent run` here, or `hostagent install` to start it at login.\n", reply.Name, address)
	return err
}

// maxToken is longer than any join token, in bytes.
const maxToken = 1 << 10

func (c *enrollCommand) token(stdin io.Reader) (string, error) {
	if c.Token != "-" {
		return c.Token, nil
	}
	text, err := io.ReadAll(io.LimitReader(stdin, maxToken))
	if err != nil {
		return "", fmt.Errorf("read the join token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" {
		return "", errors.New("standard input has no join token")
	}
	return token, nil
}

// checkURL admits https, and http on loopback only: the join token travels over it.
func checkURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil {
		return "", fmt.Errorf("control plane's address: %w", err)
	}
	if u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return "", fmt.Errorf("control plane's address %q: want only scheme and host, such as https://switchboard.example.com", u.Redacted())
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return "", fmt.Errorf("control plane's address %q: want https; plain http is for this machine only", u.Redacted())
	}
	return u.Scheme + "://" + u.Host, nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// newKey makes the host's key. One from an enrolment whose answer got lost is used again, so that repeating it with
// the same join token finds the host that it made.
func (d hostDir) newKey() (key nkeys.KeyPair, nkey string, err error) {
	key, err = loadKey(d.pendingKey())
	if errors.Is(err, fs.ErrNotExist) {
		key, err = d.makeKey()
	}
	if err != nil {
		return nil, "", err
	}
	nkey, err = key.PublicKey()
	return key, nkey, err
}

func (d hostDir) makeKey() (nkeys.KeyPair, error) {
	key, err := nkeys.CreateUser()
	if err != nil {
		return nil, err
	}
	seed, err := key.Seed()
	if err != nil {
		return nil, err
	}
	return key, replaceFile(d.pendingKey(), append(seed, '\n'))
}

// adopt makes the pending key the host's, and forgets the one before.
func (d hostDir) adopt(config, before hostConfig) error {
	if err := os.Rename(d.pendingKey(), d.key(config.NKey)); err != nil {
		return err
	}
	if err := d.save(config); err != nil {
		return err
	}
	if err := os.Remove(d.removed()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if before.NKey == "" {
		return nil
	}
	if err := os.Remove(d.key(before.NKey)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

const enrolTime = 30 * time.Second

func enrol(ctx context.Context, address string, r protocol.EnrolRequest) (protocol.EnrolReply, error) {
	var reply protocol.EnrolReply
	body, err := json.Marshal(r)
	if err != nil {
		return reply, err
	}
	ctx, cancel := context.WithTimeout(ctx, enrolTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address+protocol.EnrolPath, bytes.NewReader(body))
	if err != nil {
		return reply, err
	}
	request.Header.Set("Content-Type", "application/json")
	transport := link.NewTransport()
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // the join token goes only where it was meant to go
	}}
	response, err := client.Do(request)
	if err != nil {
		return reply, fmt.Errorf("%w\n%s", err, adviseReach(err))
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return reply, fmt.Errorf("read the control plane's answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return reply, readEnrolRefusal(address, response.Status, answer)
	}
	if err := json.Unmarshal(answer, &reply); err != nil {
		return reply, fmt.Errorf("the control plane's answer: %w", err)
	}
	_, err = protocol.ParseHostID(string(reply.Host))
	return reply, err
}

func readEnrolRefusal(address, status string, answer []byte) error {
	var refused protocol.Refusal
	if err := json.Unmarshal(answer, &refused); err != nil || refused.Code == "" {
		return fmt.Errorf("%s answered %s: is that a Switchboard control plane?", address, status)
	}
	return fmt.Errorf("not enrolled (%s): %w", refused.Code, &refused)
}
