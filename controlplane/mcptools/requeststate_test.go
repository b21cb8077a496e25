package mcptools

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/auth"
	"switchboard/auth/seal"
)

// boxOf seals under secrets of one byte each.
func boxOf(t testing.TB, secrets ...byte) seal.Box {
	t.Helper()
	var keys [][]byte
	for _, b := range secrets {
		keys = append(keys, bytes.Repeat([]byte{b}, 32))
	}
	box, err := seal.New("questions", keys...)
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func sampleQuestion() asked {
	a := newAsked(auth.Caller{User: "alice", ClientID: "claude", Grant: "g1"}, "terminate_session", []byte(`{"session_id":"x"}`),
		time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC))
	a.Which = map[string]string{"web-app_x7y8": "id"}
	return a
}

// A question comes back as it was, and cannot be read on its way.
func TestSealedQuestion(t *testing.T) {
	question := sampleQuestion()
	state := question.seal(boxOf(t, 1))
	got, ok := openAsked(boxOf(t, 2, 1), state)
	if diff := cmp.Diff(question, got); !ok || diff != "" {
		t.Errorf("opened %v (-sealed +opened):\n%s", ok, diff)
	}
	if _, ok := openAsked(boxOf(t, 2), state); ok {
		t.Error("it opens without the key")
	}
	if text, err := base64.RawURLEncoding.DecodeString(state); err != nil || bytes.Contains(text, []byte("alice")) {
		t.Error("a requestState can be read")
	}
	if len(state) > maxRequestState/4 {
		t.Errorf("a requestState has %d characters", len(state))
	}
}

// good was sealed under the secret 1.
const good = "7qa9t_Qy7FfLZ_FS-tWq-_dqegPAf3H4uB9MxkEZ_jvH0V2X0lHfk9dVIlZ8QGDdKocy2KOnlG4p0i7h4ERGNfiZzYfldymY6ra1mVIhNp5R8nWIvy5HsbfGq-D0jONvr_-camDTcQUK-ANHR0PzL0jUOUMAEcriRK83O_IgCcfpprgTUF_bxiwW7w-Wl5kd4H26snAa0WNOi7Kt69z4BnSOhLqD-wfUcaNFyYbsIZFQln4TPqunAaVQkDBb4keO6gmjHOvwWN6Od6CltmvpTsjX41i2Qbft84gCa85Imd0FHHXvfZZ1v8iXa7xSzyfOs6noV4zytLOhqkrBOOb6tcc"

// Whatever comes as a requestState opens nothing, unless it was sealed.
func FuzzOpenRequestState(f *testing.F) {
	box := boxOf(f, 2, 1)
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(strings.ToUpper(good))
	f.Add("")
	f.Add("AAAA")
	f.Add("\n" + good)
	f.Fuzz(func(t *testing.T, requestState string) {
		got, ok := openAsked(box, requestState)
		if ok != (requestState == good) {
			t.Errorf("%q opens %v: %+v", requestState, ok, got)
		}
	})
}

// Arguments are the same however they are written, and others are others.
func TestDigest(t *testing.T) {
	for _, same := range [][2]string{{`{"a":1,"b":"x"}`, `{ "b":"\u0078", "a":1 }`}, {``, `null`}} {
		if !bytes.Equal(digest([]byte(same[0])), digest([]byte(same[1]))) {
			t.Errorf("%s is not %s", same[0], same[1])
		}
	}
	for _, other := range [][2]string{{`{"a":1}`, `{"a":"1"}`}, {`{"a":1}`, `{"a":9007199254740993}`}, {`{"a":9007199254740992}`, `{"a":9007199254740993}`}, {`{}`, `{"a":null}`}} {
		if bytes.Equal(digest([]byte(other[0])), digest([]byte(other[1]))) {
			t.Errorf("%s is %s", other[0], other[1])
		}
	}
}
