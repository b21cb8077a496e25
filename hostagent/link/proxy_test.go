package link_test

import (
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
)

// connectProxy is an HTTP proxy that tunnels for dev with the password secret, and notes where to.
func connectProxy(t *testing.T, asked *[]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Header.Get("Proxy-Authorization") != "Basic ZGV2OnNlY3JldA==" {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		*asked = append(*asked, r.Host)
		target, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer target.Close()
		client, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer client.Close()
		_, _ = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
		var copying sync.WaitGroup
		copying.Go(func() {
			_, _ = io.Copy(target, client)
			_ = target.Close()
		})
		_, _ = io.Copy(client, target)
		_ = client.Close()
		copying.Wait()
	}
}
