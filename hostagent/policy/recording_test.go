package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRecording(t *testing.T) {
	for text, want := range map[string]*Recording{
		`{}`:                               {MaxMB: 64, KeepDays: 30, Upload: UploadNever},
		`{"recording": {"upload": "end"}}`: {MaxMB: 64, KeepDays: 30, Upload: UploadEnd},
		`{"recording": {"off": true, "max_mb": 2}}`: {Off: true, MaxMB: 2, KeepDays: 30, Upload: UploadNever},
		`{"recording": {"max_mb": 257}}`:            nil,
		`{"recording": {"max_mb": 1}}`:              nil,
		`{"recording": {"keep_days": -1}}`:          nil,
		`{"recording": {"upload": "later"}}`:        nil,
		`{"recording": {"uploads": "never"}}`:       nil,
		`{"recording": false}`:                      nil,
	} {
		got, err := parsePolicy([]byte(text))
		if (err != nil) != (want == nil) {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if want != nil && !cmp.Equal(got.Recording, *want) {
			t.Errorf("%s: read as %+v, want %+v", text, got.Recording, *want)
		}
	}
	if (Recording{Off: true, MaxMB: 5}).Bytes() >= 0 || (Recording{MaxMB: 5}).Bytes() != 5<<20 {
		t.Error("what is off is recorded, or what is on is not")
	}
}
