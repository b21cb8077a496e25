package web

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProse(t *testing.T) {
	words := func(text string) piece { return piece{pieceWords, text} }
	code := func(text string) piece { return piece{pieceCode, text} }
	block := func(text string) piece { return piece{pieceBlock, text} }
	for _, c := range []struct {
		name, text string
		want       []piece
	}{
		{"nothing", "", nil},
		{"words", "two\nlines", []piece{words("two\nlines")}},
		{"code", "run `npm test` now", []piece{words("run "), code("npm test"), words(" now")}},
		{"code alone", "`a`", []piece{code("a")}},
		{"code with a backtick in it", "``a`b``", []piece{code("a`b")}},
		{"a backtick alone", "it`s", []piece{words("it`s")}},
		{"backticks on two lines", "a `b\nc` d", []piece{words("a `b\nc` d")}},
		{"nothing between", "a `` b", []piece{words("a `` b")}},
		{"a block", "see:\n\n```go\nfunc f() {}\n\n```\n\nand `x`\n", []piece{words("see:"), block("func f() {}"), words("and "), code("x")}},
		{"a block with fences in it", "````\n```\nx\n```\n````\n", []piece{block("```\nx\n```")}},
		{"a block that does not end", "```\n`a` b\n", []piece{block("`a` b")}},
		{"an indented block", "- so:\n  ```sh\n  ls\n  ```\n", []piece{words("- so:"), block("  ls")}},
		{"three backticks within a line", "a ```b``` c", []piece{words("a "), code("b"), words(" c")}},
		{"three backticks at a line's begin", "```b``` c", []piece{code("b"), words(" c")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, prose(c.text)); diff != "" {
				t.Errorf("pieces (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzProse checks that nothing but marks and line ends is lost, whatever an agent writes.
func FuzzProse(f *testing.F) {
	for _, text := range []string{"a `b` c", "```\nx\n```\ny", "``` `\n```", "`\n```\n`"} {
		f.Add(text)
	}
	kept := func(text string) string {
		return strings.NewReplacer("`", "", "\n", "", " ", "", "\t", "").Replace(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var all strings.Builder
		for _, p := range prose(text) {
			if p.Text == "" && p.Kind != pieceBlock {
				t.Errorf("an empty piece of %q", text)
			}
			all.WriteString(p.Text)
		}
		if got, want := kept(all.String()), kept(text); !isSubsequence(got, want) {
			t.Errorf("%q became %q", text, all.String())
		}
	})
}

func isSubsequence(part, whole string) bool {
	for i := range len(part) {
		at := strings.IndexByte(whole, part[i])
		if at < 0 {
			return false
		}
		whole = whole[at+1:]
	}
	return true
}
