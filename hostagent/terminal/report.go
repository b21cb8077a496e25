package terminal

import "strconv"

// reply hands an answer to whoever types into the program. Only constants and the model's own numbers may come
// here: what a program writes must never come back to it, or to a shell after it, as if a person had typed it.
func (t *Terminal) reply(answer string) {
	if t.Reply != nil {
		t.Reply([]byte(answer))
	}
}

// reportStatus is DSR: 5 asks whether all is well, 6 where the cursor is.
func (t *Terminal) reportStatus(what int) {
	private := ""
	if t.parser.prefix == '?' {
		private = "?"
	}
	switch what {
	case 5:
		if private == "" {
			t.reply("\x1b[0n")
		}
	case 6:
		y := t.cursor.y
		if t.cursor.origin {
			y -= t.top
		}
		t.reply("\x1b[" + private + strconv.Itoa(y+1) + ";" + strconv.Itoa(t.cursor.x+1) + "R")
	}
}

// reportMode is DECRQM: 1 is set, 2 is not, 0 is not known.
func (t *Terminal) reportMode(number int) {
	state := "0"
	if privateBit(number) != 0 {
		state = "2"
	}
	if t.modes.private(number) {
		state = "1"
	}
	t.reply("\x1b[?" + strconv.Itoa(number) + ";" + state + "$y")
}

// windowControl is the part of CSI t that is safe: the size in characters, and the title stack. The title is
// never reported, for it is the program's own text.
func (t *Terminal) windowControl(what int) {
	switch what {
	case 18:
		t.reply("\x1b[8;" + strconv.Itoa(t.rows) + ";" + strconv.Itoa(t.cols) + "t")
	case 22:
		if len(t.titles) < maxTitles {
			t.titles = append(t.titles, t.title)
		}
	case 23:
		if last := len(t.titles) - 1; last >= 0 {
			t.setTitle(t.titles[last])
			t.titles = t.titles[:last]
		}
	}
}
