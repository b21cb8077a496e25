package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
	"switchboard/hostagent/terminal"
)

type recordingPage struct {
	sessionPage
	Away     string // nothing can be shown, and why
	Missing  string // why only a part can
	Cut      bool   // the beginning is not kept any more
	Segments string // for the player, as JSON
	None     bool
}

// playedSegment is a segment as the player is told of it: times in milliseconds since 1970.
type playedSegment struct {
	Number uint64 `json:"n"`
	At     int64  `json:"at"`
	End    int64  `json:"end"`
}

// Recording plays what the session's terminal showed.
func (p *Pages) Recording(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	found, err := p.Fleet.Recording(r.Context(), visit.Caller, r.PathValue("session"))
	common, away, err := p.fromHost(r, visit, found.Session, "Recording", err)
	if err != nil {
		return err
	}
	page := recordingPage{sessionPage: common, Away: away, Missing: line(found.Missing), None: len(found.Segments) == 0}
	played := make([]playedSegment, 0, len(found.Segments))
	for _, s := range found.Segments {
		played = append(played, playedSegment{s.Number, s.At.UnixMilli(), s.End.UnixMilli()})
	}
	page.Cut = len(played) > 0 && played[0].Number > 1
	list, err := json.Marshal(played)
	if err != nil {
		return fmt.Errorf("recording: %w", err)
	}
	page.Segments = string(list)
	return p.show(w, http.StatusOK, "recording", visit.view(r, counted(line(common.Session.Name), common.Session), page))
}

// playing is how many segments are made ready for one person at once: each takes a processor for a while, and what a
// hostile host sends takes it longer.
const playing = 2

// RecordingSegment is what one segment shows, as the player draws it.
func (p *Pages) RecordingSegment(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	number, err := strconv.ParseUint(r.PathValue("segment"), 10, 63)
	if err != nil || number == 0 {
		return errNoPage
	}
	packed, err := p.Fleet.RecordingSegment(r.Context(), visit.Caller, r.PathValue("session"), number)
	if err != nil {
		return err
	}
	leave, ok := p.players.Take(visit.Caller.User, playing)
	if !ok {
		return errMany
	}
	defer leave()
	shown, err := play(packed)
	if err != nil {
		return fmt.Errorf("%w: the host's recording cannot be read", fleet.ErrConflict)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(shown) // the reader may have gone
	return nil
}

// play makes ready what may come from anywhere. Of what is damaged it shows what can be read.
func play(packed []byte) ([]byte, error) {
	if len(packed) > protocol.MaxSegment {
		return nil, fmt.Errorf("%d bytes", len(packed))
	}
	text, err := terminal.Unpack(packed)
	if err != nil && len(text) == 0 {
		return nil, err
	}
	playback, err := terminal.Play(text)
	if err != nil {
		return nil, err
	}
	return json.Marshal(playback)
}
