package policy

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestDirectory is the list of attacks on a working directory: only real paths under a root get through.
func TestDirectory(t *testing.T) {
	home := resolved(t, t.TempDir())
	outside := resolved(t, t.TempDir())
	t.Setenv("HOME", home)
	project := filepath.Join(home, "project")
	must(t, os.MkdirAll(filepath.Join(project, "deep"), 0o700))
	must(t, os.Mkdir(filepath.Join(home, "$HOME"), 0o700))
	must(t, os.WriteFile(filepath.Join(home, "file"), nil, 0o600))
	must(t, syscall.Mkfifo(filepath.Join(home, "fifo"), 0o600))
	must(t, os.Symlink(outside, filepath.Join(home, "out")))
	must(t, os.Symlink(project, filepath.Join(home, "in")))
	must(t, os.Symlink(filepath.Join(home, "loop"), filepath.Join(home, "loop")))
	must(t, os.Mkdir(filepath.Join(home, "caf\u00e9"), 0o700))
	twin := filepath.Base(home) + "-twin"
	must(t, os.Mkdir(filepath.Join(filepath.Dir(home), twin), 0o700))

	const ok, refused, invalid = "", "refused", "invalid"
	tests := map[string]struct {
		asked, want, result string
	}{
		"empty is the first root":      {"", home, ok},
		"home":                         {"~", home, ok},
		"below home":                   {"~/project", project, ok},
		"absolute":                     {project, project, ok},
		"dots inside":                  {project + "/deep/..", project, ok},
		"link inside":                  {"~/in/deep", project + "/deep", ok},
		"name like a variable":         {"~/$HOME", home + "/$HOME", ok},
		"dots out":                     {"~/../" + filepath.Base(outside), "", refused},
		"dots out of an absolute path": {project + "/../../..", "", refused},
		"link out":                     {"~/out", "", refused},
		"link out and back":            {"~/out/../" + twin, "", invalid},
		"sibling with the same start":  {home + "-twin", "", refused},
		"missing inside":               {"~/nothing", "", invalid},
		"missing outside":              {outside + "/nothing", "", refused},
		"link that is a loop":          {"~/loop", "", refused},
		"file":                         {"~/file", "", invalid},
		"below a file":                 {"~/file/x", "", refused},
		"fifo":                         {"~/fifo", "", invalid},
		"relative":                     {"project", "", invalid},
		"variable":                     {"$HOME/project", "", invalid},
		"other user's home":            {"~root", "", invalid},
		"option":                       {"--add-dir", "", invalid},
		"root of everything":           {"/", "", refused},
		"process root":                 {"/proc/self/root/etc", "", refused},
		"descriptor":                   {"/dev/fd/0", "", refused},
		"zero byte":                    {"~/project\x00", "", invalid},
		"newline":                      {"~/project\n", "", invalid},
		"escape":                       {"~/project\x1b[2J", "", invalid},
		"too long":                     {"~/" + strings.Repeat("a/", 2048), "", invalid},
		"not UTF-8":                    {"~/\xff", "", invalid},
		"decomposed twin of a name":    {"~/cafe\u0301", "", invalid},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Default().Directory(test.asked)
			result := ok
			if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
				result = refused
			} else if err != nil {
				result = invalid
			}
			if diff := cmp.Diff([]string{test.want, test.result}, []string{got, result}); diff != "" {
				t.Errorf("Directory(%.60q), error %v (-want +got):\n%s", test.asked, err, diff)
			}
		})
	}
}

func TestDirectoryUnderLinkedRoot(t *testing.T) {
	real, link := resolved(t, t.TempDir()), filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(real, link))
	got, err := Policy{Roots: []string{link}}.Directory(link)
	if err != nil || got != real {
		t.Errorf("Directory(%s) = %s, %v, want %s", link, got, err, real)
	}
}

func TestLoad(t *testing.T) {
	tests := map[string]struct {
		text string
		want Policy
		bad  bool
	}{
		"defaults stay":          {text: `{"max_sessions": 3}`, want: Policy{Roots: []string{"~"}, Modes: []string{"manual", "plan", "acceptEdits"}, MaxSessions: 3, AfterRestart: RestartOffer, KeepDays: 30, Recording: defaultRecording()}},
		"roots":                  {text: `{"roots": ["/srv"], "permission_modes": ["plan"], "agents": ["claude"]}`, want: Policy{Roots: []string{"/srv"}, Modes: []string{"plan"}, Agents: []string{"claude"}, MaxSessions: 20, AfterRestart: RestartOffer, KeepDays: 30, Recording: defaultRecording()}},
		"misspelt field":         {text: `{"max_session": 3}`, bad: true},
		"no roots":               {text: `{"roots": []}`, bad: true},
		"kept for ever":          {text: `{"keep_days": 0}`, want: Policy{Roots: []string{"~"}, Modes: []string{"manual", "plan", "acceptEdits"}, MaxSessions: 20, AfterRestart: RestartOffer, Recording: defaultRecording()}},
		"kept backwards":         {text: `{"keep_days": -1}`, bad: true},
		"no sessions":            {text: `{"max_sessions": 0}`, bad: true},
		"endless":                {text: `{"max_sessions": 201}`, bad: true},
		"twice":                  {text: `{"deny": ["WebFetch"], "Deny": []}`, bad: true},
		"two values":             {text: `{"max_sessions": 3} {"deny": []}`, bad: true},
		"empty rule":             {text: `{"deny": [null]}`, bad: true},
		"unknown rule":           {text: `{"deny": ["Bash("]}`, bad: true},
		"quiet for no time":      {text: `{"quiet_hours": [{"from": "22:00", "to": "22:00"}]}`, bad: true},
		"no time of day":         {text: `{"quiet_hours": [{"from": "25:00", "to": "22:00"}]}`, bad: true},
		"no day":                 {text: `{"quiet_hours": [{"from": "20:00", "to": "22:00", "days": ["someday"]}]}`, bad: true},
		"people and their limit": {text: `{"people": ["alice"], "max_sessions_per_person": 2}`, want: Policy{Roots: []string{"~"}, Modes: []string{"manual", "plan", "acceptEdits"}, MaxSessions: 20, AfterRestart: RestartOffer, KeepDays: 30, People: []string{"alice"}, MaxEachPerson: 2, Recording: defaultRecording()}},
		"resumed by itself":      {text: `{"after_restart": "resume"}`, want: Policy{Roots: []string{"~"}, Modes: []string{"manual", "plan", "acceptEdits"}, MaxSessions: 20, AfterRestart: RestartResume, KeepDays: 30, Recording: defaultRecording()}},
		"resumed some day":       {text: `{"after_restart": "always"}`, bad: true},
		"not JSON":               {text: `roots = ["~"]`, bad: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "policy.json")
			must(t, os.WriteFile(path, []byte(test.text), 0o600))
			got, err := Load(path)
			if (err != nil) != test.bad {
				t.Fatalf("Load: %v, want an error: %v", err, test.bad)
			}
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Load (-want +got):\n%s", diff)
			}
		})
	}
	if got, err := Load(filepath.Join(t.TempDir(), "none")); err != nil || !cmp.Equal(got, Default(), cmpopts.EquateEmpty()) {
		t.Errorf("Load of a missing file = %v, %v, want the default", got, err)
	}
}

func TestLimits(t *testing.T) {
	p := Policy{Agents: []string{"claude"}, Modes: []string{"manual"}, MaxSessions: 2}
	each := Policy{MaxSessions: 9, MaxEachPerson: 1, People: []string{"alice"}}
	tests := map[string]struct {
		err     error
		refused bool
	}{
		"agent":               {p.Agent("claude"), false},
		"other agent":         {p.Agent("codex"), true},
		"mode":                {p.Mode("manual"), false},
		"other mode":          {p.Mode("bypassPermissions"), true},
		"option mode":         {p.Mode("--dangerously-skip-permissions"), true},
		"room":                {p.Room(1, 1), false},
		"full":                {p.Room(2, 0), true},
		"full for one person": {each.Room(1, 1), true},
		"room for another":    {each.Room(1, 0), false},
		"anybody":             {p.Person("alice"), false},
		"somebody named":      {each.Person("Alice"), false},
		"somebody else":       {each.Person("bob"), true},
		"nobody's name":       {each.Person(""), true},
	}
	for name, test := range tests {
		if (test.err != nil) != test.refused {
			t.Errorf("%s: %v, want a refusal: %v", name, test.err, test.refused)
		}
	}
	if Default().Mode("bypassPermissions") == nil {
		t.Error("the default policy allows bypassPermissions")
	}
}

func resolved(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.EvalSymlinks(path)
	must(t, err)
	return path
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
