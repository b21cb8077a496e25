package holder

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// written makes a journal with three entries and returns its directory and text.
func written(t testing.TB) (dir string, text []byte) {
	t.Helper()
	dir = t.TempDir()
	j, err := openJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"one", "two", "three"} {
		if _, err := j.append(kind, map[string]string{"text": "with \x00, <, and \n"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	text, err = os.ReadFile(filepath.Join(dir, journalFile))
	if err != nil {
		t.Fatal(err)
	}
	return dir, text
}

func kindsOf(entries []Entry) []string {
	var kinds []string
	for _, e := range entries {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func TestDamagedJournals(t *testing.T) {
	_, whole := written(t)
	lines := bytes.SplitAfter(whole, []byte("\n"))
	two := len(lines[0]) + len(lines[1])
	flipped := bytes.Clone(whole)
	flipped[len(lines[0])+20] ^= 1
	flippedLast := bytes.Clone(whole)
	flippedLast[len(flippedLast)-20] ^= 1
	zeroed := bytes.Clone(whole)
	clear(zeroed[two+10 : two+40])
	tests := map[string]struct {
		text  []byte
		kinds []string
		want  string // in the error
	}{
		"whole":                         {whole, []string{"one", "two", "three"}, ""},
		"empty":                         {nil, nil, ""},
		"last line torn":                {whole[:len(whole)-7], []string{"one", "two"}, ""},
		"only the last line feed lost":  {whole[:len(whole)-1], []string{"one", "two"}, ""},
		"last line torn to zeros":       {append(bytes.Clone(whole[:two]), make([]byte, 50)...), []string{"one", "two"}, ""},
		"last line with a page of zero": {zeroed, []string{"one", "two"}, ""},
		"a bit flipped in the middle":   {flipped, nil, "entry 2 at byte"},
		"a bit flipped in the last":     {flippedLast, nil, "entry 3 at byte"},
		"a line missing":                {append(bytes.Clone(lines[0]), lines[2]...), nil, "entry 2 at byte"},
		"a line twice":                  {append(bytes.Clone(lines[0]), lines[0]...), nil, "number 1"},
		"another file":                  {[]byte("hello\n"), nil, "entry 1 at byte 0"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, journalFile), test.text, 0o600); err != nil {
				t.Fatal(err)
			}
			entries, err := ReadJournal(dir, 0)
			if test.want != "" {
				_, onlyNewest := ReadJournal(dir, 3)
				for _, err := range []error{err, onlyNewest} {
					if err == nil || !strings.Contains(err.Error(), test.want) {
						t.Fatalf("read: %v, want %q", err, test.want)
					}
				}
				if _, err := openJournal(dir); err == nil {
					t.Error("a holder goes on with it")
				}
				return
			}
			if diff := cmp.Diff(test.kinds, kindsOf(entries)); err != nil || diff != "" {
				t.Fatalf("read: %v\n%s", err, diff)
			}
			j, err := openJournal(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = j.close() }()
			if n, err := j.append("next", nil); err != nil || n != uint64(len(test.kinds))+1 {
				t.Fatalf("append: %d, %v", n, err)
			}
			entries, err = ReadJournal(dir, uint64(len(test.kinds)))
			if err != nil || len(entries) != 1 || entries[0].Kind != "next" {
				t.Errorf("after it has gone on: %v, %v", entries, err)
			}
		})
	}
}

func TestAJournalHasOneWriter(t *testing.T) {
	dir, _ := written(t)
	j, err := openJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.close() }()
	if _, err := openJournal(dir); err == nil || !strings.Contains(err.Error(), "another holder") {
		t.Errorf("second writer: %v", err)
	}
}

func TestNothingIsHandedOverThatIsNotJournalled(t *testing.T) {
	dir, _ := written(t)
	j, err := openJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	j.file.Close() // every write fails now, as on a dead disk
	hook := &heldHook{id: "h"}
	h := &holder{journal: j}
	// The hook has no connection: an attempt to hand over would panic.
	if err := h.handOver(hook, []byte("yes")); err == nil || errors.Is(err, ErrHookGone) {
		t.Errorf("hand over: %v", err)
	}
	if hook.state != hookWaiting {
		t.Error("the hook counts as answered")
	}
}

func FuzzReadJournal(f *testing.F) {
	_, text := written(f)
	f.Add(text)
	f.Add(text[:len(text)-3])
	f.Add([]byte("{}\n"))
	f.Add([]byte(`,"crc":"00000000"}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		scan := scanner{source: bytes.NewReader(text)}
		var n uint64
		for {
			entry, err := scan.next()
			if err != nil {
				break
			}
			n++
			if entry.N != n {
				t.Fatalf("entry %d follows entry %d", entry.N, n-1)
			}
		}
		if scan.offset > int64(len(text)) {
			t.Fatalf("offset %d of %d", scan.offset, len(text))
		}
	})
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte("m\x00\x00\x00\x02{}"))
	f.Add([]byte("d\x00\x00\x00\x00"))
	f.Add([]byte("m\xff\xff\xff\xff"))
	f.Add([]byte("x\x00\x00\x00\x01a"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := readFrame(bytes.NewReader(text))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := writeFrame(&again, got.kind, got.body); err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(text, again.Bytes()) {
			t.Errorf("%q was read as %q", text, again.Bytes())
		}
		if uint32(len(got.body)) != binary.BigEndian.Uint32(text[1:5]) {
			t.Error("length differs")
		}
	})
}
