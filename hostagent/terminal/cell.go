package terminal

import "unicode/utf8"

// cell is one column of one row, in 12 bytes. The zero cell is a blank.
type cell struct {
	char  uint32 // a rune, or clusterBit and an index into Terminal.clusters; 0 is a blank
	style uint32 // an index into Terminal.styles
	half  half
}

// clusterBit marks a char that is an index and not a rune.
const clusterBit = 1 << 31

// half tells which part of a two-column character a cell is.
type half uint8

const (
	whole half = iota // a character of one column
	left              // the first column of two, which has the character
	right             // the second column
)

// blank reports whether nothing is to be drawn.
func (c cell) blank() bool { return (c.char == 0 || c.char == ' ') && c.style == 0 && c.half == whole }

// maxCluster is how many bytes of a character and its combining marks are kept.
const maxCluster = 32

// append adds the cell's character to dst; a blank is a space.
func (t *Terminal) appendChar(dst []byte, c cell) []byte {
	switch {
	case c.half == right:
		return dst
	case c.char == 0:
		return append(dst, ' ')
	case c.char&clusterBit != 0:
		return append(dst, t.clusters.value(c.char&^clusterBit)...)
	}
	return utf8.AppendRune(dst, rune(c.char))
}

// combine adds a mark of no width to the character before the cursor.
func (t *Terminal) combine(mark rune) {
	row, x := t.screen.lines[t.cursor.y], t.before()
	if x < 0 || row[x].char == 0 {
		return // nothing to stand on
	}
	text := utf8.AppendRune(t.appendChar(nil, row[x]), mark)
	if len(text) > maxCluster {
		return
	}
	if t.clusters.full() {
		t.sweep()
	}
	row[x].char = clusterBit | t.clusters.id(string(text))
}

// before is the column of the character before the cursor, or -1.
func (t *Terminal) before() int {
	x := t.cursor.x - 1
	if t.cursor.wrapNext {
		x = t.cursor.x
	}
	if x > 0 && t.screen.lines[t.cursor.y][x].half == right {
		x--
	}
	return x
}

// interned gives each different value a small number, so that a cell can hold it. The zero value has number 0.
type interned[T comparable] struct {
	values []T
	ids    map[T]uint32
	limit  int // at so many values, those that no cell uses any more are to be dropped
}

// minInterned is how many values are kept before it is worth looking for unused ones.
const minInterned = 1024

func (in *interned[T]) full() bool { return len(in.values) >= max(in.limit, minInterned) }

func (in *interned[T]) value(id uint32) T {
	if id == 0 {
		var zero T
		return zero
	}
	return in.values[id]
}

func (in *interned[T]) id(v T) uint32 {
	var zero T
	if v == zero {
		return 0
	}
	if id, ok := in.ids[v]; ok {
		return id
	}
	if in.ids == nil {
		in.ids, in.values = map[T]uint32{}, []T{zero}
	}
	id := uint32(len(in.values))
	in.values = append(in.values, v)
	in.ids[v] = id
	return id
}

// sweep drops the styles and clusters that no cell uses. What is left is bounded by the number of cells.
func (t *Terminal) sweep() {
	styles, clusters := interned[style]{}, interned[string]{}
	for _, g := range []*grid{&t.main, &t.alternate} {
		for _, row := range g.lines {
			for x := range row {
				row[x].style = styles.id(t.styles.value(row[x].style))
				if row[x].char&clusterBit != 0 {
					row[x].char = clusterBit | clusters.id(t.clusters.value(row[x].char&^clusterBit))
				}
			}
		}
	}
	styles.limit, clusters.limit = 2*len(styles.values), 2*len(clusters.values)
	t.styles, t.clusters = styles, clusters
	t.recent = recentStyles{}
	t.cursor.penID = t.styles.id(t.cursor.pen)
}

// styleID numbers a style for use in a cell.
func (t *Terminal) styleID(s style) uint32 {
	recent := &t.recent[s.hash()%uint32(len(recentStyles{}))]
	if recent.style == s {
		return recent.id
	}
	if t.styles.full() {
		t.sweep()
	}
	*recent = numberedStyle{s, t.styles.id(s)}
	return recent.id
}

// recentStyles are the styles set last, each where its hash says, with their numbers: programs use a few again and
// again. The zero value knows the zero style only.
type recentStyles [64]numberedStyle

type numberedStyle struct {
	style style
	id    uint32
}
