package outbound_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"switchboard/auth/outbound"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// internet is an https server called example.com and a client that finds it there. Its address is on loopback,
// which the client is told to allow.
type internet struct {
	client *outbound.Client
	port   string
	dialed atomic.Int32
}

func newInternet(t *testing.T, handler http.HandlerFunc) *internet {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	i := &internet{port: port}
	i.client = &outbound.Client{
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Roots: roots, Resolve: resolvesTo("127.0.0.1"),
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			i.dialed.Add(1)
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
	return i
}

func (i *internet) at(host, path string) string { return "https://" + host + ":" + i.port + path }

func resolvesTo(addresses ...string) func(context.Context, string) ([]netip.Addr, error) {
	return func(context.Context, string) ([]netip.Addr, error) {
		var all []netip.Addr
		for _, address := range addresses {
			all = append(all, netip.MustParseAddr(address))
		}
		return all, nil
	}
}

func TestGet(t *testing.T) {
	var seen *http.Request
	i := newInternet(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r
		w.Header().Set("Etag", `"1"`)
		_, _ = io.WriteString(w, "hello")
	})
	got, err := i.client.Get(t.Context(), i.at("example.com", "/x?y"), http.Header{"If-None-Match": {`"0"`}}, 5)
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != http.StatusOK || string(got.Body) != "hello" || got.Header.Get("Etag") != `"1"` {
		t.Errorf("got %d %q %v", got.Status, got.Body, got.Header)
	}
	if seen.Method != http.MethodGet || seen.RequestURI != "/x?y" || seen.Header.Get("If-None-Match") != `"0"` ||
		seen.Host != "example.com:"+i.port || seen.Header.Get("User-Agent") != "Switchboard" {
		t.Errorf("the server saw %s %s of %s: %v", seen.Method, seen.RequestURI, seen.Host, seen.Header)
	}
	for _, name := range []string{"Accept-Encoding", "Cookie", "Authorization"} {
		if seen.Header.Get(name) != "" {
			t.Errorf("sent %s: %s", name, seen.Header.Get(name))
		}
	}
}

func TestGetAnswers(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		err    string // empty: the status is the caller's to judge
		status int
	}{
		{"a redirect is not followed", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://169.254.169.254/latest/meta-data/")
			w.WriteHeader(http.StatusFound)
		}, "", http.StatusFound},
		{"not found", http.NotFound, "", http.StatusNotFound},
		{"one byte too many", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(make([]byte, 101))
		}, "too large", 0},
		{"without end", func(w http.ResponseWriter, _ *http.Request) {
			for range 10_000 {
				if _, err := w.Write(make([]byte, 1000)); err != nil {
					return
				}
			}
		}, "too large", 0},
		{"packed though not asked for", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
		}, `encoded as "gzip"`, 0},
		{"a header of 100 kB", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 100_000))
		}, "headers exceeded", 0},
		{"cut off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "50")
			_, _ = io.WriteString(w, "half")
		}, "EOF", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := newInternet(t, test.answer)
			got, err := i.client.Get(t.Context(), i.at("example.com", "/"), nil, 100)
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Fatalf("got %v, want %q", err, test.err)
			}
			if got.Status != test.status || i.dialed.Load() != 1 {
				t.Errorf("status %d after %d connections", got.Status, i.dialed.Load())
			}
		})
	}
}

func TestPost(t *testing.T) {
	var sent string
	i := newInternet(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent = r.Header.Get("Content-Type") + " " + string(body)
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write(bytes.Repeat([]byte("x"), 100_000))
	})
	got, err := i.client.Post(t.Context(), i.at("example.com", "/"), http.Header{"Content-Type": {"text/plain"}}, []byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if sent != "text/plain hello" || got.Status != http.StatusTooManyRequests || len(got.Body) != 4096 || got.RetryAfter(time.Now()) != 7*time.Second {
		t.Errorf("sent %q; got %d with %d bytes, retry after %s", sent, got.Status, len(got.Body), got.RetryAfter(time.Now()))
	}
	_, err = i.client.Post(t.Context(), i.at("example.com", "/"), nil, make([]byte, outbound.MaxPost+1))
	if !errors.Is(err, outbound.ErrTooLarge) || i.dialed.Load() != 1 {
		t.Errorf("too much to post: %v after %d connections", err, i.dialed.Load())
	}
}

func TestCertificateIsChecked(t *testing.T) {
	i := newInternet(t, func(http.ResponseWriter, *http.Request) {})
	if _, err := i.client.Get(t.Context(), i.at("other.test", "/"), nil, 1); err == nil || !strings.Contains(err.Error(), "not other.test") {
		t.Errorf("another name: %v", err)
	}
	i.client.Roots = x509.NewCertPool()
	if _, err := i.client.Get(t.Context(), i.at("example.com", "/"), nil, 1); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("nobody certifies: %v", err)
	}
}

// TestRebinding has a name that leads to a public address the first time it is asked for, and inside afterwards.
func TestRebinding(t *testing.T) {
	asked, dialed := 0, []string(nil)
	client := &outbound.Client{
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			asked++
			if asked == 1 {
				return []netip.Addr{netip.MustParseAddr("93.184.216.34")}, nil
			}
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		},
		Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			dialed = append(dialed, address)
			return nil, errors.New("nobody there")
		},
	}
	_, _ = client.Get(t.Context(), "https://rebind.test/", nil, 1)
	_, err := client.Get(t.Context(), "https://rebind.test/", nil, 1)
	if !errors.Is(err, outbound.ErrRefused) {
		t.Errorf("the second time: %v", err)
	}
	if asked != 2 || fmt.Sprint(dialed) != "[93.184.216.34:443]" {
		t.Errorf("asked %d times, dialed %v", asked, dialed)
	}
}

func TestOnlyAllowedAddressesAreDialed(t *testing.T) {
	var dialed []string
	client := &outbound.Client{
		Resolve: resolvesTo("10.0.0.1", "::1", "93.184.216.34", "2606:2800:220:1::1"),
		Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			dialed = append(dialed, address)
			return nil, errors.New("nobody there")
		},
	}
	if _, err := client.Get(t.Context(), "https://mixed.test:8443/", nil, 1); err == nil {
		t.Error("no error")
	}
	if want := "[93.184.216.34:8443 [2606:2800:220:1::1]:8443]"; fmt.Sprint(dialed) != want {
		t.Errorf("dialed %v, want %s", dialed, want)
	}
}

// TestProxyIsIgnored would fail if the request went to the proxy, which nobody serves.
func TestProxyIsIgnored(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	i := newInternet(t, func(http.ResponseWriter, *http.Request) {})
	if _, err := i.client.Get(t.Context(), i.at("example.com", "/"), nil, 1); err != nil {
		t.Error(err)
	}
}

func TestTimeout(t *testing.T) {
	for name, client := range map[string]*outbound.Client{
		"a resolver that hangs": {Resolve: func(ctx context.Context, _ string) ([]netip.Addr, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}},
		"addresses that do not answer": {
			Resolve: resolvesTo("93.184.216.34", "93.184.216.35", "93.184.216.36"),
			Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			},
		},
		"a server that never speaks": {
			Resolve: resolvesTo("93.184.216.34"),
			Dial: func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go func() { _, _ = io.Copy(io.Discard, theirs) }()
				return ours, nil
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				_, err := client.Get(t.Context(), "https://slow.test/", nil, 1)
				if err == nil || time.Since(began) > outbound.Timeout {
					t.Errorf("after %s: %v", time.Since(began), err)
				}
				synctest.Wait()
			})
		})
	}
}

// TestSlowBody waits for real: the server sends one byte, and then no more within the time limit.
func TestSlowBody(t *testing.T) {
	gone := make(chan struct{})
	i := newInternet(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "x")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(gone)
	})
	began := time.Now()
	_, err := i.client.Get(t.Context(), i.at("example.com", "/"), nil, 100)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 2*outbound.Timeout {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
	<-gone
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, "-1": 0, "soon": 0, "99999999": 24 * time.Hour, "99999999999999999999": 0,
		"Sat, 21 Nov 2026 12:00:30 GMT": 30 * time.Second, "Sat, 21 Nov 2026 11:00:00 GMT": 0,
	} {
		r := outbound.Response{Header: http.Header{"Retry-After": {value}}}
		if got := r.RetryAfter(now); got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
}
