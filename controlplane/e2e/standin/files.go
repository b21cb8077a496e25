package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"switchboard/controlplane/e2e/claudecli"
	"switchboard/controlplane/e2e/faults/agentlog"
)

// files are what the agent writes about itself.
type files struct {
	session    string
	cwd        string
	transcript string
	status     string
	log        string
	output     string
	started    time.Time
}

func newFiles(session string) (files, error) {
	home, cwd := os.Getenv("HOME"), ""
	cwd, err := os.Getwd()
	if err != nil {
		return files{}, err
	}
	config := filepath.Join(home, ".claude")
	f := files{
		session: session, cwd: cwd, started: time.Now(),
		transcript: filepath.Join(config, "projects", strings.ReplaceAll(cwd, "/", "-"), session+".jsonl"),
		status:     filepath.Join(config, "sessions", strconv.Itoa(os.Getpid())+".json"),
		log:        agentlog.Path(home, session),
		output:     agentlog.OutputPath(home, session, os.Getpid()),
	}
	for _, file := range []string{f.transcript, f.status, f.log} {
		err = errors.Join(err, os.MkdirAll(filepath.Dir(file), 0o700))
	}
	return f, err
}

// object is a JSON object.
type object map[string]any

// note writes to the agent's own log: one write, so that a kill leaves a line or none.
func (f files) note(kind agentlog.Kind, text, tool string) {
	entry := agentlog.Entry{At: time.Now(), PID: os.Getpid(), Kind: kind, Text: text, Tool: tool}
	appendLine(f.log, entry)
}

func (f files) say(kind string, message object, more object) {
	line := object{
		"type": kind, "timestamp": time.Now().UTC().Format(time.RFC3339Nano), "sessionId": f.session, "cwd": f.cwd,
		"message": message,
	}
	for name, value := range more {
		line[name] = value
	}
	appendLine(f.transcript, line)
}

// appendLine panics where it cannot write: an agent whose log is not whole proves nothing.
func appendLine(path string, line any) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	if _, err := file.Write(append(text, '\n')); err != nil {
		panic(err)
	}
}

// print writes to the terminal, and keeps that.
func (f files) print(text string) {
	file, err := os.OpenFile(f.output, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err == nil {
		_, err = file.WriteString(text)
	}
	if err != nil {
		panic(err)
	}
	_ = file.Close()
	_, _ = os.Stdout.WriteString(text) // a terminal that is gone ends us by a signal
}

// become rewrites the status file in place, as the CLI does.
func (f files) become(status, waitsFor string) {
	text, err := json.Marshal(object{
		"pid": os.Getpid(), "sessionId": f.session, "cwd": f.cwd, "version": claudecli.Version, "status": status,
		"waitingFor": waitsFor, "startedAt": f.started.UnixMilli(), "statusUpdatedAt": time.Now().UnixMilli(),
	})
	if err == nil {
		err = os.WriteFile(f.status, text, 0o600)
	}
	if err != nil {
		panic(err)
	}
}
