package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
	"switchboard/hostagent/session"
	"switchboard/hostagent/terminal"
)

// policyCommand is `hostagent policy`.
type policyCommand struct {
	Show  policyShow  `cmd:"" help:"Print the policy in force, with the defaults of what the file leaves out."`
	Check policyCheck `cmd:"" help:"Explain a decision: allowed, asked or denied, and which line of which file says so. Exits 1 if denied. Changes nothing."`
}

type policyCheck struct {
	Start   policyCheckStart   `cmd:"" help:"May a session be started so?"`
	Restart policyCheckRestart `cmd:"" help:"Are sessions that a restart of the machine interrupts resumed by themselves? Says what the policy has against each that lives now."`
	Tool    policyCheckTool    `cmd:"" help:"May an agent call a tool so? For example: hostagent policy check tool Bash 'git push origin main'"`
}

type policyShow struct{}

// Run prints the policy, and on standard error what is wrong with its file.
func (policyShow) Run(env environment) error {
	rules, err := rulesFor(env)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(rules, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.stdout, "%s\n", text)
	return err
}

func rulesFor(env environment) (policy.Policy, error) {
	rules, broken, err := env.dir.policyInForce()
	if broken != nil {
		fmt.Fprintf(env.stderr, "hostagent: the file is not in force, but the policy before it: %v\n", broken)
	}
	return rules, err
}

// errDenied makes the exit status tell what the lines say.
var errDenied = errors.New("the policy denies this")

type policyCheckStart struct {
	Dir   string    `name:"working-dir" placeholder:"DIR" help:"The directory, absolute or ~/…; by default the policy's first root."`
	Mode  string    `default:"manual" help:"The permission mode."`
	Agent string    `default:"claude" help:"The kind of agent."`
	As    string    `placeholder:"NAME" help:"Who asks, by the name that he logs in with."`
	At    time.Time `placeholder:"TIME" help:"When, as in 2026-11-21T23:00:00+01:00; by default now."`
}

// Run says each thing that the policy looks at.
func (c policyCheckStart) Run(env environment) error {
	rules, err := rulesFor(env)
	if err != nil {
		return err
	}
	live, err := running(env)
	if err != nil {
		return err
	}
	if c.At.IsZero() {
		c.At = time.Now()
	}
	_, dirErr := rules.Directory(c.Dir)
	checks := []error{rules.Begin(c.At.Local()), rules.Agent(c.Agent), rules.Mode(c.Mode), dirErr, rules.Room(live, 0)}
	if c.As != "" {
		checks = append(checks, rules.Person(c.As))
	}
	checks = slices.DeleteFunc(checks, func(err error) bool { return err == nil })
	for _, err := range checks {
		setting, item := "", -1
		if refusal := (*policy.Refusal)(nil); errors.As(err, &refusal) {
			setting, item = refusal.Setting, refusal.Index
		}
		if setting != "quiet_hours" {
			item = -1
		}
		fmt.Fprintf(env.stdout, "denied: %v\n        %s\n", err, whereInPolicy(env, setting, item))
	}
	if len(checks) > 0 {
		return errDenied
	}
	_, err = fmt.Fprintln(env.stdout, "allowed")
	return err
}

type policyCheckRestart struct{}

// Run asks the policy what it would be asked after a restart now, but for how many may live at once.
func (policyCheckRestart) Run(env environment) error {
	rules, err := rulesFor(env)
	if err != nil {
		return err
	}
	if err := rules.Restart(); err != nil {
		fmt.Fprintf(env.stdout, "denied: %v\n        %s\n", err, whereInPolicy(env, "after_restart", -1))
		return errDenied
	}
	fmt.Fprintf(env.stdout, "allowed\n        %s\n", whereInPolicy(env, "after_restart", -1))
	sessions, err := session.List(env.dir.sessions())
	if err != nil {
		return err
	}
	live, _ := split(sessions)
	for _, s := range live {
		_, dirErr := rules.Directory(s.WorkingDir)
		if err := cmp.Or(rules.Begin(time.Now()), rules.Agent(s.Agent), rules.Mode(s.PermissionMode), dirErr); err != nil {
			fmt.Fprintf(env.stdout, "but not %s (%s): %v\n", terminal.Sanitize(s.Name), s.ID, err)
		}
	}
	return nil
}

// running counts the live sessions. Who started them is not known here.
func running(env environment) (live int, err error) {
	sessions, err := session.List(env.dir.sessions())
	for _, s := range sessions {
		if s.State != protocol.StateExited && s.State != protocol.StateUncertain {
			live++
		}
	}
	return live, err
}

type policyCheckTool struct {
	Tool  string `arg:"" help:"The tool: Bash, Edit, Read, WebFetch, Agent, mcp__server__tool, …"`
	Input string `arg:"" optional:"" help:"What it is called with: a command, a path, an address, a kind of subagent; or its whole input as JSON."`
	Dir   string `name:"working-dir" placeholder:"DIR" type:"path" help:"The session's directory; by default this one."`
}

// inputFields says which field of a tool's input the argument stands for.
var inputFields = map[string]string{
	"Read": "file_path", "Edit": "file_path", "MultiEdit": "file_path", "Write": "file_path", "NotebookEdit": "notebook_path",
	"Grep": "path", "Glob": "path", "WebFetch": "url", "Agent": "subagent_type", "Task": "subagent_type",
}

// Run judges the call as the agent's hook would.
func (c policyCheckTool) Run(env environment) error {
	rules, err := rulesFor(env)
	if err != nil {
		return err
	}
	call, err := c.call()
	if err != nil {
		return err
	}
	verdict := rules.Judge(session.PolicyCall(call, env.dir.sessions()))
	switch verdict.Decision {
	case policy.Denied:
		setting := "deny"
		if verdict.Index < 0 { // a rule that no file has
			setting = ""
		}
		fmt.Fprintf(env.stdout, "denied: %s\n        %s\n", verdict, whereInPolicy(env, setting, verdict.Index))
		return errDenied
	case policy.Asked:
		fmt.Fprintf(env.stdout, "asked: %s\n       %s\n", verdict, whereInPolicy(env, "ask", verdict.Index))
	default:
		fmt.Fprintln(env.stdout, "allowed: no rule means this; whether the agent asks depends on its permission mode and settings")
	}
	return nil
}

func (c policyCheckTool) call() (agentkind.ToolCall, error) {
	input := json.RawMessage(c.Input)
	if !strings.HasPrefix(c.Input, "{") || !json.Valid(input) {
		field, known := inputFields[c.Tool]
		if !known {
			field = "command"
		}
		input, _ = json.Marshal(map[string]string{field: c.Input}) // strings always marshal
	}
	dir := c.Dir
	if dir == "" {
		var err error
		if dir, err = os.Getwd(); err != nil {
			return agentkind.ToolCall{}, err
		}
	}
	kind, _ := agentkind.Find(agentkind.All(), "")
	payload, err := json.Marshal(map[string]any{"hook_event_name": kind.JudgedHook, "tool_name": c.Tool, "tool_input": input, "cwd": dir})
	return kind.ReadToolCall(payload), err
}

// whereInPolicy is the line that decides.
func whereInPolicy(env environment, setting string, item int) string {
	path := env.dir.policy()
	if _, err := policy.Load(path); err != nil {
		return setting + " of the policy in force"
	}
	if setting == "" {
		return "whatever the policy says"
	}
	line := policy.Line(path, setting, item)
	if line == 0 {
		return fmt.Sprintf("%s: the default, since %s does not say", setting, path)
	}
	return fmt.Sprintf("%s, line %d: %s", path, line, setting)
}
