package terminal

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// written is a screen of 10×4 after text.
func written(text string) *Terminal {
	t := New(10, 4)
	_, _ = t.Write([]byte(text))
	return t
}

func TestSequences(t *testing.T) {
	tests := map[string]struct {
		text   string
		want   string // the lines, joined by |
		cursor [2]int
	}{
		"text":                       {"hello", "hello|||", [2]int{5, 0}},
		"lines":                      {"a\r\nb\nc", "a|b| c|", [2]int{2, 2}},
		"wrap":                       {"0123456789ab", "0123456789|ab||", [2]int{2, 1}},
		"no wrap before the next":    {"0123456789", "0123456789|||", [2]int{9, 0}},
		"return after the last":      {"0123456789\rx", "x123456789|||", [2]int{1, 0}},
		"backspace after the last":   {"0123456789\bx", "01234567x9|||", [2]int{9, 0}},
		"wrapping off":               {"\x1b[?7l0123456789abc", "012345678c|||", [2]int{9, 0}},
		"scroll":                     {"a\r\nb\r\nc\r\nd\r\ne", "b|c|d|e", [2]int{1, 3}},
		"tab":                        {"a\tb\tc", "a       bc|||", [2]int{9, 0}},
		"tab stops":                  {"\x1b[3g\x1b[4G\x1bH\r\tx", "   x|||", [2]int{4, 0}},
		"back tab":                   {"\x1b[10G\x1b[Zx", "        x|||", [2]int{9, 0}},
		"position":                   {"\x1b[2;3Hx", "|  x||", [2]int{3, 1}},
		"position beyond":            {"\x1b[99;99Hx", "|||         x", [2]int{9, 3}},
		"up down":                    {"\x1b[3;3H\x1b[Aa\x1b[2Bb", "|  a||   b", [2]int{4, 3}},
		"next and previous line":     {"ab\x1b[2Ec\x1b[Fd", "ab|d|c|", [2]int{1, 1}},
		"erase to end":               {"abcdef\x1b[3G\x1b[K", "ab|||", [2]int{2, 0}},
		"erase to start":             {"abcdef\x1b[3G\x1b[1K", "   def|||", [2]int{2, 0}},
		"erase below":                {"a\r\nb\r\nc\x1b[2;1H\x1b[J", "a|||", [2]int{0, 1}},
		"erase above":                {"a\r\nb\r\nc\x1b[2;1H\x1b[1J", "||c|", [2]int{0, 1}},
		"erase all":                  {"a\r\nb\x1b[2J", "|||", [2]int{1, 1}},
		"erase characters":           {"abcdef\x1b[2G\x1b[3X", "a   ef|||", [2]int{1, 0}},
		"insert characters":          {"abc\x1b[2G\x1b[2@", "a  bc|||", [2]int{1, 0}},
		"delete characters":          {"abcdef\x1b[2G\x1b[2P", "adef|||", [2]int{1, 0}},
		"insert lines":               {"a\r\nb\r\nc\x1b[2H\x1b[L", "a||b|c", [2]int{0, 1}},
		"delete lines":               {"a\r\nb\r\nc\x1b[H\x1b[2M", "c|||", [2]int{0, 0}},
		"scroll up and down":         {"a\r\nb\r\nc\r\nd\x1b[2S\x1b[T", "|c|d|", [2]int{1, 3}},
		"region scrolls alone":       {"a\r\nb\r\nc\r\nd\x1b[2;3r\x1b[3H\nx", "a|c|x|d", [2]int{1, 2}},
		"reverse line feed":          {"a\r\nb\x1b[H\x1bMx", "x|a|b|", [2]int{1, 0}},
		"reverse in region":          {"a\r\nb\r\nc\r\nd\x1b[2;3r\x1b[2H\x1bMx", "a|x|b|d", [2]int{1, 1}},
		"origin":                     {"\x1b[2;3r\x1b[?6h\x1b[1;1Hx\x1b[9;1Hy", "|x|y|", [2]int{1, 2}},
		"bad region is ignored":      {"\x1b[3;2r\x1b[4Hx\n", "||x|", [2]int{1, 3}},
		"save and restore":           {"ab\x1b7\x1b[3;3Hx\x1b8c", "abc||  x|", [2]int{3, 0}},
		"insert mode":                {"abc\x1b[H\x1b[4hx", "xabc|||", [2]int{1, 0}},
		"repeat":                     {"a\x1b[3b", "aaaa|||", [2]int{4, 0}},
		"line drawing":               {"\x1b(0lqk\x1b(Bq", "┌─┐q|||", [2]int{4, 0}},
		"shift out":                  {"\x1b)0q\x0eq\x0fq", "q─q|||", [2]int{3, 0}},
		"pound":                      {"\x1b(A#", "£|||", [2]int{1, 0}},
		"alignment":                  {"\x1b#8", "EEEEEEEEEE|EEEEEEEEEE|EEEEEEEEEE|EEEEEEEEEE", [2]int{0, 0}},
		"wide":                       {"a日本b", "a日本b|||", [2]int{6, 0}},
		"wide wraps early":           {"012345678日", "012345678|日||", [2]int{2, 1}},
		"wide does not fit":          {"\x1b[?7l012345678日", "012345678|||", [2]int{9, 0}},
		"left half overwritten":      {"日\rx", "x|||", [2]int{1, 0}},
		"right half overwritten":     {"日\x1b[2Gx", " x|||", [2]int{2, 0}},
		"half deleted":               {"日本\x1b[2G\x1b[P", " 本|||", [2]int{1, 0}},
		"half pushed out":            {"\x1b[9G日\x1b[H\x1b[@", "|||", [2]int{0, 0}},
		"combining":                  {"e\u0301x", "e\u0301x|||", [2]int{2, 0}},
		"combining after the last":   {"0123456789\u0301", "0123456789\u0301|||", [2]int{9, 0}},
		"combining on nothing":       {"\u0301x", "x|||", [2]int{1, 0}},
		"combining on wide":          {"日\u0301", "日\u0301|||", [2]int{2, 0}},
		"direction override":         {"a\u202eb\u2066c", "abc|||", [2]int{3, 0}},
		"hidden":                     {"a\x1b[8mb\x1b[28mc", "a c|||", [2]int{3, 0}},
		"invalid UTF-8":              {"a\xff\xe2\x9cb", "a\ufffd\ufffdb|||", [2]int{4, 0}},
		"title is not text":          {"\x1b]0;✳ Claude Code\x07x", "x|||", [2]int{1, 0}},
		"title ended by ST":          {"\x1b]2;t\x1b\\x", "x|||", [2]int{1, 0}},
		"title ended by C1 ST":       {"\u009d2;t\u009cx", "x|||", [2]int{1, 0}},
		"string ended by a sequence": {"\x1bPq\x1b[2Gx", " x|||", [2]int{2, 0}},
		"device control is not text": {"\x1bP+q544e\x1b\\x", "x|||", [2]int{1, 0}},
		"cancelled sequence":         {"\x1b[3\x18x", "x|||", [2]int{1, 0}},
		"control in a sequence":      {"ab\x1b[\r2Cx", "abx|||", [2]int{3, 0}},
		"unknown sequences":          {"\x1b[5z\x1b[>1;2m\x1b[?1;2z\x1b[1$~x", "x|||", [2]int{1, 0}},
		"alternate and back":         {"main\x1b[?1049h\x1b[Hfull\x1b[?1049lx", "mainx|||", [2]int{5, 0}},
		"alternate begins empty":     {"\x1b[?1049hx\x1b[?1049l\x1b[?1049hy", "y|||", [2]int{1, 0}},
		"reset":                      {"abc\x1b[2;3r\x1b[1m\x1bcx", "x|||", [2]int{1, 0}},
		"huge numbers":               {"\x1b[99999999999999999999Cx\x1b[4294967297A", "         x|||", [2]int{9, 0}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := written(test.text).Screen()
			if diff := cmp.Diff(test.want, strings.Join(got.Lines, "|")); diff != "" {
				t.Error(diff)
			}
			if got.Cursor != test.cursor {
				t.Errorf("cursor is at %v, want %v", got.Cursor, test.cursor)
			}
		})
		t.Run(name+", byte by byte", func(t *testing.T) {
			bytewise := New(10, 4)
			for i := range len(test.text) {
				_, _ = bytewise.Write([]byte{test.text[i]})
			}
			if diff := cmp.Diff(written(test.text).Screen(), bytewise.Screen()); diff != "" {
				t.Error(diff)
			}
		})
		t.Run(name+", from a snapshot", func(t *testing.T) {
			first := written(test.text)
			second := written(string(first.Snapshot()))
			if diff := cmp.Diff(first.Screen(), second.Screen()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTitle(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"with 9C inside a character": {"\x1b]0;✳ Claude Code\x07", "✳ Claude Code"},
		"of controls":                {"\x1b]2;a\u009bb\x7fc\u202ed\x1b\\", "acd"},
		"icon only":                  {"\x1b]1;icon\x07", ""},
		"too long":                   {"\x1b]2;" + strings.Repeat("é", 400) + "\x07", strings.Repeat("é", 256)},
		"pushed and popped":          {"\x1b]2;one\x07\x1b[22;2t\x1b]2;two\x07\x1b[23;2t", "one"},
		"unended":                    {"\x1b]2;one", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := written(test.text).Screen().Title; got != test.want {
				t.Errorf("title is %q, want %q", got, test.want)
			}
		})
	}
}

func TestAnswersHoldNothingThatWasWritten(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"device attributes":           {"\x1b[c", "\x1b[?62;22c"},
		"secondary device attributes": {"\x1b[>c", "\x1b[>0;276;0c"},
		"well":                        {"\x1b[5n", "\x1b[0n"},
		"cursor":                      {"ab\x1b[6n", "\x1b[1;3R"},
		"mode":                        {"\x1b[?25$p\x1b[?2004$p\x1b[?31337$p", "\x1b[?25;1$y\x1b[?2004;2$y\x1b[?31337;0$y"},
		"size":                        {"\x1b[18t", "\x1b[8;4;10t"},
		"title":                       {"\x1b]2;rm -rf\x07\x1b[21t\x1b[20t", ""},
		"answerback":                  {"\x05", ""},
		"status string":               {"\x1bP$qm\x1b\\", ""},
		"colours and clipboard":       {"\x1b]10;?\x07\x1b]52;c;?\x07\x1b]4;1;?\x07", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got []byte
			screen := New(10, 4)
			screen.Reply = func(answer []byte) { got = append(got, answer...) }
			_, _ = screen.Write([]byte(test.text))
			if string(got) != test.want {
				t.Errorf("answer is %q, want %q", got, test.want)
			}
		})
	}
}

func TestStyles(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"plain":               {"x", "\x1b[0m"},
		"several":             {"\x1b[1;2;3;4;5;7;8;9;53mx", "\x1b[0;1;2;3;5;7;8;9;53;4:1m"},
		"some off again":      {"\x1b[1;3;7m\x1b[22;27mx", "\x1b[0;3m"},
		"palette":             {"\x1b[31;105mx", "\x1b[0;38;5;1;48;5;13m"},
		"256 colours":         {"\x1b[38;5;200;48:5:17mx", "\x1b[0;38;5;200;48;5;17m"},
		"direct":              {"\x1b[38;2;1;2;3mx", "\x1b[0;38;2;1;2;3m"},
		"direct with a space": {"\x1b[48:2::1:2:3mx", "\x1b[0;48;2;1;2;3m"},
		"direct without":      {"\x1b[48:2:1:2:3mx", "\x1b[0;48;2;1;2;3m"},
		"curly":               {"\x1b[4:3;58;5;9mx", "\x1b[0;4:3;58;5;9m"},
		"underline off":       {"\x1b[4m\x1b[4:0mx", "\x1b[0m"},
		"cut short":           {"\x1b[1;38;5mx", "\x1b[0;1m"},
		"unknown":             {"\x1b[1;73;99mx", "\x1b[0;1m"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			screen := written(test.text)
			style := screen.styles.value(screen.main.lines[0][0].style)
			if got := string(style.appendSGR(nil)); got != test.want {
				t.Errorf("style is %q, want %q", got, test.want)
			}
		})
	}
}

func TestFaintTextIsNotStrong(t *testing.T) {
	for text, want := range map[string]struct{ text, strong string }{
		"> \x1b[2mhint\x1b[m!":           {"> hint!", ">     !"},
		"> \x1b[7mh\x1b[0;2mint\x1b[m!":  {"> hint!", ">     !"}, // with a cursor that the program draws
		"> \x1b[7mh\x1b[mi \x1b[2mghost": {"> hi ghost", "> hi"},
		"> h\x1b[7m \x1b[m":              {"> h", "> h"},
	} {
		got := written(text).Screen()
		if got.Lines[0] != want.text || got.Strong[0] != want.strong {
			t.Errorf("%q: lines %q, strong %q", text, got.Lines[0], got.Strong[0])
		}
	}
}

func TestResize(t *testing.T) {
	tests := map[string]struct {
		text       string
		cols, rows int
		want       string
		cursor     [2]int
	}{
		"wider and higher":      {"a\r\nb", 12, 5, "a|b|||", [2]int{1, 1}},
		"narrower":              {"0123456789", 5, 4, "01234|||", [2]int{4, 0}},
		"narrower through wide": {"ab日", 3, 4, "ab|||", [2]int{2, 0}},
		"lower, with room":      {"a\r\nb", 10, 2, "a|b", [2]int{1, 1}},
		"lower, without room":   {"a\r\nb\r\nc\r\nd", 10, 2, "c|d", [2]int{1, 1}},
		"in the alternate one":  {"a\r\nb\r\nc\r\nd\x1b[?1049h\x1b[4Hx\x1b[?1049l\x1b[?1049h\x1b[?1049l", 10, 2, "c|d", [2]int{1, 1}},
		"to nothing":            {"abc", 0, -5, "a", [2]int{0, 0}},
		"to far too much":       {"abc", 1 << 30, 1 << 30, "abc" + strings.Repeat("|", MaxRows-1), [2]int{3, 0}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			screen := written(test.text)
			screen.Resize(test.cols, test.rows)
			got := screen.Screen()
			if diff := cmp.Diff(test.want, strings.Join(got.Lines, "|")); diff != "" {
				t.Error(diff)
			}
			if got.Cursor != test.cursor {
				t.Errorf("cursor is at %v, want %v", got.Cursor, test.cursor)
			}
		})
	}
}

func TestSnapshotHasTheModes(t *testing.T) {
	text := "\x1b]2;title\x07main\x1b[?1049h\x1b[1;38;2;1;2;3mfull\x1b[2;3r\x1b[?6h\x1b[?25l\x1b[?1002h\x1b[?1006h\x1b[?2004h\x1b=\x1b[4h\x1b[3 q\x1b)0\x0e"
	first := written(text)
	second := written(string(first.Snapshot()))
	if diff := cmp.Diff(string(first.Snapshot()), string(second.Snapshot())); diff != "" {
		t.Error(diff)
	}
	for _, more := range []string{"q", "\x1b[1;1Hx\n\n\ny", "\x1b[?1049lz"} {
		_, _ = first.Write([]byte(more))
		_, _ = second.Write([]byte(more))
		if diff := cmp.Diff(first.Screen(), second.Screen()); diff != "" {
			t.Errorf("after %q: %s", more, diff)
		}
	}
}

func TestStylesDoNotPileUp(t *testing.T) {
	screen := New(80, 24)
	for i := range 200_000 {
		fmt.Fprintf(screen, "\x1b[38;2;%d;%d;%dme\u0301%c", i>>16, i>>8&255, i&255, rune(0x300+i%100))
	}
	if n := len(screen.styles.values); n > 3*80*24 {
		t.Errorf("%d styles are kept for %d cells", n, 80*24)
	}
	if n := len(screen.clusters.values); n > 3*80*24 {
		t.Errorf("%d clusters are kept for %d cells", n, 80*24)
	}
}

func TestCallbacks(t *testing.T) {
	var got []string
	screen := New(10, 4)
	screen.Bell = func() { got = append(got, "bell") }
	screen.Retitled = func(title string) { got = append(got, title) }
	_, _ = screen.Write([]byte("\a\x1b]0;a\a\x1b]0;a\a\x1b]0;b\a"))
	if diff := cmp.Diff([]string{"bell", "a", "b"}, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzTerminal(f *testing.F) {
	f.Add([]byte("\x1b[2;3r\x1b[?6h日本\x1b[?1049h\x1b[5b\x1b[4h\xe2\x9c"), uint8(7), uint8(3))
	f.Add([]byte("\x1b[38:2::1:2:3mé\u0301\x1b7\x1b[2L\x1b8\x1b[3g\x1bH\x1b[L\x1b[M\x1b[S\x1b[T"), uint8(1), uint8(1))
	f.Add([]byte("\x1b]0;✳\x1b\\\x1bP$q\x9c\x1b#8\x1b[!p\x1bc\x1b[99999@\x1b[99999P"), uint8(80), uint8(24))
	f.Fuzz(func(t *testing.T, text []byte, cols, rows uint8) {
		screen := New(int(cols), int(rows))
		screen.Reply = func(answer []byte) {
			if len(answer) > 32 {
				t.Errorf("answer %q", answer)
			}
		}
		_, _ = screen.Write(text[:len(text)/2])
		screen.Resize(int(rows)+1, int(cols)/2)
		_, _ = screen.Write(text[len(text)/2:])
		check(t, screen)
		again := New(screen.cols, screen.rows)
		snapshot := screen.Snapshot()
		_, _ = again.Write(snapshot)
		check(t, again)
		if got := again.Snapshot(); string(got) != string(snapshot) {
			t.Errorf("a screen made of a snapshot has another\n%q\n%q", snapshot, got)
		}
	})
}

// check looks whether the model still holds together.
func check(t *testing.T, s *Terminal) {
	t.Helper()
	if c := s.cursor; c.x < 0 || c.x >= s.cols || c.y < 0 || c.y >= s.rows {
		t.Fatalf("cursor at %d,%d of %d×%d", c.x, c.y, s.cols, s.rows)
	}
	if s.top < 0 || s.bottom >= s.rows || s.top > s.bottom {
		t.Fatalf("region %d to %d of %d", s.top, s.bottom, s.rows)
	}
	for _, g := range []grid{s.main, s.alternate} {
		for y, row := range g.lines {
			if len(row) != s.cols {
				t.Fatalf("row %d has %d of %d columns", y, len(row), s.cols)
			}
			for x, c := range row {
				if c.half == right && (x == 0 || row[x-1].half != left) || c.half == left && (x+1 == len(row) || row[x+1].half != right) {
					t.Fatalf("half a character at %d,%d", x, y)
				}
			}
		}
	}
}
