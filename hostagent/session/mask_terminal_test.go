package session

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMaskTerminal has secrets of real shapes, cut and drawn as programs do.
func TestMaskTerminal(t *testing.T) {
	t.Parallel()
	const (
		github    = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
		anthropic = "sk-ant-api03-abcdefgh_IJKLMNOP-0123456789"
		aws       = "AKIAIOSFODNN7EXAMPLE"
	)
	stars := func(s string) string { return strings.Repeat("*", len(s)) }
	cut := func(s string, every int) (pieces []string) {
		for ; len(s) > every; s = s[every:] {
			pieces = append(pieces, s[:every])
		}
		return append(pieces, s)
	}
	key := "-----BEGIN OPENSSH PRIVATE KEY-----\r\nb3BlbnNzaC1rZXk\r\n-----END OPENSSH PRIVATE KEY-----"
	tests := map[string]struct {
		before  string
		pieces  []string
		after   string
		growing bool
		want    []string
	}{
		"plain":              {pieces: []string{"$ ls\r\n", "a b"}, want: []string{"$ ls\r\n", "a b"}},
		"in one piece":       {pieces: []string{"token " + github + " ok"}, want: []string{"token " + stars(github) + " ok"}},
		"typed one by one":   {pieces: cut(anthropic, 1), want: cut(stars(anthropic), 1)},
		"in two pieces":      {pieces: []string{"export K=" + github[:9], github[9:] + "\r\n"}, want: []string{"export K=" + stars(github[:9]), stars(github[9:]) + "\r\n"}},
		"begun before":       {before: "x " + github[:20], pieces: []string{github[20:] + " y"}, want: []string{stars(github[20:]) + " y"}},
		"ended after":        {pieces: []string{"x " + github[:20]}, after: github[20:], want: []string{"x " + stars(github[:20])}},
		"coloured":           {pieces: []string{"\x1b[32m" + github[:10] + "\x1b[1;31m" + github[10:] + "\x1b[m."}, want: []string{"\x1b[32m" + stars(github[:10]) + "\x1b[1;31m" + stars(github[10:]) + "\x1b[m."}},
		"with a title in it": {pieces: []string{github[:10] + "\x1b]0;✳ title\x07" + github[10:]}, want: []string{stars(github[:10]) + "\x1b]0;✳ title\x07" + stars(github[10:])}},
		"escape in pieces":   {pieces: []string{github[:10] + "\x1b[3", "2m" + github[10:]}, want: []string{stars(github[:10]) + "\x1b[3", "2m" + stars(github[10:])}},
		"wrapped":            {pieces: []string{github[:30] + "\r\n" + github[30:]}, want: []string{stars(github[:30]) + "\r\n" + stars(github[30:])}},
		"wrapped by a jump":  {pieces: []string{github[:30] + "\x1b[7;1H" + github[30:]}, want: []string{stars(github[:30]) + "\x1b[7;1H" + stars(github[30:])}},
		"after a jump":       {pieces: []string{"abc\x1b[7;1H" + aws + "\x1b[8;1Hdef"}, want: []string{"abc\x1b[7;1H" + stars(aws) + "\x1b[8;1Hdef"}},
		"blanks stepped over": {
			pieces: []string{"my\x1b[1Ckey\x1b[1Cis\x1b[1C" + aws + "\x1b[1Cand\x1b[1Cno\x1b[1Cother"},
			want:   []string{"my\x1b[1Ckey\x1b[1Cis\x1b[1C" + stars(aws) + "\x1b[1Cand\x1b[1Cno\x1b[1Cother"},
		},
		"private key":        {pieces: cut("a\r\n"+key+"\r\nb", 7), want: cut("a\r\n"+maskedLines(key)+"\r\nb", 7)},
		"begun, over":        {pieces: []string{"echo ghp_01234"}, want: []string{"echo ghp_01234"}},
		"begun, growing":     {pieces: []string{"echo ghp_01234"}, growing: true, want: []string{"echo *********"}},
		"looks like a start": {pieces: []string{"echo sk-foo bar"}, growing: true, want: []string{"echo sk-foo bar"}},
		"wide characters":    {pieces: []string{"世界 " + aws + " 世界"}, want: []string{"世界 " + stars(aws) + " 世界"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, maskTerminal(test.before, test.pieces, test.after, test.growing)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func maskedLines(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\r' || r == '\n' {
			return r
		}
		return '*'
	}, text)
}

func FuzzMaskTerminal(f *testing.F) {
	f.Add("\x1b[3", "2mghp_0123456789abcdefghijABCDEFGHIJ0123", "45\x1b]0;a")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		a, b, c = strings.ToValidUTF8(a, "?"), strings.ToValidUTF8(b, "?"), strings.ToValidUTF8(c, "?")
		got := maskTerminal(a, []string{b, c}, "", true)
		for i, piece := range []string{b, c} {
			if len([]rune(got[i])) != len([]rune(piece)) {
				t.Errorf("%q became %q", piece, got[i])
			}
		}
	})
}

// TestScreensLinesAreMaskedAsOneText: what is wrapped at the edge, or has several lines, is a secret all the same.
func TestScreensLinesAreMaskedAsOneText(t *testing.T) {
	t.Parallel()
	const token = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
	const body = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAAB"
	stars := func(s string) string { return strings.Repeat("*", len(s)) }
	tests := map[string]struct{ lines, want []string }{
		"plain":        {[]string{"$ ls", "", "  a b"}, []string{"$ ls", "", "  a b"}},
		"wrapped":      {[]string{"echo " + token[:20], token[20:] + " ok"}, []string{"echo " + stars(token[:20]), stars(token[20:]) + " ok"}},
		"and indented": {[]string{"  ⎿  " + token[:20], "     " + token[20:]}, []string{"  ⎿  " + stars(token[:20]), "     " + stars(token[20:])}},
		"a key": {
			[]string{"-----BEGIN PRIVATE KEY-----", body, "-----END PRIVATE KEY-----", "$"},
			[]string{stars("-----BEGIN PRIVATE KEY-----"), stars(body), stars("-----END PRIVATE KEY-----"), "$"},
		},
		"a key's end": {
			[]string{"  " + body, "  " + body, "  AAAA==", "  -----END OPENSSH PRIVATE KEY-----", "$ ls"},
			[]string{"  " + stars(body), stars("  " + body), "********", stars("  -----END OPENSSH PRIVATE KEY-----"), "$ ls"},
		},
		"our own":          {[]string{"sb_pat_0123456789abcdefghij.ABCDEFGHIJ"}, []string{stars("sb_pat_0123456789abcdefghij.ABCDEFGHIJ")}},
		"controls, orders": {[]string{"a\x1b[1mb\u202e"}, []string{"ab\ufffd"}},
	}
	for name, test := range tests {
		if diff := cmp.Diff(test.want, outgoingLines(test.lines)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
