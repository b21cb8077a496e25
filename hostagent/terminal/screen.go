package terminal

// Screen is what a terminal shows at one moment.
type Screen struct {
	Lines          []string `json:"lines"`  // one per row, without trailing blanks
	Strong         []string `json:"strong"` // the same without what is faint (SGR 2), which is how agents show hints
	Cols           int      `json:"cols"`
	Rows           int      `json:"rows"`
	Cursor         [2]int   `json:"cursor"` // column, row; from 0
	CursorHidden   bool     `json:"cursor_hidden"`
	Title          string   `json:"title"`
	Alternate      bool     `json:"alternate"`       // the alternate screen, as full-screen programs use it
	BracketedPaste bool     `json:"bracketed_paste"` // the program wants pastes marked (DECSET 2004)
	Snapshot       []byte   `json:"snapshot"`        // see Terminal.Snapshot
}
