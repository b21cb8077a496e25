package holder

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
)

// frame is what goes over the socket: a byte that says what it is, four bytes of length (big endian), and that
// many bytes.
type frame struct {
	kind frameKind
	body []byte
}

type frameKind byte

const (
	message frameKind = 'm' // JSON
	data    frameKind = 'd' // bytes as they are: typed text, output, a hook's payload or reply
)

// maxFrame is how long a frame's body may be. A hook's payload holds what the agent is about to write to a file.
const maxFrame = 16 << 20

var errFrame = errors.New("not a frame of a holder's")

// writeFrame sends one frame in one write.
func writeFrame(w io.Writer, kind frameKind, body []byte) error {
	if len(body) > maxFrame {
		return fmt.Errorf("%d bytes are more than the %d that fit into a frame", len(body), maxFrame)
	}
	header := binary.BigEndian.AppendUint32([]byte{byte(kind)}, uint32(len(body)))
	buffers := net.Buffers{header, body}
	_, err := buffers.WriteTo(w)
	return err
}

func writeMessage(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return writeFrame(w, message, text)
}

// writeRequest sends a request, and the payload behind it if it has one, in one write.
func writeRequest(w io.Writer, r request, payload []byte) error {
	var frames bytes.Buffer
	err := writeMessage(&frames, r)
	if r.Operation.carriesData() && err == nil {
		err = writeFrame(&frames, data, payload)
	}
	if err != nil {
		return err
	}
	_, err = frames.WriteTo(w)
	return err
}

// readFrame reads one frame. It takes memory for what has come, not for what the length claims. io.EOF means that
// the peer ended between frames.
func readFrame(r io.Reader) (frame, error) {
	var header [5]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return frame{}, err
	}
	kind, length := frameKind(header[0]), binary.BigEndian.Uint32(header[1:])
	if kind != message && kind != data {
		return frame{}, fmt.Errorf("%w: kind %q", errFrame, header[0])
	}
	if length > maxFrame {
		return frame{}, fmt.Errorf("%w: length %d", errFrame, length)
	}
	var body bytes.Buffer
	if _, err := io.CopyN(&body, r, int64(length)); err != nil {
		return frame{}, unexpected(err)
	}
	return frame{kind, body.Bytes()}, nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readMessage reads one frame of JSON into v.
func readMessage(r io.Reader, v any) error {
	f, err := readFrame(r)
	if err != nil {
		return err
	}
	if f.kind != message {
		return fmt.Errorf("%w: want a message", errFrame)
	}
	return json.Unmarshal(f.body, v)
}

// readData reads one frame of bytes.
func readData(r io.Reader) ([]byte, error) {
	f, err := readFrame(r)
	if err != nil {
		return nil, unexpected(err)
	}
	if f.kind != data {
		return nil, fmt.Errorf("%w: want data", errFrame)
	}
	return f.body, nil
}
