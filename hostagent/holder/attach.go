package holder

import (
	"context"
	"io"
	"os"
)

// Terminal is a viewer: a person's terminal, native or in a web page.
type Terminal struct {
	Input   io.ReadCloser // what the person types; Attach closes it to end a blocked Read. nil: only looks on
	Output  io.Writer     // first the screen as it is, then all output
	Cols    int           // its size; 0: it has no say in the session's size
	Rows    int
	Sizes   <-chan [2]int        // its later sizes, columns and rows; may be nil
	Resized func(cols, rows int) // called with the session's size, first and whenever it changes; may be nil
}

// Attach joins the viewer to the session until Input ends (nil), the session ends (nil), or ctx does. The
// viewer who typed last decides the session's size. One who reads too slowly is not waited for: it is shown the
// newest screen when it has caught up.
func (c *Client) Attach(ctx context.Context, t Terminal) error { return nil }

// AttachHere is what `hostagent attach` does: it joins the person's own terminal to the session in dir, in raw
// mode, until ctrl+\ is pressed twice or the session ends. It says so when it begins and ends.
func AttachHere(ctx context.Context, dir string, in, out *os.File) error { return nil }
