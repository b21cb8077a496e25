package policy

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFollow: each whole policy is put in force; what cannot be read or understood changes nothing.
func TestFollow(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "policy.json")
	ctx, cancel := context.WithCancel(t.Context())
	put, ended := make(chan Policy, 10), make(chan struct{})
	go func() {
		defer close(ended)
		Follow(ctx, path, func(p Policy) error { put <- p; return nil }, slog.New(slog.NewTextHandler(t.Output(), nil)))
	}()
	defer func() { cancel(); <-ended }()
	expect := func(deny int) {
		t.Helper()
		select {
		case p := <-put:
			if len(p.Deny) != deny {
				t.Fatalf("in force came %+v, want %d rules", p, deny)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("nothing came in force")
		}
	}
	replace := func(text string) {
		t.Helper()
		must(t, os.WriteFile(path+".new", []byte(text), 0o600))
		must(t, os.Rename(path+".new", path))
	}
	expect(0) // no file: the default
	must(t, os.WriteFile(path, []byte(`{"deny": ["WebFetch"]}`), 0o600))
	expect(1)
	replace(`{"deny": ["WebFetch", "WebSearch"]}`)
	expect(2)
	replace(`{"deny": [`)
	replace(`{"denied": []}`)
	must(t, os.Remove(path))
	must(t, os.Mkdir(path, 0o700)) // cannot be read
	must(t, os.Remove(path))
	replace(`{"deny": ["WebFetch", "WebSearch", "Read"]}`)
	for {
		p := <-put
		if len(p.Deny) == 3 {
			return
		}
		if len(p.Deny) != 0 { // for a moment there was no file
			t.Fatalf("in force came %+v", p)
		}
	}
}

func TestInForce(t *testing.T) {
	dir := t.TempDir()
	if p, err := InForce(dir); err != nil || len(p.Roots) == 0 {
		t.Errorf("with no file: %+v, %v, want the default", p, err)
	}
	text := `{"deny": ["Bash(git push *)"], "quiet_hours": [{"from": "22:00", "to": "07:00", "days": ["mon"]}], "people": ["alice"]}`
	p, err := parsePolicy([]byte(text))
	must(t, err)
	must(t, p.PutInForce(dir))
	again, err := InForce(dir)
	must(t, err)
	if again.Judge(Call{Tools: []string{"Bash"}, Command: "git push"}).Decision != Denied || again.QuietHours[0].From != 22*60 || again.People[0] != "alice" {
		t.Errorf("in force is %+v", again)
	}
	must(t, os.WriteFile(filepath.Join(dir, inForceFile), []byte(`{"deny": ["Bash("]}`), 0o600))
	if _, err := InForce(dir); err == nil {
		t.Error("a broken file was taken")
	}
}

func TestLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.json")
	must(t, os.WriteFile(path, []byte("{\n  \"roots\": [\"~\"],\n\n  \"deny\": [\n    \"WebFetch\", \"WebSearch\",\n    \"Read\"\n  ]\n, \"ask\": [\"Edit\"]}\n"), 0o600))
	for _, test := range []struct {
		name string
		item int
		want int
	}{{"roots", -1, 2}, {"deny", -1, 4}, {"deny", 0, 5}, {"deny", 1, 5}, {"deny", 2, 6}, {"ask", 0, 8}, {"agents", -1, 0}} {
		if got := Line(path, test.name, test.item); got != test.want {
			t.Errorf("%s %d is on line %d, want %d", test.name, test.item, got, test.want)
		}
	}
	must(t, os.WriteFile(path, []byte("{\n\"deny\": [\n\"WebFetch\",\n\"Bash(\"]\n}"), 0o600))
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "line ") || !strings.Contains(err.Error(), "Bash(") {
		t.Errorf("a broken rule: %v, want its line", err)
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte(`{"deny": ["Bash(x *)"], "quiet_hours": [{"from": "1:00", "to": "24:00", "days": ["mon"]}]}`))
	f.Add([]byte(`{"roots":[`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if p, err := parsePolicy(text); err == nil {
			must(t, p.PutInForce(t.TempDir()))
		}
		settings(text)
	})
}
