package terminal

import "slices"

// grid is the cells of one screen.
type grid struct{ lines [][]cell }

func newGrid(cols, rows int) grid {
	cells := make([]cell, cols*rows)
	g := grid{lines: make([][]cell, rows)}
	for y := range g.lines {
		g.lines[y] = cells[y*cols : (y+1)*cols : (y+1)*cols]
	}
	return g
}

// clear makes the grid empty, in the memory that it has: a reset is two bytes, which must not cost a new one.
func (g *grid) clear(cols, rows int) {
	if len(g.lines) != rows || len(g.lines[0]) != cols {
		*g = newGrid(cols, rows)
		return
	}
	for _, row := range g.lines {
		clear(row)
	}
}

// scrollUp moves rows top to bottom up by n; fill comes in below.
func (g *grid) scrollUp(top, bottom, n int, fill cell) {
	region := g.lines[top : bottom+1]
	n = min(n, len(region))
	rotate(region, n)
	for _, row := range region[len(region)-n:] {
		fillCells(row, fill)
	}
}

// scrollDown moves rows top to bottom down by n; fill comes in above.
func (g *grid) scrollDown(top, bottom, n int, fill cell) {
	region := g.lines[top : bottom+1]
	n = min(n, len(region))
	rotate(region, len(region)-n)
	for _, row := range region[:n] {
		fillCells(row, fill)
	}
}

// rotate moves the first n rows to the end.
func rotate(rows [][]cell, n int) {
	if n == 1 { // as for every line feed at the bottom
		first := rows[0]
		copy(rows, rows[1:])
		rows[len(rows)-1] = first
		return
	}
	slices.Reverse(rows[:n])
	slices.Reverse(rows[n:])
	slices.Reverse(rows)
}

// resize cuts or pads the grid, after taking off leaving lines at the top.
func (g *grid) resize(cols, rows, leaving int) {
	old := g.lines[min(leaving, len(g.lines)):]
	*g = newGrid(cols, rows)
	for y := range min(rows, len(old)) {
		row := g.lines[y]
		copy(row, old[y])
		if row[cols-1].half == left {
			row[cols-1] = cell{style: row[cols-1].style}
		}
	}
}

// fillCells sets all of row to c.
func fillCells(row []cell, c cell) {
	if c == (cell{}) {
		clear(row)
		return
	}
	for filled := copy(row, []cell{c}); filled < len(row); {
		filled += copy(row[filled:], row[:filled])
	}
}

// splitWide makes both halves of a two-column character fill if the boundary before column x is between them.
func splitWide(row []cell, x int, fill cell) {
	if x <= 0 || x >= len(row) || row[x].half != right {
		return
	}
	row[x-1], row[x] = fill, fill
}

// erase sets columns from to to (exclusive) of row to fill.
func erase(row []cell, from, to int, fill cell) {
	splitWide(row, from, fill)
	splitWide(row, to, fill)
	fillCells(row[from:to], fill)
}

// insertCells moves the cells from column x on n to the right; what passes the edge is lost.
func insertCells(row []cell, x, n int, fill cell) {
	n = min(n, len(row)-x)
	splitWide(row, x, fill)
	splitWide(row, len(row)-n, fill)
	copy(row[x+n:], row[x:])
	fillCells(row[x:x+n], fill)
}

// deleteCells takes n cells out at column x; fill comes in at the right edge.
func deleteCells(row []cell, x, n int, fill cell) {
	n = min(n, len(row)-x)
	splitWide(row, x, fill)
	splitWide(row, x+n, fill)
	copy(row[x:], row[x+n:])
	fillCells(row[len(row)-n:], fill)
}

// tabWidth is how far apart tab stops are at first.
const tabWidth = 8

func defaultTabs(cols int) []bool { return resizeTabs(nil, cols) }

// resizeTabs keeps the stops there are and sets the usual ones in new columns.
func resizeTabs(tabs []bool, cols int) []bool {
	tabs = slices.Clone(tabs[:min(cols, len(tabs))])
	for x := len(tabs); x < cols; x++ {
		tabs = append(tabs, x%tabWidth == 0)
	}
	return tabs
}
