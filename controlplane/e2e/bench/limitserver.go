package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const (
	limitDatabase = "SWITCHBOARD_BENCH_DATABASE" // URL, for the limit's process
	limitToken    = "limit"
	limitSubject  = "agent"
	typeSubject   = "typist"
	limitPayload  = "sixty-four bytes, as many as a short message to an agent has...."
)

// The limit's tools: the shortest program that does what ours do.
const (
	toolNothing      = "nothing"        // token check, tools/call
	toolRead         = "read"           // and a row that has a key, as an answer that is encoded twice
	toolReadAll      = "read_all"       // and as many rows as list_sessions has sessions
	toolAsk          = "ask"            // and a round trip to an agent in another process
	toolWriteAndAsk  = "write_and_ask"  // and a committed row before that
	toolWriteAndType = "write_and_type" // the same, and the agent writes to a terminal
)

// limit is the program that sets the limit.
type limit struct {
	pool *pgxpool.Pool
	conn *nats.Conn
}

// serveLimit runs the limit until standard input ends. It says where: the URL of its endpoint, and NATS's.
func serveLimit(ctx context.Context, database string, stdin io.Reader, stdout io.Writer) error {
	bus, conn, err := startBareNATS()
	if err != nil {
		return err
	}
	defer bus.Shutdown()
	defer conn.Close()
	pool, err := pgxpool.New(ctx, database)
	if err != nil {
		return fmt.Errorf("opening the limit's database: %w", err)
	}
	defer pool.Close()
	if err := makeLimitTables(ctx, pool); err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening for the limit: %w", err)
	}
	l := &limit{pool: pool, conn: conn}
	mux := http.NewServeMux()
	mux.Handle("/mcp", checkToken(l.tools()))
	mux.Handle("/", oauthLimit())
	web := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	fmt.Fprintf(stdout, "http://%s/mcp %s\n", listener.Addr(), bus.ClientURL())
	_, _ = io.Copy(io.Discard, stdin)
	err = web.Close()
	if reason := <-served; !errors.Is(reason, http.ErrServerClosed) {
		err = errors.Join(err, reason)
	}
	return err
}

// startBareNATS starts a server in this process that anybody may use, and connects to it in memory.
func startBareNATS() (*natsserver.Server, *nats.Conn, error) {
	bus, err := natsserver.NewServer(&natsserver.Options{Host: "127.0.0.1", Port: natsserver.RANDOM_PORT, NoSigs: true, NoLog: true})
	if err != nil {
		return nil, nil, fmt.Errorf("making a NATS server: %w", err)
	}
	bus.Start()
	if !bus.ReadyForConnections(5 * time.Second) {
		bus.Shutdown()
		return nil, nil, errors.New("starting a NATS server: not ready")
	}
	conn, err := nats.Connect("", nats.InProcessServer(bus))
	if err != nil {
		bus.Shutdown()
		return nil, nil, fmt.Errorf("connecting to a NATS server: %w", err)
	}
	return bus, conn, nil
}

// checkToken is the cheapest check that keeps no token in the clear: a hash and a map.
func checkToken(next http.Handler) http.Handler {
	good := map[[sha256.Size]byte]bool{sha256.Sum256([]byte(limitToken)): true}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !good[sha256.Sum256([]byte(token))] {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (l *limit) tools() http.Handler {
	tools := server.NewMCPServer("limit", "1")
	for name, handle := range map[string]func(context.Context) (*mcp.CallToolResult, error){
		toolNothing:     func(context.Context) (*mcp.CallToolResult, error) { return done(nil) },
		toolRead:        l.read,
		toolReadAll:     l.readAll,
		toolAsk:         func(ctx context.Context) (*mcp.CallToolResult, error) { return done(l.ask(ctx)) },
		toolWriteAndAsk: func(ctx context.Context) (*mcp.CallToolResult, error) { return done(l.writeAndAsk(ctx, limitSubject)) },
		toolWriteAndType: func(ctx context.Context) (*mcp.CallToolResult, error) {
			return done(l.writeAndAsk(ctx, typeSubject))
		},
	} {
		tools.AddTool(mcp.NewTool(name), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return handle(ctx)
		})
	}
	return server.NewStreamableHTTPServer(tools, server.WithStateLess(true))
}

func done(err error) (*mcp.CallToolResult, error) {
	if err != nil {
		return nil, err
	}
	return mcp.NewToolResultText("done"), nil
}

func (l *limit) ask(ctx context.Context) error { return ask(ctx, l.conn) }

func (l *limit) writeAndAsk(ctx context.Context, subject string) error {
	if _, err := l.pool.Exec(ctx, `INSERT INTO notes (text) VALUES ($1)`, limitPayload); err != nil {
		return err
	}
	_, err := l.conn.RequestWithContext(ctx, subject, []byte(limitPayload))
	return err
}

func ask(ctx context.Context, conn *nats.Conn) error {
	_, err := conn.RequestWithContext(ctx, limitSubject, []byte(limitPayload))
	return err
}

// serveAgent answers at once whatever it is asked over NATS, until standard input ends.
func serveAgent(_ context.Context, bus string, stdin io.Reader, stdout io.Writer) error {
	return serveBus(bus, limitSubject, stdin, stdout, func(m *nats.Msg) { _ = m.Respond(m.Data) })
}

// serveTypist types what it is sent into a terminal of its own, and answers, until standard input ends.
func serveTypist(ctx context.Context, bus, socket string, stdin io.Reader, stdout io.Writer) (err error) {
	terminal, end, err := startStamper(ctx, socket)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	return serveBus(bus, typeSubject, stdin, stdout, func(m *nats.Msg) {
		text := pasteBegin + string(m.Data) + pasteEnd
		if _, err := terminal.WriteString(text); err == nil {
			_ = m.Respond(nil)
			_, _ = io.CopyN(io.Discard, terminal, int64(len(text))) // its echo, or the terminal would be full some time
		}
	})
}

func serveBus(bus, subject string, stdin io.Reader, stdout io.Writer, handle nats.MsgHandler) error {
	conn, err := nats.Connect(bus)
	if err != nil {
		return fmt.Errorf("connecting the limit's agent: %w", err)
	}
	defer conn.Close()
	if _, err := conn.Subscribe(subject, handle); err != nil {
		return fmt.Errorf("listening as the limit's agent: %w", err)
	}
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("listening as the limit's agent: %w", err)
	}
	fmt.Fprintln(stdout, "ready")
	_, _ = io.Copy(io.Discard, stdin)
	return nil
}
