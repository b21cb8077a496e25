package policy

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCommandRules is the list of ways around a rule: each must be seen through, and what is none must pass.
func TestCommandRules(t *testing.T) {
	tests := []struct {
		name, rule, command string
		want                bool
	}{
		{"plain", "Bash(git push *)", "git push origin main", true},
		{"without arguments", "Bash(git push *)", "git push", true},
		{"Claude Code's older form", "Bash(git push:*)", "git push origin", true},
		{"another command", "Bash(git push *)", "git pull", false},
		{"a longer word", "Bash(git push *)", "git pushd", false},
		{"a longer word that the rule means", "Bash(git push*)", "git pushd", true},
		{"a longer program", "Bash(git push *)", "gitk push", false},
		{"words as text", "Bash(git push *)", `echo "git push"`, false},
		{"words in a message", "Bash(git push *)", `git commit -m "git push later"`, false},
		{"exact", "Bash(git push)", "git push", true},
		{"exact, with more", "Bash(git push)", "git push origin", false},
		{"everything", "Bash", "ls", true},
		{"everything, with brackets", "Bash(*)", "ls", true},
		{"a star within", "Bash(git * main)", "git checkout main", true},
		{"a star within, another end", "Bash(git * main)", "git checkout dev", false},

		{"double quotes", "Bash(git push *)", `"git" "push" origin`, true},
		{"quotes within words", "Bash(git push *)", `g'i't pu"s"h origin`, true},
		{"backslashes", "Bash(git push *)", `\git p\ush origin`, true},
		{"line continued", "Bash(git push *)", "git \\\n push origin", true},
		{"tabs", "Bash(git push *)", "git\t\tpush\torigin", true},
		{"ANSI-C quotes", "Bash(git push *)", `$'\x67it' push`, true},
		{"locale quotes", "Bash(git push *)", `$"git" push`, true},
		{"braces", "Bash(git push *)", `{git,push,origin}`, true},
		{"brackets", "Bash(git push *)", `/usr/bin/g[i]t push`, true},
		{"question mark", "Bash(git push *)", `/usr/bin/gi? push`, true},

		{"chain", "Bash(git push *)", "cd x && git push", true},
		{"semicolon", "Bash(git push *)", "true;git push", true},
		{"or", "Bash(git push *)", "false || git push", true},
		{"pipe", "Bash(git push *)", "yes | git push", true},
		{"background", "Bash(git push *)", "sleep 1 & git push", true},
		{"new line", "Bash(git push *)", "true\ngit push", true},
		{"subshell", "Bash(git push *)", "(cd x; git push)", true},
		{"group", "Bash(git push *)", "{ git push; }", true},
		{"if", "Bash(git push *)", "if true; then git push; fi", true},
		{"loop", "Bash(git push *)", "for r in a b; do git push $r; done", true},
		{"case", "Bash(git push *)", "case x in x) git push;; esac", true},
		{"function", "Bash(git push *)", "f() { git push; }; f", true},
		{"function with the rest", "Bash(git push *)", `g() { git "$@"; }; g push`, true},
		{"substitution", "Bash(git push *)", "echo $(git push)", true},
		{"substitution in quotes", "Bash(git push *)", `echo "$(git push)"`, true},
		{"backquotes", "Bash(git push *)", "echo `git push`", true},
		{"process substitution", "Bash(git push *)", "cat <(git push)", true},
		{"in an assignment", "Bash(git push *)", "x=$(git push)", true},
		{"in a default", "Bash(git push *)", "echo ${x:-$(git push)}", true},
		{"in arithmetic", "Bash(git push *)", "echo $(( $(git push) ))", true},
		{"in a here document", "Bash(git push *)", "cat <<E\n$(git push)\nE", true},
		{"in export", "Bash(git push *)", "export X=$(git push)", true},
		{"time", "Bash(git push *)", "time git push", true},
		{"negated", "Bash(git push *)", "! git push", true},
		{"coprocess", "Bash(git push *)", "coproc git push", true},
		{"behind a comment", "Bash(git push *)", "# nothing\ngit push", true},
		{"in a comment", "Bash(git push *)", "true # git push", false},

		{"variable before", "Bash(git push *)", "GIT_DIR=x git push", true},
		{"env", "Bash(git push *)", "env -i A=1 git push", true},
		{"env -S", "Bash(git push *)", "env -S 'git push'", true},
		{"sudo", "Bash(git push *)", "sudo -u x git push", true},
		{"command", "Bash(git push *)", "command git push", true},
		{"command -v", "Bash(git *)", "command -v git", false},
		{"exec", "Bash(git push *)", "exec git push", true},
		{"nohup", "Bash(git push *)", "nohup git push &", true},
		{"timeout", "Bash(git push *)", "timeout -s KILL 5 git push", true},
		{"carriers in a row", "Bash(git push *)", "sudo env nice -n 5 git push", true},
		{"xargs", "Bash(git push *)", "echo origin | xargs git push", true},
		{"xargs with the word", "Bash(git push *)", "echo push | xargs git", true},
		{"xargs with another word", "Bash(git push *)", "echo x | xargs git pull", false},
		{"find -exec", "Bash(rm *)", `find . -name x -exec rm {} \;`, true},
		{"find", "Bash(rm *)", `find . -name rm`, false},
		{"zsh's =", "Bash(git push *)", "=git push", true},
		{"noglob", "Bash(git push *)", "noglob git push", true},
		{"absolute path", "Bash(git push *)", "/usr/bin/git push", true},
		{"relative path", "Bash(git push *)", "../bin/git push", true},
		{"path in a variable", "Bash(git push *)", "$HOME/bin/git push", true},
		{"a rule with a path", "Bash(/opt/bin/tool *)", "/opt/bin/tool x", true},
		{"a rule with another path", "Bash(/opt/bin/tool *)", "/usr/bin/tool x", false},
		{"case", "Bash(git push *)", "GIT Push", true},
		{"Unicode forms", "Bash(caf\u00e9 *)", "cafe\u0301 x", true},

		{"sh -c", "Bash(git push *)", "sh -c 'git push'", true},
		{"bash -lc", "Bash(git push *)", `/bin/bash -lc "cd x && git push"`, true},
		{"bash -o pipefail -c", "Bash(git push *)", "bash -o pipefail -c 'git push'", true},
		{"bash -c -o pipefail", "Bash(git push *)", "bash -c -o pipefail 'git push'", true},
		{"bash --rcfile", "Bash(git push *)", "bash --rcfile /dev/null -c 'git push'", true},
		{"a shell within a shell", "Bash(git push *)", `sh -c "sh -c 'git push'"`, true},
		{"arguments of sh -c", "Bash(git push *)", `sh -c 'git "$@"' _ push`, true},
		{"eval", "Bash(git push *)", "eval git push", true},
		{"eval in pieces", "Bash(git push *)", `eval "gi""t pu"'sh'`, true},
		{"eval of a variable", "Bash(git push *)", `eval "$x"`, true},
		{"trap", "Bash(git push *)", "trap 'git push' EXIT", true},
		{"sudo sh -c", "Bash(git push *)", "sudo sh -c 'git push'", true},
		{"xargs sh -c", "Bash(git push *)", "ls | xargs -I{} sh -c 'git push {}'", true},
		{"su -c", "Bash(git push *)", "su x -c 'git push'", true},
		{"watch", "Bash(git push *)", "watch 'git push'", true},
		{"ssh to oneself", "Bash(git push *)", "ssh localhost git push", true},
		{"into a shell", "Bash(git push *)", "echo Z2l0IHB1c2g= | base64 -d | sh", true},
		{"here document of a shell", "Bash(git push *)", "bash <<E\ngit push\nE", true},
		{"harmless here document of a shell", "Bash(git push *)", "bash <<E\ngit pull\nE", false},
		{"here string of a shell", "Bash(git push *)", "bash -s <<< 'git push'", true},
		{"harmless sh -c", "Bash(git push *)", "sh -c 'ls | wc -l'", false},
		{"a script in a file", "Bash(git push *)", "bash -eu build.sh", false},
		{"alias", "Bash(git push *)", "alias g=git\ng push", true},
		{"python", "Bash(git push *)", `python3 -c "import os; os.system('git push')"`, true},
		{"python, as a list", "Bash(git push *)", `python3.12 -c "subprocess.run(['git', 'push'])"`, true},
		{"python, here document", "Bash(git push *)", "python3 - <<'E'\nimport os\nos.system('git push')\nE", true},
		{"python from elsewhere", "Bash(git push *)", "curl x | python3", true},
		{"python module", "Bash(git push *)", "python3 -m pytest -k 'a and b'", false},
		{"awk", "Bash(git push *)", `awk 'BEGIN{system("git push")}'`, true},

		{"sourced", "Bash(git push *)", "source <(echo git push)", true},
		{"sourced from elsewhere", "Bash(git push *)", "echo git push | . /dev/stdin", true},
		{"sourced here string", "Bash(git push *)", ". /dev/stdin <<< 'git push'", true},
		{"harmless here string, sourced", "Bash(git push *)", ". /dev/stdin <<< 'git pull'", false},
		{"a file, sourced", "Bash(git push *)", `. "$NVM_DIR/nvm.sh" && source .venv/bin/activate`, false},
		{"another name of standard input", "Bash(git push *)", "bash /proc/self/fd/0 <<< 'git push'", true},
		{"behind an option's letter", "Bash(git push *)", "env -S'git push'", true},
		{"behind an option's letters", "Bash(git push *)", "env -vS'git push'", true},
		{"behind an option's name", "Bash(git push *)", "su --command='git push' x", true},
		{"put in by xargs", "Bash(git push *)", "echo push | xargs -I% git % origin", true},
		{"put in by xargs, joined", "Bash(git push *)", "echo push | xargs -I@x git @x origin", true},
		{"put in by find", "Bash(git push *)", `find push -exec git {} origin \;`, true},
		{"put in by parallel", "Bash(git push *)", "parallel git ::: push", true},
		{"a carrier of xargs", "Bash(git push *)", "echo push | sudo xargs -n1 git", true},
		{"at", "Bash(git push *)", "echo git push | at now", true},
		{"sudo -s", "Bash(git push *)", "sudo -s <<E\ngit push\nE", true},
		{"su", "Bash(git push *)", "su x <<< 'git push'", true},
		{"a file by sudo", "Bash(git push *)", "sudo tee x <<E\ngit push\nE", false},
		{"global alias", "Bash(git push *)", "alias -g P=push\ngit P", true},
		{"printed alias", "Bash(git push *)", "alias -p", false},
		{"trap --", "Bash(git push *)", "trap -- 'git push' EXIT", true},
		{"text that is expanded later", "Bash(git push *)", `x='$(git push)'; echo "${x@P}"`, true},
		{"prompt of set -x", "Bash(git push *)", "PS4='$(git push)'; set -x; :", true},
		{"subscript in arithmetic", "Bash(git push *)", "x='a[$(git push)]'; echo $((x))", true},
		{"quoted twice", "Bash(git push *)", `x="\$(git push)"`, true},
		{"quoted dollar", "Bash(git push *)", `echo 'costs $5 (or so)' 'a ${b} c'`, false},
		{"git's own carriers", "Bash(git push *)", "git submodule foreach 'git push'", true},
		{"git rebase --exec", "Bash(git push *)", "git rebase -x 'git push' main", true},
		{"fakeroot", "Bash(git push *)", "fakeroot git push", true},
		{"in a container", "Bash(git push *)", "docker run --rm x git push", true},

		{"variable as program", "Bash(git push *)", "$G push", true},
		{"variable as a part", "Bash(git push *)", "g${x}it push", true},
		{"variable as argument", "Bash(git push *)", `git "$x"`, true},
		{"variable as a later argument", "Bash(git push *)", `git log "$x"`, false},
		{"variable in another command", "Bash(git push *)", `ls $x`, false},
		{"substituted program", "Bash(git push *)", "$(echo git) push", true},
		{"message from a here document", "Bash(git push *)", "git commit -m \"$(cat <<'E'\nFix it; (really)\nE\n)\"", false},

		{"option before", "Bash(git push *)", "git -C /x push origin", true},
		{"options before", "Bash(git push *)", "git --no-pager -c a=b push", true},
		{"option with a value before another command", "Bash(git push *)", "git -C push pull", true}, // cannot be told
		{"letters in another order", "Bash(rm -rf *)", "rm -fr x", true},
		{"letters apart", "Bash(rm -rf *)", "rm -r -f x", true},
		{"options at the end", "Bash(rm -rf *)", "rm x -rf", true},
		{"more letters", "Bash(rm -rf *)", "rm -vrf x", true},
		{"capital letters", "Bash(rm -rf *)", "rm -Rf x", true},
		{"long options", "Bash(rm -rf *)", "rm --recursive --force x", true},
		{"shortened options", "Bash(rm -rf *)", "rm --rec --for x", true},
		{"option in a variable", "Bash(rm -rf *)", "o=-rf; rm $o x", true},
		{"only one of the options", "Bash(rm -rf *)", "rm -r x", false},
		{"none of the options", "Bash(rm -rf *)", "rm x", false},
		{"long option", "Bash(git push --force *)", "git push origin main --force", true},
		{"long option, short", "Bash(git push --force *)", "git push -f", true},
		{"long option, another", "Bash(git push --force *)", "git push --tags", false},
		{"long option, with a value", "Bash(npm publish --access *)", "npm publish --access=public", true},
		{"one dash and a word", "Bash(find * -delete)", "find . -name x -delete", true},
		{"a star for a value", "Bash(npm publish*)", "npm --workspace a publish-all", true},

		{"unreadable", "Bash(git push *)", "git 'pu", true},
		{"control characters", "Bash(git push *)", "git pu\x00sh", true},
		{"nothing", "Bash(git push *)", "", false},
		{"too long", "Bash(git push *)", strings.Repeat("true;", maxScript), true},
		{"deep", "Bash(git push *)", strings.Repeat("(", 500) + "git push" + strings.Repeat(")", 500), true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rule, err := ParseRule(test.rule)
			must(t, err)
			for _, tool := range []string{"Bash", "bash"} {
				p := Policy{Deny: []Rule{rule}}
				got := p.Judge(Call{Tools: []string{tool}, Command: test.command})
				if (got.Decision == Denied) != test.want {
					t.Errorf("%s on %q: %+v", test.rule, test.command, got)
				}
			}
		})
	}
}

func TestOtherRules(t *testing.T) {
	home := resolved(t, t.TempDir())
	t.Setenv("HOME", home)
	must(t, os.MkdirAll(filepath.Join(home, ".ssh"), 0o700))
	must(t, os.Symlink(filepath.Join(home, ".ssh"), filepath.Join(home, "keys")))
	must(t, os.MkdirAll(filepath.Join(home, "code"), 0o700))
	must(t, os.Symlink("../.ssh/not/yet", filepath.Join(home, "code/dangling")))
	must(t, os.Symlink("loop", filepath.Join(home, "code/loop")))
	read := func(path string) Call {
		return Call{Tools: []string{"Grep", "Read"}, Paths: []string{path}, Dir: filepath.Join(home, "code")}
	}
	edit := func(path string) Call {
		return Call{Tools: []string{"Write", "Edit"}, Paths: []string{path}, Dir: filepath.Join(home, "code")}
	}
	tests := []struct {
		name, rule string
		call       Call
		want       bool
	}{
		{"a tool", "WebFetch", Call{Tools: []string{"WebFetch"}, URL: "https://example.com"}, true},
		{"another tool", "WebFetch", Call{Tools: []string{"WebSearch"}}, false},
		{"tools by a star", "Web*", Call{Tools: []string{"WebSearch"}}, true},
		{"every tool", "*", Call{Tools: []string{"Read"}}, true},
		{"a server's tools", "mcp__github", Call{Tools: []string{"mcp__github__create_issue"}}, true},
		{"another server's", "mcp__git", Call{Tools: []string{"mcp__github__create_issue"}}, false},
		{"one tool of a server", "mcp__github__create_*", Call{Tools: []string{"mcp__github__create_issue"}}, true},
		{"unreadable name", "Read", Call{}, true},
		{"unreadable call", "Bash(git push *)", Call{Tools: []string{"Bash"}, Unread: true}, true},
		{"unreadable call of another tool", "Bash(git push *)", Call{Tools: []string{"Read"}, Unread: true}, false},

		{"domain", "WebFetch(domain:example.com)", Call{Tools: []string{"WebFetch"}, URL: "https://EXAMPLE.com./x"}, true},
		{"domain below", "WebFetch(domain:example.com)", Call{Tools: []string{"WebFetch"}, URL: "https://api.example.com:8443"}, true},
		{"another domain", "WebFetch(domain:example.com)", Call{Tools: []string{"WebFetch"}, URL: "https://notexample.com"}, false},
		{"user before the domain", "WebFetch(domain:example.com)", Call{Tools: []string{"WebFetch"}, URL: "https://example.com@evil.org"}, false},
		{"no address", "WebFetch(domain:example.com)", Call{Tools: []string{"WebFetch"}, URL: "::"}, true},

		{"subagent", "Agent(Explore)", Call{Tools: []string{"Agent", "Task"}, Subagent: "explore"}, true},
		{"another subagent", "Task(Explore)", Call{Tools: []string{"Agent", "Task"}, Subagent: "Plan"}, false},

		{"home", "Read(~/.ssh/**)", read(home + "/.ssh/id"), true},
		{"the directory itself", "Read(~/.ssh/**)", read(home + "/.ssh"), true},
		{"a directory means what is in it", "Read(~/.ssh)", read(home + "/.ssh/deep/id"), true},
		{"dots", "Read(~/.ssh/**)", read(home + "/code/../.ssh/id"), true},
		{"relative", "Read(~/.ssh/**)", read("../.ssh/id"), true},
		{"through a link", "Read(~/.ssh/**)", read(home + "/keys/new"), true},
		{"through a link to what is not there yet", "Edit(~/.ssh/**)", edit("dangling"), true},
		{"below a link to itself", "Edit(~/.ssh/**)", edit("loop/x"), false},
		{"home, as the tools write it", "Read(~/.ssh/**)", read("~/.ssh/id"), true},
		{"spaces around", "Read(~/.ssh/**)", read(" " + home + "/.ssh/id "), true},
		{"by a rule for a link", "Read(~/keys/*)", read(home + "/.ssh/id"), true},
		{"by a rule for the link", "Read(~/keys/**)", read(home + "/keys/new"), true},
		{"case", "Read(~/.ssh/**)", read(home + "/.SSH/id"), true},
		{"beside it", "Read(~/.ssh/**)", read(home + "/.sshd/id"), false},
		{"root", "Read(//etc/shadow)", read("/etc/shadow"), true},
		{"absolute", "Read(/etc/**)", read("/etc/x/y"), true},
		{"name at any depth", "Edit(.env)", edit(home + "/code/a/b/.env"), true},
		{"pattern at any depth", "Edit(**/*.pem)", edit(home + "/code/a/x.pem"), true},
		{"one level", "Edit(src/*)", edit(home + "/code/src/x"), true},
		{"in the session's directory", "Edit(./src/*.go)", edit("src/main.go"), true},
		{"in another directory", "Edit(./src/*.go)", edit(home + "/src/main.go"), false},
		{"Write is Edit", "Write(*.env)", edit("x.env"), true},
		{"Read is not Edit", "Read(*.env)", edit("x.env"), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rule, err := ParseRule(test.rule)
			must(t, err)
			p := Policy{Ask: []Rule{rule}}
			if got := p.Judge(test.call); (got.Decision == Asked) != test.want {
				t.Errorf("%s on %+v: %+v", test.rule, test.call, got)
			}
		})
	}
}

// TestOwnFiles: what the host agent goes by is not changed by a tool, whatever the owner's file says.
func TestOwnFiles(t *testing.T) {
	own := []string{"/h/sessions", "/h/policy.json"}
	for path, want := range map[string]Decision{
		"/h/policy.json": Denied, "/h/sessions/policy-in-force.json": Denied, "/h/sessions/a/settings.json": Denied, "/h/other": "", "../h/POLICY.JSON": Denied,
	} {
		edit := Call{Tools: []string{"Write", "Edit"}, Paths: []string{path}, Dir: "/x", Own: own}
		if got := Default().Judge(edit); got.Decision != want {
			t.Errorf("writing %s: %+v", path, got)
		}
		read := Call{Tools: []string{"Read"}, Paths: []string{path}, Dir: "/x", Own: own}
		if got := Default().Judge(read); got.Decision != "" {
			t.Errorf("reading %s: %+v", path, got)
		}
	}
}

// TestRuleErrors: a rule that could never match is none, so it is an error.
func TestRuleErrors(t *testing.T) {
	for _, written := range []string{
		"", "(x)", "Bash(", "Bash(git push *", "Bash()", "Bash( )", "Bash(a | b)", "Bash(a && b)", "Bash(a; b)", "Bash($(a))", "Bash(git 'push')",
		"Bash(A=1 git)", "WebSearch(x)", "mcp__github(x)", "WebFetch(example.com)", "WebFetch(domain:)", "WebFetch(domain:a/b)",
		"Read()", "Agent()", "Ba sh", "Bash(git push) x", strings.Repeat("x", maxRule+1),
	} {
		if rule, err := ParseRule(written); err == nil {
			t.Errorf("the rule %q was taken as %+v", written, rule)
		}
	}
}

func TestDenyWinsOverAsk(t *testing.T) {
	var p Policy
	must(t, json.Unmarshal([]byte(`{"ask": ["Bash(git *)"], "deny": ["WebFetch", "Bash(git push *)"]}`), &p))
	got := p.Judge(Call{Tools: []string{"Bash"}, Command: "git push"})
	if got.Decision != Denied || got.Rule != "Bash(git push *)" || got.Index != 1 {
		t.Errorf("verdict = %+v", got)
	}
	if got := p.Judge(Call{Tools: []string{"Bash"}, Command: "git pull"}); got.Decision != Asked {
		t.Errorf("verdict = %+v", got)
	}
}

// FuzzJudge: whatever an agent wants to run, judging it ends, soon and without a panic. A command behind any first
// line that a shell can read is still seen.
func FuzzJudge(f *testing.F) {
	for _, seed := range []string{"git push", `$'\x67it' {a,b}`, "a <<E\n$(b)\nE", "sh -c 'x y'", "alias a='b c'", "[[ a =~ (b) ]]", "a[1]=2", "f() { x; }", `"\`} {
		f.Add(seed)
	}
	rules := []Rule{}
	for _, written := range []string{"Bash(git push *)", "Bash(rm -rf *)", "Bash(*a*b*c*)"} {
		rule, err := ParseRule(written)
		if err != nil {
			f.Fatal(err)
		}
		rules = append(rules, rule)
	}
	f.Fuzz(func(t *testing.T, command string) {
		p := Policy{Deny: rules[:1]}
		start := time.Now()
		Policy{Deny: rules}.Judge(Call{Tools: []string{"Bash"}, Command: command})
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("judging %d bytes took %s", len(command), took)
		}
		if readScript(command).dark == "" && readScript(command+"\n").dark == "" {
			behind := p.Judge(Call{Tools: []string{"Bash"}, Command: command + "\ngit push"})
			before := p.Judge(Call{Tools: []string{"Bash"}, Command: "git push\n" + command})
			if before.Decision != Denied {
				t.Errorf("%q hides what stands before it: %+v %+v", command, before, behind)
			}
		}
	})
}

func FuzzParseRule(f *testing.F) {
	for _, seed := range []string{"Bash(git push *)", "Edit(~/.ssh/**)", "WebFetch(domain:x)", "mcp__a__*", "Agent(x)", "Read(//x)", "Bash(-:*)"} {
		f.Add(seed, "x y", "/a/b")
	}
	f.Fuzz(func(t *testing.T, written, command, path string) {
		rule, err := ParseRule(written)
		if err != nil {
			return
		}
		if again, err := ParseRule(rule.String()); err != nil || again.tool != rule.tool {
			t.Errorf("%q reads differently the second time: %v", written, err)
		}
		Policy{Deny: []Rule{rule}}.Judge(Call{Tools: []string{"Bash", "Read", "Edit", "WebFetch", "Agent"}, Command: command, Paths: []string{path}, URL: path, Subagent: command, Dir: "/"})
	})
}
