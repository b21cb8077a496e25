package mcptools

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"
)

func TestGoldenEvents(t *testing.T) {
	compact, err := json.Marshal(EventTypes())
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := json.Indent(&got, compact, "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	compareGolden(t, filepath.Join("testdata", "events", "list.json"), got.String())
}

func FuzzReadSubscription(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"name":"session.ended","arguments":{"session_id":"a"},"delivery":{"mode":"webhook","url":"https://a.example/","secret":"whsec_"},"cursor":null,"ttlMs":1}`,
		`{"name":"x","arguments":null,"ttlMs":null}`, `{"arguments":{"host":"\u0000"}}`, `{"ttlMs":1e99}`, `{"delivery":[]}`, `null`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		_, wants, problem := readSubscription(text)
		if problem == nil && (wants.Session != "" && wants.Host != "" || len(wants.Session) > 400 || len(wants.Host) > 400) {
			t.Errorf("%q is read as %+v", text, wants)
		}
		if problem != nil && (problem.Code >= 0 || problem.Message == "") {
			t.Errorf("%q is refused with %+v", text, problem)
		}
	})
}
