package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// row compares one path of the product with its limit.
type row struct {
	path  string
	limit string // what it is compared with, measured in this run
	bound string // the limit's figure
	ours  string
	ratio string
	aim   string
}

// table prints rows in columns of fixed width, so that each can be printed when it is there.
type table struct {
	out io.Writer
}

// widths of the columns, in characters; the last one has what is left.
var widths = []int{46, 38, 22, 22, 15, 0}

func newTable(out io.Writer) table {
	t := table{out}
	t.print([]row{{"path", "limit", "limit is", "ours is", "ratio", "aim"}})
	fmt.Fprintln(out, strings.Repeat("-", 160))
	return t
}

func (t table) print(rows []row) {
	for _, r := range rows {
		for i, cell := range []string{r.path, r.limit, r.bound, r.ours, r.ratio, r.aim} {
			pad := max(widths[i]-utf8.RuneCountInString(cell), 1)
			fmt.Fprint(t.out, cell, strings.Repeat(" ", pad))
		}
		fmt.Fprintln(t.out)
	}
}

// latencyRow compares the medians and the slowest hundredths.
func latencyRow(path, limit string, bound, ours load, aim string) row {
	return row{
		path: path, limit: limit, bound: bound.latency(), ours: ours.latency(), aim: aim,
		ratio: fmt.Sprintf("%.1f / %.1f×", over(ours.quantile(0.5), bound.quantile(0.5)),
			over(ours.quantile(0.99), bound.quantile(0.99))),
	}
}

// rateRow compares how much was done in a second.
func rateRow(path, limit string, bound, ours load, aim string) row {
	return row{
		path: path, limit: limit, bound: perSecond(bound.rate()), ours: perSecond(ours.rate()), aim: aim,
		ratio: fmt.Sprintf("%.2f×", ours.rate()/bound.rate()),
	}
}

func (l load) latency() string {
	return fmt.Sprintf("%s / %s ms", milliseconds(l.quantile(0.5)), milliseconds(l.quantile(0.99)))
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.3g", d.Seconds()*1000) }

func perSecond(rate float64) string { return fmt.Sprintf("%.0f per s", rate) }

func over(ours, bound time.Duration) float64 { return float64(ours) / float64(bound) }

func kibibytes(bytes int64) string { return fmt.Sprintf("%d KiB", bytes>>10) }

// figureRow is for what has an aim of its own and no limit to compare with.
func figureRow(path, ours, aim string) row {
	return row{path: path, limit: "-", bound: "-", ours: ours, ratio: "-", aim: aim}
}
