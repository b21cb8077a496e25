package policy

import (
	"slices"
	"strings"
)

// carriers run a command that their arguments name. Any of these may be its first word, since which of the others
// are options with a value only the program knows; and an argument with a space in it may be a whole script.
var carriers = set(`
	env command builtin exec nohup nice ionice time timeout gtimeout stdbuf setsid sudo doas su runuser pkexec chroot
	unshare nsenter flock watch watchexec entr xargs parallel find fd strace ltrace dtruss perf arch caffeinate
	taskset chrt cpulimit systemd-run sandbox-exec firejail bwrap proxychains proxychains4 torsocks rlwrap unbuffer script
	screen tmux nocorrect noglob - repeat busybox toybox npx bunx pnpx uvx mise direnv devbox nix nix-shell op dotenv
	poetry pipenv uv bundle rtk hyperfine ssh mosh at batch coproc chpst setpriv gosu launchctl fakeroot chronic ifne
	valgrind xvfb-run dbus-run-session numactl prlimit faketime docker podman kubectl dotenvx doppler aws-vault jobs
	mapfile readarray complete git`)

// inputReaders are carriers that may run what they read, some only with one of these options.
var inputReaders = map[string][]string{"at": nil, "batch": nil, "su": nil, "ssh": nil, "script": nil, "sudo": {"-s", "-i"}, "doas": {"-s"}}

// carryOnlyWith are carriers that carry only if one of these begins an argument.
var carryOnlyWith = map[string][]string{
	"find": {"-exec", "-ok"}, "fd": {"-x", "--exec"}, "git": {"foreach", "run", "-x", "--exec"}, "mapfile": {"-c"}, "readarray": {"-c"},
	"complete": {"-c"}, "jobs": {"-x"},
}

// appenders add words to the command that they carry, which come from elsewhere.
var appenders = set("xargs parallel entr fd watchexec")

// shells read a script: after -c, or from their standard input.
var shells = set("sh bash zsh dash ksh ksh93 mksh ash fish csh tcsh yash rbash pwsh")

// scriptArguments take scripts as their arguments.
var scriptArguments = set("eval trap")

// interpreters run code in another language, in which a command may be spelt out.
var interpreters = []string{
	"python", "pypy", "perl", "ruby", "node", "deno", "bun", "php", "awk", "gawk", "mawk", "nawk", "osascript", "lua", "tclsh",
	"expect", "rscript", "julia", "groovy", "jshell", "vim", "vi", "nvim", "emacs",
}

// carries reports whether this command runs the one that its arguments name.
func carries(program string, arguments []text) bool {
	if program == "command" && len(arguments) > 0 && slices.Contains([]string{"-v", "-pv"}, string(arguments[0])) {
		return false // only says where the program is
	}
	starts, only := carryOnlyWith[program]
	if !only {
		return carriers[program]
	}
	return slices.ContainsFunc(arguments, func(argument text) bool {
		return slices.ContainsFunc(starts, func(start string) bool { return mayMatch(text(start+"*"), argument) })
	})
}

func set(words string) map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.Fields(words) {
		all[word] = true
	}
	return all
}

// interprets: python3.12 is python.
func interprets(program string) bool {
	for _, name := range interpreters {
		if rest, ok := strings.CutPrefix(program, name); ok && strings.Trim(rest, "0123456789.-") == "" {
			return true
		}
	}
	return false
}
