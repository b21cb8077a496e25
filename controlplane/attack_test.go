package main

import (
	"bufio"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

// patience is how long the server may take to begin its answer to anything.
const patience = 10 * time.Second

// reply is an answer's head, and its body if it was worth the wait.
type reply struct {
	status int
	header http.Header
	body   string
}

// attack sends bytes as they are, and reads up to as many answers as the most until the server closes. What is sent
// may be all that is ever sent.
func (s *site) attack(t testing.TB, raw string, most int, ends bool) []reply {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = io.WriteString(conn, raw) // the server may stop reading, which is an answer too
		if tcp, ok := conn.(*net.TCPConn); ok && ends {
			_ = tcp.CloseWrite()
		}
	}()
	method, _, _ := strings.Cut(raw, " ")
	var answers []reply
	for reader := bufio.NewReader(conn); len(answers) < most; {
		answer, err := http.ReadResponse(reader, &http.Request{Method: method})
		if err != nil {
			var slow net.Error
			if errors.As(err, &slow) && slow.Timeout() {
				t.Errorf("no answer within %s to %.200q", patience, raw)
			}
			return answers
		}
		var body []byte
		if ends { // and not a stream without an end
			body, _ = io.ReadAll(answer.Body)
			_ = answer.Body.Close()
		}
		answers = append(answers, reply{answer.StatusCode, answer.Header, string(body)})
	}
	return answers
}

// wantAnswer wants that a request is answered, and not by a failure.
func (s *site) wantAnswer(t testing.TB, raw string) {
	t.Helper()
	answers := s.attack(t, raw, 1, false)
	if len(answers) == 0 {
		t.Errorf("no answer to %.300q", raw)
		return
	}
	if status := answers[0].status; status >= http.StatusInternalServerError {
		t.Errorf("%d to %.300q", status, raw)
	}
	if answers[0].header.Get("X-Injected") != "" {
		t.Errorf("a header of the request's making: %v", answers[0].header)
	}
}

// attacker is somebody with whatever a header can carry.
type attacker struct {
	name   string
	header string // lines
	csrf   string
}

// attackers are a stranger, and somebody who is logged in and has a client with every scope.
func (s *site) attackers(t testing.TB) []attacker {
	t.Helper()
	client := s.client(t, "http://127.0.0.1:1/callback")
	client.AllScopes()
	if err := client.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	token := connect(t, client).Access
	page, err := s.browser.Get(t.Context(), "/account")
	if err != nil {
		t.Fatal(err)
	}
	known := attacker{name: "known", header: "Authorization: Bearer " + token + "\r\n"}
	for _, form := range page.Forms() {
		known.csrf = form.Values.Get("csrf")
	}
	for _, cookie := range s.browser.Cookies() {
		known.header += "Cookie: " + cookie.String() + "\r\n"
	}
	if known.csrf == "" {
		t.Fatal("the account page has no form")
	}
	return []attacker{{name: "stranger"}, known}
}

// junk is text that breaks what does not expect it.
var junk = []string{
	"x", "", "-1", "0", "9999999999999999999", "null", "true", "[]", "..", "../../etc/passwd", "%2e%2e%2f", "%", "a b", "a\tb", "\x00", "\x1b[31m",
	"\xff\xfe", "\u202e\ufeff", "İſK", `"`, `'; DROP TABLE users; --`, "{{.}}", "<script>", "https://evil.example/", "//evil.example", `\\evil`,
	"00000000-0000-4000-8000-000000000000", "web-app_x7y8", "$(id)", "-rf", strings.Repeat("a", 5000), strings.Repeat("é", 3000), "a\r\nX-Injected: yes",
}

// parameters are the names under which anything is read from a query or a form.
func parameters(t testing.TB) []string {
	t.Helper()
	names := map[string]bool{}
	for _, file := range slices.Concat(glob(t, "../web/*.go"), glob(t, "../auth/*.go")) {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			if name, ok := call.Args[0].(*ast.BasicLit); ok && plainName.MatchString(name.Value) {
				names[strings.Trim(name.Value, `"`)] = true
			}
			return true
		})
	}
	for _, known := range []string{"return_to", "grant_type", "user_code", "working_dir"} {
		if !names[known] {
			t.Fatalf("the parameter %s is not found: the code is read wrongly", known)
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// plainName is a literal that may be a parameter's name. Some are something else, which does no harm.
var plainName = regexp.MustCompile(`^"[a-z_]{2,30}"$`)

func glob(t testing.TB, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
}

// fill gives every parameter the same value.
func fill(parameters []string, text string) url.Values {
	values := url.Values{}
	for _, name := range parameters {
		values.Set(name, text)
	}
	return values
}

// bodies are what a request may carry, by the type that it claims.
func bodies(parameters []string, csrf, text string) map[string]string {
	form := fill(parameters, text)
	form.Set("csrf", csrf)
	return map[string]string{
		"application/x-www-form-urlencoded": form.Encode(),
		"application/json":                  fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":{%q:%[1]q},"token":%[1]q,"version":1}`, text, text),
		"multipart/form-data; boundary=x":   "--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n" + csrf + "\r\n--x--",
		"text/plain":                        text,
		"":                                  "csrf=" + csrf + "&%zz=;&a=%",
	}
}

// request is a request with a body.
func request(method, target, host, header, kind, body string) string {
	if kind != "" {
		header += "Content-Type: " + kind + "\r\n"
	}
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\n%sAccept: */*\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		method, target, host, header, len(body), body)
}

// throw sends a text to a route: in its path and query, and in a form or in each kind of body.
func (s *site) throw(t testing.TB, r route, who attacker, names []string, text string, eachKind bool) {
	t.Helper()
	host := strings.TrimPrefix(s.url, "http://")
	method := r.method
	if method == "" {
		method = http.MethodGet
	}
	s.wantAnswer(t, request(method, r.at(text)+"?"+fill(names, text).Encode(), host, who.header, "", ""))
	if r.method == http.MethodGet {
		return
	}
	for kind, body := range bodies(names, who.csrf, text) {
		if !eachKind && kind != "application/x-www-form-urlencoded" {
			continue
		}
		s.wantAnswer(t, request(http.MethodPost, r.at(text), host, who.header, kind, body))
	}
}

// TestEveryRouteTakesJunk sends what breaks programs to every URL: in the path, the query and each kind of body, from
// a stranger and from somebody whose login and token are good. Each is answered, soon, and never by a failure of ours.
func TestEveryRouteTakesJunk(t *testing.T) {
	s := newSite(t)
	attackers, names := s.attackers(t), parameters(t)
	for _, r := range allRoutes(t) {
		if r.String() == "POST /logout" {
			continue // it would take the login away from the others
		}
		t.Run(r.String(), func(t *testing.T) {
			for i, text := range junk {
				s.throw(t, r, attackers[1], names, text, i%6 == 0)
				if i%6 == 0 {
					s.throw(t, r, attackers[0], names, text, true)
				}
			}
			for _, method := range []string{"HEAD", "OPTIONS", "DELETE", "TRACE", "CONNECT", "get", "M-SEARCH"} {
				s.wantAnswer(t, request(method, r.at("x"), strings.TrimPrefix(s.url, "http://"), attackers[1].header, "", ""))
			}
		})
	}
	for line := range strings.Lines(s.logs.String()) {
		ours := strings.HasPrefix(line, "time=") && !strings.ContainsFunc(strings.TrimSuffix(line, "\n"), unicode.IsControl)
		if !ours || strings.Contains(line, "panic") || strings.Contains(line, "failed") {
			t.Errorf("the server's log: %q", line)
		}
	}
	if _, err := s.browser.Get(t.Context(), "/account"); err != nil {
		t.Errorf("the login did not last: %v", err)
	}
}

// FuzzRequest does so with what the fuzzer makes up.
func FuzzRequest(f *testing.F) {
	s := newSite(f)
	who := s.attackers(f)[1]
	host := strings.TrimPrefix(s.url, "http://")
	routes := slices.DeleteFunc(allRoutes(f), func(r route) bool { return r.String() == "POST /logout" })
	for i, text := range junk[:15] {
		f.Add(uint8(7*i), "POST", text, "a="+text, "Accept", text, "application/x-www-form-urlencoded", "csrf=x&name="+url.QueryEscape(text))
	}
	f.Add(uint8(0), "POST", "", "", "Mcp-Protocol-Version", "2026-07-28", "application/json", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	f.Fuzz(func(t *testing.T, n uint8, method, id, query, name, value, kind, body string) {
		if !plainMethod.MatchString(method) || framing.MatchString(name) || strings.ContainsAny(value+kind+query, "\r\n") {
			return // whose end the server rightly waits for
		}
		r := routes[int(n)%len(routes)]
		s.wantAnswer(t, request(method, r.at(id)+"?"+url.PathEscape(query), host, who.header+name+": "+value+"\r\n", kind, body+"&csrf="+who.csrf))
	})
}

var (
	plainMethod = regexp.MustCompile(`^[A-Z]{1,10}$`)
	// framing is a header that says where a request ends, or no header's name.
	framing = regexp.MustCompile(`(?i)^(content-length|transfer-encoding|expect|connection|upgrade)\s*$|[^a-zA-Z0-9-]|^$`)
)
