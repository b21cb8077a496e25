package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/link"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
	"switchboard/hostagent/session"
)

// doctorCommand is `hostagent doctor`.
type doctorCommand struct{}

// finding is one line of the doctor's: what was looked at, what is wrong, and what to do.
type finding struct {
	what    string
	detail  string // what was found, if it is well
	problem error
	advice  string
}

// examination is what the checks share. Later ones need what earlier ones found.
type examination struct {
	env    environment
	config hostConfig
	rules  policy.Policy
	link   *link.Link
}

// Run goes through the checks; each line says ok, or what is wrong and what to do.
func (doctorCommand) Run(env environment) error {
	e := &examination{env: env}
	healthy := true
	for _, check := range []func(context.Context) []finding{
		e.enrolled, e.reachable, e.letIn, e.directories, e.agents, e.paths, e.running,
	} {
		for _, f := range check(env.ctx) {
			healthy = healthy && f.problem == nil
			f.print(env)
		}
	}
	if !healthy {
		return errProblems
	}
	return nil
}

func (f finding) print(env environment) {
	if f.problem == nil {
		fmt.Fprintf(env.stdout, "ok       %s: %s\n", f.what, f.detail)
		return
	}
	fmt.Fprintf(env.stdout, "problem  %s: %v\n", f.what, f.problem)
	if f.advice != "" {
		fmt.Fprintf(env.stdout, "         → %s\n", f.advice)
	}
}

func (e *examination) enrolled(context.Context) []finding {
	config, err := e.env.dir.load()
	if err != nil {
		return []finding{{what: "enrolment", problem: err}}
	}
	e.config = config
	found := []finding{{what: "enrolment", detail: fmt.Sprintf("host %s of %s", config.Name, config.URL)}}
	l, err := newLink(e.env, config)
	if err != nil {
		return append(found, finding{what: "key", problem: err, advice: "enrol again: hostagent login --replace <url>"})
	}
	e.link = l
	return append(found, finding{what: "key", detail: e.env.dir.key(config.NKey)})
}

// maxSkew is how far the clocks may differ: half of what a proof allows.
const maxSkew = protocol.ProofAge / 2

// reachable asks the control plane for its health: name, proxy, TLS and clock are in that.
func (e *examination) reachable(ctx context.Context) []finding {
	if e.config.URL == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.config.URL+"/healthz", nil)
	if err != nil {
		return []finding{{what: "control plane", problem: err}}
	}
	transport := link.NewTransport()
	defer transport.CloseIdleConnections()
	through := "directly"
	if proxy, err := transport.Proxy(request); err == nil && proxy != nil {
		through = "through the proxy " + proxy.Redacted()
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return []finding{{what: "control plane, " + through, problem: err, advice: adviseReach(err)}}
	}
	defer response.Body.Close()
	found := []finding{{what: "control plane", detail: "answers, " + through}}
	if response.StatusCode != http.StatusOK {
		found[0] = finding{what: "control plane", problem: fmt.Errorf("answers %s", response.Status),
			advice: "ask its administrator; this host connects by itself once that is well"}
	}
	return append(found, clock(response.Header.Get("Date"), time.Now()))
}

func clock(date string, now time.Time) finding {
	theirs, err := http.ParseTime(date)
	if err != nil {
		return finding{what: "clock", problem: errors.New("the control plane does not say its time")}
	}
	skew := now.Sub(theirs).Round(time.Second)
	if skew.Abs() > maxSkew {
		return finding{what: "clock", problem: fmt.Errorf("differs from the control plane's by %s", skew),
			advice: "set the clock by NTP (macOS: System Settings, Date & Time; Linux: timedatectl set-ntp true)"}
	}
	return finding{what: "clock", detail: "agrees with the control plane's"}
}

// adviseReach says what to do about an address that cannot be reached.
func adviseReach(err error) string {
	var name *net.DNSError
	var unknown x509.UnknownAuthorityError
	var wrongName x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &name):
		return "the name is not known here: check the address, and the network or VPN"
	case errors.As(err, &unknown):
		return "the certificate's issuer is not trusted here: behind a company proxy, add its root certificate to the system's (on Linux SSL_CERT_FILE works too)"
	case errors.As(err, &wrongName), errors.As(err, &invalid):
		return "the certificate does not fit or has expired: check the address and this machine's clock"
	}
	return "check the network and, behind a proxy, HTTPS_PROXY and NO_PROXY (`hostagent install` keeps them for the service)"
}

// letIn asks whether the key is a host's. Only without a running agent does it open a connection as that does.
func (e *examination) letIn(ctx context.Context) []finding {
	if e.link == nil {
		return nil
	}
	if err := e.link.Ask(ctx); err != nil {
		return []finding{{what: "key accepted", problem: err, advice: adviseLetIn(err)}}
	}
	found := []finding{{what: "key accepted", detail: "the control plane knows this host"}}
	if e.env.dir.runs() {
		return found
	}
	if err := e.link.Try(ctx); err != nil {
		return append(found, finding{what: "connection", problem: err,
			advice: "something on the way does not pass WebSockets: a proxy in front of the control plane must (see its README)"})
	}
	return append(found, finding{what: "connection", detail: "WebSocket and NATS work"})
}

func adviseLetIn(err error) string {
	var refused *protocol.Refusal
	if errors.As(err, &refused) && refused.Code == protocol.ReasonClock {
		return "set this machine's clock by NTP"
	}
	if errors.Is(err, link.ErrRemoved) || refused != nil {
		return "enrol again: hostagent login --replace <url>"
	}
	return "see above"
}

func (e *examination) directories(context.Context) []finding {
	rules, err := policy.Load(e.env.dir.policy())
	if err != nil {
		return []finding{{what: "policy", problem: err,
			advice: "correct that file; until then the one before stays in force, and a host agent that is not running does not start"}}
	}
	e.rules = rules
	found := []finding{{what: "policy", detail: e.env.dir.policyState()}}
	for _, root := range rules.Roots {
		f := finding{what: "root " + root, detail: "exists"}
		if _, err := rules.Directory(root); err != nil {
			f = finding{what: "root " + root, problem: errors.New("is no directory that can be used"), advice: "make it, or change roots in " + e.env.dir.policy()}
		}
		found = append(found, f)
	}
	return found
}

func (e *examination) agents(ctx context.Context) []finding {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var found []finding
	for _, kind := range agentkind.All() {
		if e.rules.Agent(kind.Name) != nil {
			continue
		}
		f := finding{what: "agent " + kind.Name}
		path, version, err := session.FindProgram(ctx, e.rules, os.Environ(), kind)
		f.detail = version + ", " + path
		if err != nil {
			f.problem = err
			f.advice = fmt.Sprintf("install %s, or name its place under programs in %s", kind.Program, e.env.dir.policy())
		}
		found = append(found, f)
		if err == nil {
			found = append(found, features(kind, version)...)
		}
	}
	return found
}

// features says what this version of an agent was found to be good for.
func features(kind agentkind.Kind, version string) []finding {
	what := "agent " + kind.Name + " " + version
	proof, ok := kind.Proof(version)
	if !ok {
		return []finding{{what: what, detail: "was not tested with this host agent; nothing is withheld"}}
	}
	var found []finding
	for _, feature := range agentkind.Features() {
		f := finding{what: what + ", " + string(feature), detail: proof.Tally(feature)}
		if why := kind.Withheld(version, feature); why != "" {
			f.problem = fmt.Errorf("withheld: %s", why)
			f.advice = "use the terminal for this, or install another version"
		}
		found = append(found, f)
	}
	return found
}

// paths checks that sessions can be kept, by whoever runs this.
func (e *examination) paths(context.Context) []finding {
	dir := e.env.dir.sessions()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return []finding{{what: "sessions' directory", problem: err}}
	}
	trial, err := os.CreateTemp(dir, "doctor")
	if err != nil {
		return []finding{{what: "sessions' directory", problem: err, advice: "make it writable for you"}}
	}
	if err := errors.Join(trial.Close(), os.Remove(trial.Name())); err != nil {
		return []finding{{what: "sessions' directory", problem: err}}
	}
	return []finding{{what: "sessions' directory", detail: dir + longPath(dir)}}
}

// longPath notes where sockets go that do not fit under dir: macOS allows 104 bytes.
func longPath(dir string) string {
	socket := filepath.Join(dir, string(protocol.NewSessionID()), "holder.sock")
	if len(socket) < 104 {
		return ""
	}
	return " (too long a path for sockets, which lie under /tmp instead)"
}

func (e *examination) running(context.Context) []finding {
	if e.config.URL == "" {
		return nil
	}
	if _, err := os.Stat(e.env.dir.removed()); err == nil {
		return []finding{{what: "host agent", problem: link.ErrRemoved, advice: "enrol again: hostagent login --replace <url>"}}
	}
	if !e.env.dir.runs() {
		return []finding{{what: "host agent", problem: errors.New("does not run"), advice: "hostagent install, or hostagent run"}}
	}
	return []finding{{what: "host agent", detail: "runs"}}
}
