package main

import (
	_ "embed"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"text/template"
	"time"
)

// The service's description for launchd and for systemd.
var (
	//go:embed service.plist
	launchdTemplate string
	//go:embed service.unit
	systemdTemplate string
)

// serviceLabel names the LaunchAgent; serviceUnit the systemd unit.
const (
	serviceLabel = "dev.switchboard.hostagent"
	serviceUnit  = "switchboard-hostagent.service"
)

// installCommand is `hostagent install`.
type installCommand struct {
	Print bool `help:"Only print the service's description, and install nothing."`
}

// Run makes the host agent start at login. It belongs to the person, not to the machine: agents need the person's
// own logins and files.
func (c *installCommand) Run(env environment) error {
	if _, err := env.dir.load(); err != nil {
		return err
	}
	s, err := newService(env)
	if err != nil {
		return err
	}
	if c.Print {
		return s.write(env.stdout)
	}
	if err := s.stop(env); err != nil {
		return err
	}
	if env.dir.runs() {
		return errAgentRuns
	}
	if err := s.install(env); err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "The host agent runs, and starts at login. `hostagent status` and `hostagent doctor` say how it is.\n%s", s.hint)
	return nil
}

// uninstallCommand is `hostagent uninstall`.
type uninstallCommand struct{}

// Run stops the service and forgets it.
func (uninstallCommand) Run(env environment) error {
	s, err := newService(env)
	if err != nil {
		return err
	}
	if _, err := os.Stat(s.path); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(env.stdout, "It is not installed.")
		return nil
	}
	if err := s.stop(env); err != nil {
		return err
	}
	if err := os.Remove(s.path); err != nil {
		return err
	}
	fmt.Fprintln(env.stdout, "Uninstalled. Sessions live on; `hostagent run` starts the host agent by hand.")
	return nil
}

// service is how this system's own supervisor runs the host agent.
type service struct {
	Label   string
	Program string
	Dir     string
	Log     string
	Environ []variable

	path   string // of its description
	text   *template.Template
	loaded []string   // succeeds if the supervisor has it
	start  [][]string // commands
	end    [][]string
	hint   string
}

type variable struct{ Name, Value string }

// kept are the variables that the service gets from the person who installs it: where agents are found, and how
// the control plane is reached. A supervisor's own environment has none of them.
var kept = []string{"PATH", "SHELL", "LANG", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE"}

func newService(env environment) (*service, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the host agent's own program: %w", err)
	}
	s := &service{Label: serviceLabel, Program: program, Dir: string(env.dir), Log: filepath.Join(string(env.dir), "hostagent.log")}
	for _, name := range kept {
		if value := env.getenv(name); value != "" {
			s.Environ = append(s.Environ, variable{name, value})
		}
	}
	home := env.getenv("HOME")
	if home == "" {
		return nil, errors.New("HOME is not set")
	}
	switch runtime.GOOS {
	case "darwin":
		return s.launchd(home)
	case "linux":
		return s.systemd(home, env.getenv("XDG_CONFIG_HOME"))
	}
	return nil, fmt.Errorf("install knows macOS and Linux, not %s: start `hostagent run` in your own way", runtime.GOOS)
}

func (s *service) launchd(home string) (*service, error) {
	s.path = filepath.Join(home, "Library", "LaunchAgents", serviceLabel+".plist")
	domain := fmt.Sprintf("gui/%d", os.Getuid())
	s.loaded = []string{"launchctl", "print", domain + "/" + serviceLabel}
	s.start = [][]string{{"launchctl", "bootstrap", domain, s.path}}
	s.end = [][]string{{"launchctl", "bootout", domain + "/" + serviceLabel}}
	var err error
	s.text, err = template.New("plist").Funcs(template.FuncMap{"xml": escapeXML}).Parse(launchdTemplate)
	return s, err
}

func (s *service) systemd(home, config string) (*service, error) {
	if config == "" {
		config = filepath.Join(home, ".config")
	}
	s.path = filepath.Join(config, "systemd", "user", serviceUnit)
	s.loaded = []string{"systemctl", "--user", "cat", serviceUnit}
	s.start = [][]string{{"systemctl", "--user", "daemon-reload"}, {"systemctl", "--user", "enable", "--now", serviceUnit}}
	s.end = [][]string{{"systemctl", "--user", "disable", "--now", serviceUnit}}
	s.hint = "It stops when you log out, unless you run `sudo loginctl enable-linger $USER` once.\n"
	var err error
	s.text, err = template.New("unit").Funcs(template.FuncMap{"word": systemdWord, "value": systemdValue}).Parse(systemdTemplate)
	return s, err
}

func (s *service) write(w io.Writer) error { return s.text.Execute(w, s) }

func (s *service) install(env environment) error {
	if err := os.MkdirAll(filepath.Dir(s.path), 0o755); err != nil {
		return err
	}
	var text strings.Builder
	if err := s.write(&text); err != nil {
		return err
	}
	if err := replaceFile(s.path, []byte(text.String())); err != nil {
		return err
	}
	return command(env, s.start)
}

// stopTime is how long the host agent may take to answer the commands in hand and say that it leaves.
const stopTime = 10 * time.Second

// stop ends the service if the supervisor has it, and waits for the host agent to be gone: launchd does not.
func (s *service) stop(env environment) error {
	if err := command(env, [][]string{s.loaded}); err != nil {
		return nil //nolint:nilerr // there is nothing to stop
	}
	if err := command(env, s.end); err != nil {
		return err
	}
	for deadline := time.Now().Add(stopTime); env.dir.runs() && time.Now().Before(deadline); {
		select {
		case <-env.ctx.Done():
			return env.ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

func command(env environment, commands [][]string) error {
	for _, words := range commands {
		output, err := exec.CommandContext(env.ctx, words[0], words[1:]...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(words, " "), err, strings.TrimSpace(string(output)))
		}
	}
	return nil
}

func escapeXML(s string) (string, error) {
	var text strings.Builder
	err := xml.EscapeText(&text, []byte(s))
	return text.String(), err
}

// systemdWord quotes a word of a command line (systemd.service(5)): % begins a specifier and $ a variable.
func systemdWord(s string) string { return strings.ReplaceAll(systemdValue(s), "$", "$$") }

// systemdValue quotes an assignment (systemd.exec(5)), where $ means nothing.
func systemdValue(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`, "\n", `\n`).Replace(s) + `"`
}
