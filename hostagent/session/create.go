package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

// The size of a terminal that nobody looks at yet.
const (
	firstCols = 120
	firstRows = 40
)

// maxName is how many bytes a session's name may have.
const maxName = 100

// Create starts an agent in a terminal of its own. The same command again answers with what it has created.
func (m *Manager) Create(ctx context.Context, r protocol.CreateSessionRequest) (protocol.SessionReply, error) {
	free, err := m.creating.take(ctx, whileStarting)
	if err != nil {
		return protocol.SessionReply{}, err
	}
	defer free()
	if s, err := m.session(r.Session); err == nil {
		return m.createdBefore(ctx, s, r)
	}
	if err := m.accepts(r.Act); err != nil {
		return protocol.SessionReply{}, err
	}
	b, err := m.plan(ctx, r)
	if err != nil {
		return protocol.SessionReply{}, err
	}
	if err := m.startWithdrawn(b.Session); err != nil {
		return protocol.SessionReply{}, err
	}
	return m.commence(ctx, b, start{conversation: string(b.Session)})
}

// commence starts a session's first run.
func (m *Manager) commence(ctx context.Context, b birth, how start) (protocol.SessionReply, error) {
	if exists(filepath.Join(m.dir(b.Session), birthFile)) {
		return protocol.SessionReply{}, protocol.Errorf(protocol.CodeInternal, "this host has a session %s that cannot be opened; see its log", b.Session)
	}
	if err := os.Mkdir(m.dir(b.Session), 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return protocol.SessionReply{}, unavailable("making the session's directory", err)
	}
	if err := b.write(m.dir(b.Session)); err != nil {
		return protocol.SessionReply{}, unavailable("noting the session", err)
	}
	if err := m.launch(ctx, b, how); err != nil {
		// Nothing runs, and nothing of it is to be seen: the same command may try again.
		return protocol.SessionReply{}, errors.Join(err, os.RemoveAll(m.dir(b.Session)))
	}
	s, err := m.load(b.Session)
	if err != nil {
		return protocol.SessionReply{}, err
	}
	return s.afterStart(ctx, 1)
}

func (m *Manager) createdBefore(ctx context.Context, s *session, r protocol.CreateSessionRequest) (protocol.SessionReply, error) {
	if s.born().Command != r.Command {
		return protocol.SessionReply{}, protocol.Errorf(protocol.CodeConflict, "this host has a session %s already", r.Session)
	}
	return protocol.SessionReply{Session: s.state()}, ctx.Err()
}

// afterStart waits until the run is known to the session, so that the reply shows it.
func (s *session) afterStart(ctx context.Context, run int) (protocol.SessionReply, error) {
	err := s.until(ctx, func(f *fold) bool { return f.runs >= run })
	return protocol.SessionReply{Session: s.state()}, err
}

// plan checks everything that was asked for, and says what will be started.
func (m *Manager) plan(ctx context.Context, r protocol.CreateSessionRequest) (birth, error) {
	if _, err := protocol.ParseSessionID(string(r.Session)); err != nil {
		return birth{}, protocol.Errorf(protocol.CodeInvalid, "%v", err)
	}
	if err := checkName(r.Name); err != nil {
		return birth{}, protocol.Errorf(protocol.CodeInvalid, "name: %v", err)
	}
	kind, ok := agentkind.Find(m.Kinds, r.Agent)
	if !ok {
		return birth{}, protocol.Errorf(protocol.CodeInvalid, "this host knows no agent %.50q", r.Agent)
	}
	mode := r.PermissionMode
	if mode == "" {
		mode = kind.DefaultMode
	}
	if !slices.Contains(kind.Modes, mode) {
		return birth{}, protocol.Errorf(protocol.CodeInvalid, "%s has no permission mode %.50q; it has %s", kind.Name, mode, strings.Join(kind.Modes, ", "))
	}
	if err := errors.Join(m.rules().Begin(m.Now()), m.rules().Agent(kind.Name), m.rules().Mode(mode), m.rules().Room(m.live(r.Actor))); err != nil {
		return birth{}, fromPolicy(err)
	}
	dir, err := m.rules().Directory(r.WorkingDir)
	if err != nil {
		return birth{}, fromPolicy(err)
	}
	program, version, err := FindProgram(ctx, m.rules(), m.Environ, kind)
	if err != nil {
		return birth{}, protocol.Errorf(protocol.CodeUnavailable, "%v", err)
	}
	if err := m.drivable(kind, version); err != nil {
		return birth{}, err
	}
	return birth{
		Session: r.Session, Command: r.Command, Actor: r.Actor, Name: r.Name, Agent: kind.Name, AgentVersion: version,
		Program: program, WorkingDir: dir, PermissionMode: mode, At: m.Now(),
	}, nil
}

// drivable refuses a version in which nothing works, or in which the owner's rules would not hold.
func (m *Manager) drivable(kind agentkind.Kind, version string) error {
	needed := []agentkind.Feature{agentkind.FeatureSessions}
	if rules := m.rules(); len(rules.Deny)+len(rules.Ask) > 0 {
		needed = append(needed, agentkind.FeatureRules)
	}
	for _, feature := range needed {
		if why := kind.Withheld(version, feature); why != "" {
			return protocol.Errorf(protocol.CodeUnavailable, "this version of the agent is not started from here (%s): %s", feature, why)
		}
	}
	return nil
}

// checkName admits what can stand as the value of an option and in a terminal's title.
func checkName(name string) error {
	switch {
	case len(name) > maxName:
		return fmt.Errorf("longer than %d bytes", maxName)
	case !utf8.ValidString(name):
		return errors.New("not valid UTF-8")
	case strings.HasPrefix(name, "-"):
		return errors.New("begins with -")
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return errors.New("has a character that cannot be shown")
	}
	return nil
}

// live counts the sessions that run, and of these the ones that this person started.
func (m *Manager) live(actor string) (all, own int) {
	for _, s := range m.all() {
		if s.exited() {
			continue
		}
		all++
		if s.born().Actor == actor {
			own++
		}
	}
	return all, own
}

// start is how an agent is started.
type start struct {
	conversation string // the agent's own id for it
	resume       bool   // it is there already
	why          string // it is started, if nobody asked for just that
}

// launch starts the agent under a holder. If it returns an error, nothing runs.
func (m *Manager) launch(ctx context.Context, b birth, how start) error {
	kind, ok := agentkind.Find(m.Kinds, b.Agent)
	if !ok {
		return protocol.Errorf(protocol.CodeUnavailable, "this host no longer knows the agent %q", b.Agent)
	}
	dir := m.dir(b.Session)
	settings := filepath.Join(dir, "settings.json")
	if err := replaceFile(settings, kind.Settings(func(event string) string { return m.hookCommand(dir, event) })); err != nil {
		return unavailable("writing the agent's settings", err)
	}
	launch := agentkind.Launch{Session: how.conversation, Resume: how.resume, Name: b.Name, Mode: b.PermissionMode, SettingsFile: settings}
	spec := holder.Spec{
		Session: b.Session, Argv: append([]string{b.Program}, kind.Args(launch)...),
		Env: agentEnvironment(m.Environ, kind), WorkingDir: b.WorkingDir, Cols: firstCols, Rows: firstRows,
		RecordingBytes: m.rules().Recording.Bytes(), Why: how.why,
	}
	if err := holder.Start(ctx, m.Self, dir, spec); err != nil {
		return unavailable("starting "+kind.Name, err)
	}
	return m.sameDirectory(ctx, b)
}

// sameDirectory notices that the directory was swapped between the check and the start.
func (m *Manager) sameDirectory(ctx context.Context, b birth) error {
	now, err := m.rules().Directory(b.WorkingDir)
	if err == nil && now == b.WorkingDir {
		return nil
	}
	client, dialErr := holder.Dial(ctx, m.dir(b.Session))
	if dialErr == nil {
		dialErr = errors.Join(client.Signal(ctx, killSignal), client.Close())
	}
	if dialErr != nil && !errors.Is(dialErr, holder.ErrGone) {
		m.Log.Error("session in a swapped directory not ended", "session", b.Session, "err", dialErr)
	}
	return protocol.Errorf(protocol.CodeRefused, "the directory %q changed while the session was started", b.WorkingDir)
}

// hookCommand is run by a shell, for each event of the agent's.
func (m *Manager) hookCommand(dir, event string) string {
	return shellQuote(m.Self) + " hook " + shellQuote(dir) + " " + shellQuote(event)
}

func shellQuote(word string) string {
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

func fromPolicy(err error) error {
	if refusal := (*policy.Refusal)(nil); errors.As(err, &refusal) {
		return protocol.Errorf(protocol.CodeRefused, "%s", refusal.Reason)
	}
	return protocol.Errorf(protocol.CodeInvalid, "%v", err)
}

// unavailable is for what this host cannot do now, when nothing was done.
func unavailable(doing string, err error) error {
	return protocol.Errorf(protocol.CodeUnavailable, "%s: %v", doing, err)
}
