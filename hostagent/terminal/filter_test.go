package terminal

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func filtered(text string, chunk int) string {
	var f Filter
	var out []byte
	for len(text) > 0 {
		n := min(chunk, len(text))
		out = f.Append(out, []byte(text[:n]))
		text = text[n:]
	}
	return string(out)
}

func TestFilter(t *testing.T) {
	long := strings.Repeat("x", 1000)
	tests := map[string]struct{ text, want string }{
		"text":                      {"héllo ✳ 世界\r\n", "héllo ✳ 世界\r\n"},
		"invalid text":              {"a\xffb\xe2\x9cc", "a\xffb\xe2\x9cc"},
		"colours and moves":         {"\x1b[1;31ma\x1b[2;3H\x1b[K\x1b[?25l\x1b(0q\x1b7", "\x1b[1;31ma\x1b[2;3H\x1b[K\x1b[?25l\x1b(0q\x1b7"},
		"title":                     {"\x1b]0;✳ who?;?\x07b", "\x1b]0;✳ who?;?\x07b"},
		"device attributes":         {"a\x1b[cb\x1b[0cc\x1b[>cd\x1b[=ce", "abcde"},
		"status":                    {"a\x1b[5nb\x1b[6nc\x1b[?6nd", "abcd"},
		"modes":                     {"a\x1b[?25$pb\x1b[4$pc", "abc"},
		"soft reset is no question": {"\x1b[!p", "\x1b[!p"},
		"version and keyboard":      {"a\x1b[>0qb\x1b[?uc\x1b[2 q", "abc\x1b[2 q"},
		"keyboard levels pass":      {"\x1b[>5u\x1b[>4;2m\x1b[<u", "\x1b[>5u\x1b[>4;2m\x1b[<u"},
		"window":                    {"a\x1b[18tb\x1b[21tc\x1b[22;0t", "abc\x1b[22;0t"},
		"colours asked for":         {"a\x1b]10;?\x07b\x1b]4;1;?\x1b\\c\x1b]11;#fff\x07", "abc\x1b]11;#fff\x07"},
		"clipboard asked for":       {"a\x1b]52;c;?\x07b\x1b]52;c;aGk=\x07", "ab\x1b]52;c;aGk=\x07"},
		"Claude Code's":             {"a\x1b]7501;?\x07b", "ab"},
		"status string":             {"a\x1bP$qm\x1b\\b\x1bP+q544e\x1b\\c", "abc"},
		"long status string":        {"a\x1bP+q" + long + "\x1b\\b", "a\x1b\\b"},
		"long link":                 {"\x1b]8;;" + long + "\x07b", "\x1b]8;;" + long + "\x07b"},
		"long graphics":             {"\x1bPq" + long + "\x1b\\b", "\x1bPq" + long + "\x1b\\b"},
		"C1":                        {"a\u009b6nb\u009d10;?\u009cc\u009ad", "abcd"},
		"C1 in a sequence":          {"a\x1b\u009bcb\x1b[3\u009bxc", "a\x1bb\x1b[3c"},
		"enquiry and identify":      {"a\x05b\x1bZc", "abc"},
		"more of xterm's":           {"a\x1b[?4mb\x1b[#Rc\x1b[1;2#|d\x1b[\"ve\x1b[&uf\x1b[1'|g\x1b[1$wh\x1b[1;1;1;1;1;1*yi", "abcdefghi"},
		"reports of the size":       {"a\x1b[?2048hb\x1b[?25;2048hc\x1b[?2004h", "abc\x1b[?2004h"},
		"kitty's colours":           {"a\x1b]21;foreground=?\x1b\\b\x1b]21;foreground=red\x1b\\", "ab\x1b]21;foreground=red\x1b\\"},
		"kitty's graphics":          {"a\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\b\x1b_G" + long + "\x1b\\c", "ab\x1b\\c"},
		"kitty's clipboard, files":  {"a\x1b]5522;type=read;Lg==\x1b\\b\x1b]5113;ac=send\x1b\\c", "abc"},
		"kitty's notifications":     {"a\x1b]99;i=rm:a=report;x\x1b\\b\x1b]99;i=1:p=?;\x1b\\c\x1b]99;;hi\x1b\\", "abc\x1b]99;;hi\x1b\\"},
		"kitty's echo":              {"a\x1bP@kitty-echo|MQ==\x1b\\b\x1bP@kitty-cmd{\"cmd\":\"ls\"}\x1b\\c\u0090@kitty-echo|MQ==\u009cd", "abcd"},
		"resources, keys":           {"a\x1bP+Q66\x1b\\b\x1bP0$qm\x1b\\c\x1bP0;1|17/31\x1b\\d", "abcd"},
		"zeros before":              {"a\x1b[021tb\x1b[0018tc\x1b[?02048hd\x1b]052;c;?\x07e", "abcde"},
		"at the end of many":        {"a\x1b]4;1;#fff" + strings.Repeat(";1;#fff", 100) + ";1;?\x07b", "ab"},
		"fonts, features":           {"a\x1b]50;?+1\x07b\x1b]60\x07c\x1b]61;x\x07d\x1b]1337;Capabilities\x1b\\e", "abcde"},
		"unknown strings":           {"a\x1b]83;stuff x\x07b\x1b_x\x1b\\c\x1b^x\x1b\\d\x1bXx\x1b\\e", "abcde"},
		"other languages":           {"a\x1b%@b\x1b[?2lc\x1b[?25;02ld\x1bGQe\x1b[?25l", "abcdQe\x1b[?25l"},
		"pictures":                  {"\x1b]1337;File=inline=1:" + long + "\x07\x1bP0;1q" + long + "\x1b\\", "\x1b]1337;File=inline=1:" + long + "\x07\x1bP0;1q" + long + "\x1b\\"},
		"long clipboard":            {"\x1b]52;c;" + long + "\x07\x1b]52;" + long + ";?\x07", "\x1b]52;c;" + long + "\x07"},
		"an end that is none":       {"\x1b]4;1;red\u009c;1;?\x07", "\x1b]4;1;red\u009c\x1b\\;1;?\x07"},
		"iTerm2's":                  {"a\x1b]1337;ReportCellSize\ab\x1b]1337;ReportVariable=eA==\ac\x1b]1337;RequestUpload=format=tgz\ad", "abcd"},
		"broken off":                {"a\x1b[3\x1b[6nb\x1b]0;t\x1b[cd", "a\x1b[3b\x1b]0;td"},
		"cancelled":                 {"a\x1b[6\x18nb", "a\x1b[6\x18nb"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, chunk := range []int{1, 2, 3, 7, 1 << 20} {
				if diff := cmp.Diff(test.want, filtered(test.text, chunk)); diff != "" {
					t.Errorf("in chunks of %d: %s", chunk, diff)
				}
			}
		})
	}
}

func FuzzFilter(f *testing.F) {
	f.Add("a\x1b[6n\x1b]0;✳\x07\x1bP$q\x1b\\\xe2\x9c\u009b6n\x05", uint8(3))
	f.Fuzz(func(t *testing.T, text string, chunk uint8) {
		whole := filtered(text, len(text)+1)
		if got := filtered(text, int(chunk)+1); got != whole {
			t.Errorf("cut differently: %q, %q", got, whole)
		}
		asked := false
		screen := New(80, 24)
		screen.Reply = func([]byte) { asked = true }
		_, _ = screen.Write([]byte(whole))
		if asked && len(text) < maxQuestion {
			t.Errorf("a question is left in %q of %q", whole, text)
		}
	})
}

// joined is what a viewer's terminal gets who joins when two parts of the text have come, and what the model shows.
func joined(text string, first, second int) (seen string, model *Terminal) {
	cut := min(first, len(text))
	end := min(cut+second, len(text))
	model = New(80, 24)
	var f Filter
	for _, part := range []string{text[:cut], text[cut:end]} {
		_, _ = model.Write([]byte(part))
		f.Skip([]byte(part), model.Whole())
	}
	seen = string(f.Append(model.Snapshot(), []byte(text[end:])))
	_, _ = model.Write([]byte(text[end:]))
	return seen, model
}

// TestFilterSkip: a viewer who joins anywhere sees what is there.
func TestFilterSkip(t *testing.T) {
	const text = "a\x1b[1;31mb\x1b]0;✳ title\x07c\x1b]8;;http://localhost\x1b\\d\x1b[6ne\x1bP$qm\x1b\\f\x1b(Bg世界\u009b2;2Hh\x1b]10;?\x1b\\i"
	for first := range len(text) {
		for second := range len(text) - first {
			seen, model := joined(text, first, second)
			viewers := New(80, 24)
			_, _ = viewers.Write([]byte(seen))
			if diff := cmp.Diff(model.Screen().Lines, viewers.Screen().Lines); diff != "" || model.title != viewers.title {
				t.Errorf("joined at %d after %d: %s", first+second, first, diff)
			}
		}
	}
}

func FuzzFilterSkip(f *testing.F) {
	f.Add("a\x1b[6n\x1b]0;✳\x07\x1bP$q\x1b\\\xe2\x9c\u009b6n\x05", uint8(3), uint8(5))
	f.Fuzz(func(t *testing.T, text string, first, second uint8) {
		seen, _ := joined(text, int(first), int(second))
		viewers := New(80, 24)
		asked := false
		viewers.Reply = func([]byte) { asked = true }
		_, _ = viewers.Write([]byte(seen))
		if asked && len(text) < maxQuestion {
			t.Errorf("a question is left in %q", seen)
		}
	})
}
