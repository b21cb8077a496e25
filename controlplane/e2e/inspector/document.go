package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// document is a client metadata document, served over TLS as a client's maker serves his.
type document struct {
	URL       string
	authority string // file with the certificate that vouches for the server
	server    *http.Server
	fetched   atomic.Int64
}

// publish serves a document that lists the loopback address, whose port is free (RFC 8252 §7.3).
func publish(ctx context.Context, dir string) (*document, error) {
	certificate, err := selfSigned()
	if err != nil {
		return nil, err
	}
	d := &document{authority: filepath.Join(dir, "authority.pem")}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})
	if err := os.WriteFile(d.authority, text, 0o644); err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d.URL = "https://" + listener.Addr().String() + "/client.json"
	d.server = &http.Server{Handler: d, ReadHeaderTimeout: time.Minute, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}}}
	go func() { _ = d.server.ServeTLS(listener, "", "") }() // until Close
	return d, nil
}

// Close ends the server.
func (d *document) Close() { _ = d.server.Close() }

func (d *document) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	d.fetched.Add(1)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{ // whoever asked may be gone
		"client_id": d.URL, "client_name": "MCP Inspector", "redirect_uris": []string{"http://127.0.0.1/oauth/callback"},
		"grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"},
		"token_endpoint_auth_method": "none", "application_type": "native",
	})
}

func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
