package agentkind

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// mostConversations bounds how many are read: the newest.
const mostConversations = 200

// Of a conversation its head tells how it began, and its tail how it was left.
const (
	claudeHead = 256 << 10 // bytes; the first message comes before the large snapshots
	claudeTail = 64 << 10
)

// claudeConversations finds the transcripts below <config>/projects. Only regular files count: a link could make any
// file one.
func claudeConversations(getenv func(string) string) ([]Conversation, error) {
	projects := filepath.Join(claudeConfigDir(getenv), "projects")
	dirs, err := os.ReadDir(projects)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing the conversations: %w", err)
	}
	var all []Conversation
	for _, dir := range dirs {
		files, err := os.ReadDir(filepath.Join(projects, dir.Name()))
		if !dir.IsDir() || err != nil {
			continue
		}
		for _, file := range files {
			id, isTranscript := strings.CutSuffix(file.Name(), ".jsonl")
			info, err := file.Info()
			if isTranscript && err == nil && info.Mode().IsRegular() && conversationID(id) != "" {
				all = append(all, Conversation{ID: id, Transcript: filepath.Join(projects, dir.Name(), file.Name()), At: info.ModTime()})
			}
		}
	}
	slices.SortFunc(all, func(a, b Conversation) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.ID, b.ID)) })
	var found []Conversation
	for _, c := range all[:min(len(all), mostConversations)] {
		if c.read() == nil && c.Dir != "" && c.Words != "" {
			found = append(found, c)
		}
	}
	return found, nil
}

// claudeOutline is what of any line a listing needs.
type claudeOutline struct {
	Dir  string `json:"cwd"`
	Mode string `json:"permissionMode"`
}

// read fills in what the transcript tells. One in which nobody has said anything has no words.
func (c *Conversation) read() error {
	// Something else may have been put in its place since it was found: a pipe would be waited for.
	file, err := os.OpenFile(c.Transcript, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", c.Transcript)
	}
	head, err := io.ReadAll(io.LimitReader(file, claudeHead))
	if err != nil {
		return err
	}
	from := max(info.Size()-claudeTail, 0)
	tail, err := io.ReadAll(io.NewSectionReader(file, from, claudeTail))
	if err != nil {
		return err
	}
	for line := range bytes.Lines(head) {
		c.begins(line)
	}
	for line := range bytes.Lines(tail) {
		c.goesOn(line)
	}
	return nil
}

func (c *Conversation) begins(text []byte) {
	var outline claudeOutline
	if json.Unmarshal(text, &outline) != nil {
		return // the head ends in it
	}
	c.Dir = cmp.Or(c.Dir, outline.Dir)
	c.Mode = cmp.Or(claudeModeName(outline.Mode), c.Mode)
	lines, err := readClaudeTranscript(text)
	if err != nil || c.Words != "" {
		return
	}
	for _, line := range lines {
		if line.Kind == LineUser {
			c.Words = cmp.Or(c.Words, line.Text)
		}
	}
}

func (c *Conversation) goesOn(text []byte) {
	var outline claudeOutline
	if json.Unmarshal(text, &outline) == nil {
		c.Mode = cmp.Or(claudeModeName(outline.Mode), c.Mode)
	}
}

// claudeModeName is a mode in the flag's words, or empty if it is none that we know.
func claudeModeName(mode string) string {
	if mode == "default" {
		return "manual"
	}
	if slices.Contains(Claude().Modes, mode) {
		return mode
	}
	return ""
}
