package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// floodFor is how long a child writes as fast as its terminal is read.
const floodFor = time.Second

// floodKinds are what it writes.
func floodKinds() map[string]string {
	const words = "the quick brown fox jumps over the lazy dog and then it rests for a while here\r\n"
	var coloured strings.Builder
	for i, word := range strings.Fields(words) {
		fmt.Fprintf(&coloured, "\x1b[%dC\x1b[1;38;5;%dm%s\x1b[0m \x1b[K", 1+i%3, 16+13*i, word)
	}
	return map[string]string{"plain": words, "ANSI": coloured.String() + "\r\n"}
}

// flood writes output of a kind into its terminal for a while, and how many bytes and nanoseconds it were into a
// file. The terminal holds little, so what was written is what was read.
func flood(kind, result string) error {
	// As full-screen programs do: the kernel passes the bytes on as they are.
	if _, err := term.MakeRaw(int(os.Stdin.Fd())); err != nil {
		return fmt.Errorf("making the terminal raw: %w", err)
	}
	line := floodKinds()[kind]
	block := []byte(strings.Repeat(line, 32<<10/len(line)))
	written := 0
	began := time.Now()
	for time.Since(began) < floodFor {
		n, err := os.Stdout.Write(block)
		if err != nil {
			return fmt.Errorf("flooding the terminal: %w", err)
		}
		written += n
	}
	text := fmt.Sprintln(written, time.Since(began).Nanoseconds())
	if err := os.WriteFile(result+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(result+".new", result)
}
