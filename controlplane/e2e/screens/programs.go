package main

import "time"

// program is one recording.
type program struct {
	name  string
	argv  []string
	steps []step
}

// step is keys, pressed once the screen shows some words (if any are named) and is quiet, and a while after that.
type step struct {
	keys  string
	after string
	pause time.Duration
}

// Keys as xterm sends them.
const (
	up, down, right, left = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"
	pageUp, pageDown      = "\x1b[5~", "\x1b[6~"
	f1, f3, f5, f9, f10   = "\x1bOP", "\x1bOR", "\x1b[15~", "\x1b[20~", "\x1b[21~"
	escape                = "\x1b"
)

// press is one step for each of the keys.
func press(keys ...string) []step {
	steps := make([]step, len(keys))
	for i, k := range keys {
		steps[i].keys = k
	}
	return steps
}

var bash = []string{"bash", "--norc", "--noprofile", "-i"}

var programs = []program{
	{name: "shell", argv: bash, steps: press(
		"ls -l --color=always --time-style=long-iso\r", "bash show.sh\r", "cat letters.txt\r", "seq 1 3000\r",
		"grep --color=always -n li story.txt\r", "echo 日本語 and é 👍 end",
		"\x01\x1b[C\x1b[C\x1b[C\x1b[C\x1b[C\x1b[3~\x05\x7f\x7f\x7f\x7f\x7f"+left+left, "\x15cat letters.txt story.txt | fold -w 119\r", "\x0c", "bash draw.sh\r", "exit\r",
	)},
	{name: "vim", argv: []string{"vim", "-u", "NONE", "-N", "-i", "NONE", "story.txt"}, steps: press(
		":set hlsearch number\r", "/li\r", "nnn", "3dd", "yyPP", "iA line of 日本語, é, 👍 and tabs\t\there"+escape,
		":vsplit letters.txt\r", "\x06", "\x02", ":split\r", "\x17w", "Vjjj", "d", "u", ":syntax on\r", ":edit run-tests.sh\r",
		"\x04", "\x15", "gg", "10J", ":set list wrap!\r", "A the end of a very long line that does not wrap any more "+escape,
		"zL", "0", ":only\r", ":help\r", "\x04", ":!echo hello from a shell\r", "\r", ":qa!\r",
	)},
	{name: "less", argv: []string{"less", "-R", "-j5", "story.txt"}, steps: press(
		" ", " ", "b", "/light\r", "n", "n", "G", "g", "-N\r", "jjjjj", "kkk", "-S\r", right+right, left, ":n", ":e letters.txt\r", " ", "h", "q", "q",
	)},
	{name: "htop", argv: []string{ // it shows what is beside it: nothing but these
		"unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", "sleep 1000 & sleep 2000 & htop --delay=5",
	}, steps: append(press(
		down, down, "t", "\x1b[Z", f1, "q", "/sleep", escape, "F", escape, "S", escape, "\x1b[<0;20;1M\x1b[<0;20;1m", f9, escape, "u", escape,
	), step{keys: "q", pause: time.Second})},
	{name: "mc", argv: []string{"mc", "--nosubshell", "--color"}, steps: press(
		down, down, down, f3, pageDown, f10, "\t", down, f5, escape+escape, f9, right, down, down, escape+escape, "\x0f", "\x0f", f1, f10, "\x1b[3;5~", "echo 日本", f10,
	)},
	{name: "nano", argv: []string{"nano", "--ignorercfiles", "--linenumbers", "story.txt"}, steps: press(
		down, down, down, "A line of 日本語, é and 👍 ", "\x0b", "\x0b", "\x15", "\x17light\r", "\x17\r", pageDown, pageDown, "\x1bu", "\x07", pageDown, "\x18",
		"\x05", "\x1ba", left+left+left, "\x1b6", "\x18", "n",
	)},
	{name: "dialog", argv: []string{"bash", "dialogs.sh"}, steps: press(
		down, down, "\r", " ", down, " ", "\r", "\t", left, "\r", "some text é日", "\r", pageDown, down, "\r", "\r",
	)},
	{name: "tmux", argv: []string{"tmux", "-L", "screens", "-u", "new-session", "-s", "main"}, steps: press(
		"bash show.sh\r", "\x02%", "cat letters.txt\r", "\x02\"", "seq 1 500\r", "\x02[", "\x15", "\x15", "?400\r", "q", "\x02w", down, "\r", "less story.txt\r",
		"  ", "q", "\x02z", "vim -u NONE story.txt\r", "\x06", ":q\r", "\x02z", "\x02 ", "\x02c", "ls -l --color=always\r", "\x02n", "\x02?", "q", "\x02:kill-session\r",
	)},
	{name: "claude", argv: []string{homeDir + "/.local/bin/claude", "--permission-mode", "manual"}, steps: []step{
		{keys: "\x1b[200~fake:bash ls -la ;; fake:text Here is a list:\n\n- **one** with `code`\n- two, 日本語 and é 👍\n\n1. first\n2. second\x1b[201~", after: "manual mode on", pause: time.Second},
		{keys: "\x18\r", pause: time.Second},
		{keys: "\x1b[200~fake:write notes.md # Notes, 日本語 👍 ;; fake:text done\x1b[201~", after: "second", pause: time.Second},
		{keys: "\x18\r", pause: time.Second},
		{keys: "1", after: "Do you want to create", pause: 2 * time.Second},
		{keys: "\x1b[200~fake:ask2\x1b[201~", after: "done", pause: 2 * time.Second},
		{keys: "\x18\r", pause: time.Second},
		{keys: down, after: "Which database", pause: 2 * time.Second},
		{keys: "\r"}, {keys: "1"}, {keys: escape, pause: time.Second},
		{keys: "\x1b[200~fake:slow 12\x1b[201~", pause: time.Second},
		{keys: "\x18\r", pause: time.Second},
		{keys: "/", pause: 8 * time.Second}, {keys: down}, {keys: down}, {keys: escape}, {keys: "\x15"}, {keys: "?"}, {keys: "\x7f"},
		{keys: "\x03"}, {keys: "\x03"},
	}},
}
