// Dex runs the login provider of that name, as it is, for tests: with one client, and one person whom its own mock
// connector logs in, kilgore@kilgore.trout of the group authors. It is a module by itself, so that what dex needs is
// in nobody's program.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/dexidp/dex/server"
	"github.com/dexidp/dex/storage"
	"github.com/dexidp/dex/storage/memory"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:5556", "address; the issuer is http://<listen>/dex")
	web := flag.String("web", "", "dex's directory of page templates")
	redirect := flag.String("redirect", "", "the client's redirect URI")
	secret := flag.String("secret", "", "the client's secret; its id is switchboard")
	flag.Parse()
	if err := run(*listen, *web, storage.Client{ID: "switchboard", Secret: *secret, RedirectURIs: []string{*redirect}}); err != nil {
		fmt.Fprintln(os.Stderr, "dex:", err)
		os.Exit(1)
	}
}

func run(listen, web string, client storage.Client) error {
	log := logrus.New()
	store := memory.New(log)
	mock := storage.Connector{ID: "mock", Type: "mockCallback", Name: "Example", Config: []byte("{}")}
	if err := errors.Join(store.CreateConnector(mock), store.CreateClient(client)); err != nil {
		return err
	}
	handler, err := server.NewServer(context.Background(), server.Config{
		Issuer: "http://" + listen + "/dex", Storage: store, SkipApprovalScreen: true, Logger: log,
		Web: server.WebConfig{Dir: web}, PrometheusRegistry: prometheus.NewRegistry(),
	})
	if err != nil {
		return err
	}
	s := &http.Server{Addr: listen, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	return s.ListenAndServe()
}
