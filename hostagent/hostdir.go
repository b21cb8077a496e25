package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/nats-io/nkeys"

	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

// hostDir is where a host keeps what it is: host.json, its key, its policy and its sessions.
type hostDir string

func (d hostDir) config() string     { return filepath.Join(string(d), "host.json") }
func (d hostDir) policy() string     { return filepath.Join(string(d), policy.File) }
func (d hostDir) sessions() string   { return filepath.Join(string(d), "sessions") }
func (d hostDir) program() string    { return filepath.Join(string(d), "hostagent") } // a link to the program that runs
func (d hostDir) removed() string    { return filepath.Join(string(d), "removed") }   // there once the control plane said so
func (d hostDir) pendingKey() string { return filepath.Join(string(d), "pending.nkey") }

// socket is where a running host agent listens: in a directory of its own, since the host's may be open to others.
func (d hostDir) socket() (dir, name string) { return filepath.Join(string(d), "local"), "agent.sock" }

func (d hostDir) key(nkey string) string {
	return filepath.Join(string(d), nkey+".nkey")
}

// hostConfig is host.json: which host this machine is, and whose.
type hostConfig struct {
	URL      string          `json:"url"` // the control plane's
	Host     protocol.HostID `json:"host_id"`
	Name     string          `json:"name"`
	Audience string          `json:"audience"` // what the control plane is called in a proof
	NKey     string          `json:"nkey"`     // the public half of the key; the file of that name has the seed
}

var errNotEnrolled = errors.New("this machine is no host yet: run `hostagent login <url>`, or make a join token on the control plane's " +
	"web page and run `hostagent enroll <url> <join token>`")

func (d hostDir) load() (hostConfig, error) {
	var config hostConfig
	text, err := os.ReadFile(d.config())
	if errors.Is(err, fs.ErrNotExist) {
		return config, errNotEnrolled
	}
	if err != nil {
		return config, err
	}
	if err := json.Unmarshal(text, &config); err != nil {
		return config, fmt.Errorf("%s: %w", d.config(), err)
	}
	if _, err := protocol.ParseHostID(string(config.Host)); err != nil {
		return config, fmt.Errorf("%s: %w", d.config(), err)
	}
	if !nkeys.IsValidPublicUserKey(config.NKey) {
		return config, fmt.Errorf("%s: nkey is no user's public key", d.config())
	}
	return config, nil
}

func (d hostDir) save(config hostConfig) error {
	text, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(d.config(), append(text, '\n'))
}

// replaceFile writes a file as a whole or not at all, for the owner only. It lasts once this has returned, so that
// a power cut leaves no empty key and no empty host.json.
func replaceFile(path string, text []byte) error {
	unfinished := path + ".new"
	file, err := os.OpenFile(unfinished, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := os.Rename(unfinished, path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// syncDirectory makes new and renamed names in a directory last.
func syncDirectory(dir string) error {
	file, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// loadKey reads a seed. A file that others may read is refused: the key may be known to them.
func loadKey(path string) (nkeys.KeyPair, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("the host's key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("the host's key %s can be read by others: enrol again (--replace), and remove the old host", path)
	}
	seed, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the host's key: %w", err)
	}
	key, err := nkeys.FromSeed([]byte(strings.TrimSpace(string(seed))))
	if err != nil {
		return nil, fmt.Errorf("the host's key %s: %w", path, err)
	}
	return key, nil
}

// lock takes the directory for one host agent, until the returned file is closed or the process is gone in
// whatever way.
func (d hostDir) lock() (*os.File, error) {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(string(d), "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errAgentRuns
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("%s: %w", d, err)
	}
	return file, nil
}

var errAgentRuns = errors.New("a host agent is running with this directory: stop it first (`hostagent uninstall`, or Ctrl-C where it runs)")

// runs reports whether a host agent is running with this directory.
func (d hostDir) runs() bool {
	if _, err := os.Stat(string(d)); err != nil {
		return false
	}
	file, err := d.lock()
	if err != nil {
		return errors.Is(err, errAgentRuns)
	}
	_ = file.Close()
	return false
}
