package web_test

import (
	"net/http"
	"testing"
	"time"

	"switchboard/hostagent/protocol"
	"switchboard/hostagent/terminal"
)

// recording is a screen with colours, a wide character, markup that must stay text, and a marker.
func recording(t *testing.T, segments ...protocol.Segment) protocol.ReadRecordingReply {
	t.Helper()
	header := []byte(`{"version":3,"term":{"cols":80,"rows":24},"timestamp":1795250000}` + "\n")
	text := terminal.Cast{Header: header, Events: []terminal.CastEvent{
		{Code: "o", Text: "\x1b[1;32m❯\x1b[m make test 世界\r\n"}, {Interval: 0.4, Code: "m", Text: "Run make test <img src=x>"},
		{Interval: 0.3, Code: "o", Text: "\x1b[38;2;255;128;0m<script>window.owned = 1</script>\x1b[m\r\n"},
		{Interval: 120, Code: "o", Text: "\x1b[7m48 passed\x1b[m\r\n"}, {Interval: 0.2, Code: "m", Text: "Done"},
	}}.Text()
	packed, err := terminal.Pack(text)
	if err != nil {
		t.Fatal(err)
	}
	return protocol.ReadRecordingReply{Segments: segments, Data: packed}
}

func TestRecordingPage(t *testing.T) {
	s := newSite(t)
	h := s.newHost(t, s.admin)
	session := h.start(t, s.admin)
	at := "/sessions/" + string(session.ID)
	b := s.browser(t, &s.admin)
	now := time.Now()
	h.recording = protocol.ReadRecordingReply{}
	b.get(at+"/recording").wants(http.StatusOK, "Nothing of this session is recorded")
	h.recording = recording(t, protocol.Segment{Number: 4, At: now, End: now.Add(time.Minute)})
	b.get(at+"/recording").wants(http.StatusOK, "The beginning is not kept any more.", "What happened")
	b.get(at+"/recording/4").wants(http.StatusOK, `"markers":[`, "48 passed")
	for _, data := range [][]byte{nil, []byte("rubbish"), make([]byte, protocol.MaxSegment+1)} {
		h.recording = protocol.ReadRecordingReply{Data: data}
		b.get(at+"/recording/4").wants(http.StatusConflict, "cannot be read")
	}
	for _, number := range []string{"0", "x", "-1", "99999999999999999999"} {
		b.get(at+"/recording/"+number).wants(http.StatusNotFound, "nothing that you may see")
	}
	h.recording = protocol.Errorf(protocol.CodeInvalid, "this host knows no command %q", "read_recording")
	b.get(at+"/recording").wants(http.StatusOK, "knows no command")
	mallory := s.member(t, "mallory", "Mallory")
	for _, path := range []string{"/recording", "/recording/4"} {
		theirs := s.browser(t, &mallory).get(at + path)
		nobodys := s.browser(t, &mallory).get("/sessions/" + string(protocol.NewSessionID()) + path)
		theirs.wants(http.StatusNotFound)
		nobodys.wants(http.StatusNotFound)
	}
}

// TestARecordingPlaysOnATelephone, under the pages' own policy, and by the keyboard.
func TestARecordingPlaysOnATelephone(t *testing.T) {
	c := newChromium(t, 390, 844)
	s := newSite(t)
	h := s.newHost(t, s.admin)
	session := h.start(t, s.admin)
	now := time.Now().Add(-time.Hour)
	h.recording = recording(t, protocol.Segment{Number: 1, At: now, End: now.Add(121 * time.Second)})
	c.open(s.url + "/login?return_to=/sessions/" + string(session.ID) + "/recording")
	c.write("input[name=name]", "ada")
	c.write("input[name=password]", password)
	c.click("main button")
	c.until("document.querySelector('.stage')?.innerText.includes('make test')")
	if c.run("getComputedStyle(document.querySelector('.stage .t-bold')).color") != "rgb(95, 183, 96)" {
		t.Error("the prompt is not green")
	}
	c.click("#play")
	c.until("document.querySelector('.stage').innerText.includes('48 passed')") // two minutes later, by the skipped pause
	c.until("document.querySelector('#play').textContent === 'Play'")
	if c.run("window.owned") != nil || c.run("document.querySelector('.stage script, .stage img, #happened img')") != nil {
		t.Error("what was recorded became more than text")
	}
	c.picture("recording")
	if width := c.run("document.documentElement.scrollWidth"); width != 390.0 {
		t.Errorf("the page is %v wide", width)
	}
	small := c.run(`[...document.querySelectorAll(".player button, .player select, #seek")].filter(e => e.offsetHeight < 44).map(e => e.outerHTML).join("\n")`)
	if small != "" {
		t.Errorf("a thumb misses: %v", small)
	}
	key := func(name string) {
		c.run(`document.querySelector(".stage").dispatchEvent(new KeyboardEvent("keydown", {key: "` + name + `", bubbles: true}))`)
	}
	key("Home")
	c.until("!document.querySelector('.stage').innerText.includes('script')")
	key("ArrowRight")
	c.until("document.querySelector('.stage').innerText.includes('<script>window.owned')")
	key("End")
	c.until("document.querySelector('.stage').innerText.includes('48 passed')")
	c.run(`[...document.querySelectorAll(".happening")].find(e => e.textContent.includes("Run make test")).click()`)
	c.until("document.querySelector('#clock').textContent.startsWith('0:00 of 2:02') && !document.querySelector('.stage').innerText.includes('48')")
}
