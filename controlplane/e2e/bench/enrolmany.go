package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"

	"github.com/nats-io/nkeys"

	"switchboard/hostagent/link"
	"switchboard/hostagent/protocol"
)

// hostsPerAddress: an address may enrol 60 at once.
const hostsPerAddress = 50

// enrolMany makes hosts as people do: a join token from the web page for each, traded for a registration.
func (p *product) enrolMany(ctx context.Context) ([]*link.Link, error) {
	var links []*link.Link
	for number := range manyHosts {
		token, err := p.browser.JoinToken(ctx, fmt.Sprintf("idle-%d", number))
		if err != nil {
			return nil, err
		}
		l, err := p.enrol(ctx, token, number)
		if err != nil {
			return nil, fmt.Errorf("enrolling host %d: %w", number, err)
		}
		links = append(links, l)
	}
	return links, nil
}

func (p *product) enrol(ctx context.Context, token string, number int) (*link.Link, error) {
	key, err := nkeys.CreateUser()
	if err != nil {
		return nil, err
	}
	public, err := key.PublicKey()
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(protocol.EnrolRequest{Version: protocol.Version, Token: token, NKey: public})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.plane.URL()+protocol.EnrolPath, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	transport := &http.Transport{DialContext: from(number / hostsPerAddress).DialContext}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	var reply protocol.EnrolReply
	if err := json.NewDecoder(response.Body).Decode(&reply); err != nil {
		return nil, err
	}
	return &link.Link{
		URL: p.plane.URL(), Host: reply.Host, Audience: reply.Audience, Key: key, Agent: "bench",
		Source: nothing{}, Log: slog.New(slog.DiscardHandler),
	}, nil
}

// from dials from one of many loopback addresses, where there are many.
func from(street int) *net.Dialer {
	if runtime.GOOS != "linux" {
		return &net.Dialer{}
	}
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+street))}}
}
