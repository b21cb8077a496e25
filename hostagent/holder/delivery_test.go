package holder_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/terminal"
)

// repeater is a child that shows what is typed, and "news" once there is a file.
func repeater(t *testing.T) (client *holder.Client, dir string, news func()) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "news")
	client, dir = start(t, "/bin/sh", "-c", `stty raw -echo; (until [ -e "`+file+`" ]; do sleep 0.02; done; printf news) & printf ready; exec cat`)
	untilShown(t, client, "ready")
	return client, dir, func() {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Error(err)
		}
		untilShown(t, client, "news")
	}
}

func untilShown(t *testing.T, client *holder.Client, text string) string {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		screen, err := client.Screen(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		shown := strings.Join(screen.Lines, "\n")
		if strings.Contains(shown, text) {
			return shown
		}
		if time.Now().After(deadline) {
			t.Fatalf("the screen never shows %q:\n%s", text, shown)
		}
	}
}

func lookAt(t *testing.T, client *holder.Client) holder.Look {
	t.Helper()
	look, err := client.Look(t.Context(), 30*time.Millisecond, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return look
}

func typing(t *testing.T, seen holder.Seen) holder.Typing {
	t.Helper()
	note, err := holder.NewNote("typing", "what")
	if err != nil {
		t.Fatal(err)
	}
	return holder.Typing{Notes: []holder.Note{note, note}, Keys: [][]byte{[]byte("mess"), []byte("age")}, Seen: seen}
}

func TestATextIsTypedUnlessSomethingHasCome(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		comes func(t *testing.T, client *holder.Client, news func())
		any   bool
		want  bool
	}{
		{"nothing", func(*testing.T, *holder.Client, func()) {}, false, true},
		{"output", func(_ *testing.T, _ *holder.Client, news func()) { news() }, false, false},
		{"output, which may", func(_ *testing.T, _ *holder.Client, news func()) { news() }, true, true},
		{"a viewer's key", func(t *testing.T, client *holder.Client, _ func()) { typeAs(t, client, "k") }, true, false},
		{"another text", func(t *testing.T, client *holder.Client, _ func()) {
			if err := client.Write(t.Context(), []byte("k")); err != nil {
				t.Error(err)
			}
		}, true, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			client, dir, news := repeater(t)
			look := lookAt(t, client)
			test.comes(t, client, news)
			look.Seen.AnyOutput = test.any
			delivery, err := client.Type(t.Context(), typing(t, look.Seen))
			if err != nil {
				t.Fatal(err)
			}
			defer delivery.End()
			if delivery.Typed != test.want {
				t.Fatalf("typed: %v, want %v", delivery.Typed, test.want)
			}
			entries, err := holder.ReadJournal(dir, 0)
			if err != nil {
				t.Fatal(err)
			}
			noted := 0
			for _, e := range entries {
				if e.Kind == "typing" {
					noted++
				}
			}
			if want := map[bool]int{true: 2}[test.want]; noted != want {
				t.Errorf("%d notes in the journal, want %d", noted, want)
			}
			if test.want {
				untilShown(t, client, "message")
			}
		})
	}
}

// typeAs types as a person at an attached terminal does, and waits until the child shows it.
func typeAs(t *testing.T, client *holder.Client, keys string) {
	t.Helper()
	v := attach(t, client, 80, 24)
	if _, err := io.WriteString(v.keys, keys); err != nil {
		t.Fatal(err)
	}
	v.shows(t, func(s terminal.Screen) bool { return strings.Contains(strings.Join(s.Lines, ""), keys) })
}

func TestWhatViewersTypeWaitsForTheSubmit(t *testing.T) {
	t.Parallel()
	client, _, _ := repeater(t)
	v := attach(t, client, 80, 24)
	delivery := deliver(t, client)
	press(t, client, v, "k")
	if submitted, err := delivery.Submit([]byte("!")); err != nil || !submitted {
		t.Fatalf("submitted: %v, %v", submitted, err)
	}
	delivery.End()
	if shown := untilShown(t, client, "k"); !strings.Contains(shown, "message!k") {
		t.Errorf("the child read:\n%s\nwant what the viewer typed after the submit", shown)
	}
}

func TestATextInWhichAViewerWroteIsNotSubmitted(t *testing.T) {
	t.Parallel()
	client, _, _ := repeater(t)
	v := attach(t, client, 80, 24)
	delivery := deliver(t, client)
	defer delivery.End()
	press(t, client, v, "k")
	untilShown(t, client, "messagek") // a person is not kept waiting for ever
	if submitted, err := delivery.Submit([]byte("!")); err != nil || submitted {
		t.Errorf("submitted: %v, %v; want that it was not", submitted, err)
	}
}

func TestViewersTypeAgainWhenADeliveryEnds(t *testing.T) {
	t.Parallel()
	client, _, _ := repeater(t)
	v := attach(t, client, 80, 24)
	delivery := deliver(t, client)
	press(t, client, v, "k")
	began := time.Now()
	delivery.End() // as a host agent that is killed
	untilShown(t, client, "messagek")
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("the viewer waited for %s", took)
	}
}

// deliver types a text, all of it.
func deliver(t *testing.T, client *holder.Client) *holder.Delivery {
	t.Helper()
	delivery, err := client.Type(t.Context(), typing(t, lookAt(t, client).Seen))
	if err == nil {
		err = delivery.Wait()
	}
	if err != nil {
		t.Fatal(err)
	}
	untilShown(t, client, "message")
	return delivery
}

// press types as a person does, and waits until that has come to the holder.
func press(t *testing.T, client *holder.Client, v *viewer, keys string) {
	t.Helper()
	if _, err := io.WriteString(v.keys, keys); err != nil {
		t.Fatal(err)
	}
	waitFor(t, client, holder.KindInput)
}

// TestAnOlderHolder plays one that knows neither Look nor Type, by refusing them in front of a real one.
func TestAnOlderHolder(t *testing.T) {
	t.Parallel()
	_, dir, _ := repeater(t)
	front(t, dir)
	client, err := holder.Dial(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	look := lookAt(t, client)
	if !strings.Contains(strings.Join(look.Strong, "\n"), "ready") {
		t.Errorf("the screen is %q", look.Strong)
	}
	delivery, err := client.Type(t.Context(), typing(t, look.Seen))
	if err != nil || !delivery.Typed {
		t.Fatalf("typed: %+v, %v", delivery, err)
	}
	if err := delivery.Wait(); err != nil {
		t.Fatal(err)
	}
	untilShown(t, client, "message")
	if submitted, err := delivery.Submit([]byte("!")); err != nil || !submitted {
		t.Errorf("submitted: %v, %v", submitted, err)
	}
	delivery.End()
	untilShown(t, client, "message!")
	long := holder.Typing{Keys: [][]byte{bytes.Repeat([]byte(" "), 1<<19)}} // more than the socket takes in unread
	if _, err := client.Type(t.Context(), long); err != nil {
		t.Error(err)
	}
	entries, err := holder.ReadJournal(dir, 0)
	if err != nil || len(entries) == 0 || entries[len(entries)-1].N != delivery.Noted {
		t.Errorf("the journal has %v, %v; the last note is %d", entries, err, delivery.Noted)
	}
}

// front puts itself in the place of the holder's socket until the test ends.
func front(t *testing.T, dir string) {
	t.Helper()
	socket, behind := filepath.Join(dir, "holder.sock"), filepath.Join(dir, "real.sock")
	if err := os.Rename(socket, behind); err != nil {
		t.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			connection, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			group.Go(func() { passOn(t, connection, behind) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		group.Wait()
		if err := os.Rename(behind, socket); err != nil {
			t.Error(err)
		}
	})
}

func passOn(t *testing.T, connection net.Conn, behind string) {
	defer connection.Close()
	header := make([]byte, 5)
	if _, err := io.ReadFull(connection, header); err != nil {
		return // Dial and Alive only knock
	}
	body := make([]byte, binary.BigEndian.Uint32(header[1:]))
	var request struct {
		Operation string `json:"operation"`
	}
	if _, err := io.ReadFull(connection, body); err != nil || json.Unmarshal(body, &request) != nil {
		t.Errorf("request %q: %v", body, err)
		return
	}
	if request.Operation == "look" || request.Operation == "type" {
		reply := []byte(`{"error":"this holder knows no operation \"` + request.Operation + `\""}`)
		_, _ = connection.Write(append(binary.BigEndian.AppendUint32([]byte("m"), uint32(len(reply))), reply...))
		return
	}
	real, err := new(net.Dialer).DialContext(t.Context(), "unix", behind)
	if err != nil {
		t.Error(err)
		return
	}
	defer real.Close()
	_, _ = real.Write(append(header, body...))
	var group sync.WaitGroup
	group.Go(func() {
		_, _ = io.Copy(real, connection)
		_ = real.(*net.UnixConn).CloseWrite()
	})
	_, _ = io.Copy(connection, real)
	connection.Close()
	group.Wait()
}
