package protocol

import "time"

// MaxSegment is how many bytes of a segment cross: with the rest of the message, in base64, less than NATS carries.
const MaxSegment = 640 << 10

// Segment is a piece of a session's recording. Numbers begin at 1; where they have a gap, something is missing.
type Segment struct {
	Number uint64    `json:"number"`
	At     time.Time `json:"at"`  // of its beginning
	End    time.Time `json:"end"` // when something was last written to the terminal in it
	Closed bool      `json:"closed"`
}

// ReadRecordingRequest asks for one segment of a session's recording; segment 0: what segments there are.
type ReadRecordingRequest struct {
	Session SessionID `json:"session_id"`
	Segment uint64    `json:"segment"`
}

// ReadRecordingReply has all segments, oldest first, or the one that was asked for with its data: asciicast v3,
// packed with zstd, without secrets of a known shape. If a segment is continued (one of its header's tags), its first
// event draws the screen as it was.
type ReadRecordingReply struct {
	Segments []Segment `json:"segments"`
	Data     []byte    `json:"data,omitempty"`
}

// StoreSegmentRequest hands a closed segment over for keeping. A repeat changes nothing.
type StoreSegmentRequest struct {
	Session SessionID `json:"session_id"`
	Segment Segment   `json:"segment"`
	SHA256  string    `json:"sha256"` // of Data, in hexadecimal
	Data    []byte    `json:"data"`   // as in ReadRecordingReply
}
