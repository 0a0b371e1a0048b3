package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"s3resizer/internal/config"
	"s3resizer/internal/report"
)

// table shows results, a line each. The name comes last: it may be long, and of letters that are two columns wide.
type table struct {
	w     *tabwriter.Writer
	sizes []string
	begun bool // the header is there
}

func newTable(w io.Writer, settings config.Settings) *table {
	return &table{w: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0), sizes: settings.SizeNames()}
}

// row shows a result, with a note on the picture if there is one.
func (t *table) row(r report.Result, note string) error {
	if !t.begun {
		t.begun = true
		fmt.Fprintf(t.w, "source\tbytes\t%s\tms\tname\n", strings.Join(t.sizes, "\t"))
	}
	cells := []string{fmt.Sprintf("%d×%d", r.Source.Width, r.Source.Height), bytesText(r.Source.Bytes)}
	if r.Source.Width == 0 {
		cells[0] = "–"
	}
	for i, size := range t.sizes {
		if r.Status != report.Resized {
			cells = append(cells, map[bool]string{true: string(r.Status), false: ""}[i == 0])
			continue
		}
		cells = append(cells, renditionsText(size, r.Renditions))
	}
	milliseconds := ""
	if r.Timings != nil {
		milliseconds = fmt.Sprintf("%.0f", r.Timings.Total)
	}
	name := r.Source.Key
	if note != "" {
		name += " (" + note + ")"
	}
	_, err := fmt.Fprintf(t.w, "%s\t%s\t%s\n", strings.Join(cells, "\t"), milliseconds, oneLine(name))
	return err
}

func (t *table) close() { _ = t.w.Flush() }

// renditionsText is "720×540 61 kB", with "+ 40 kB webp" behind it for each further format.
func renditionsText(size string, renditions []report.Rendition) string {
	var b strings.Builder
	for _, r := range renditions {
		switch {
		case r.Size != size:
		case b.Len() == 0:
			fmt.Fprintf(&b, "%d×%d %s", r.Width, r.Height, bytesText(int64(r.Bytes)))
		default:
			fmt.Fprintf(&b, " + %s %s", bytesText(int64(r.Bytes)), r.Format)
		}
	}
	return b.String()
}

// bytesText is a number of bytes in decimal units, to about three digits.
func bytesText(n int64) string {
	switch {
	case n >= 1_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 10_000:
		return fmt.Sprintf("%d kB", (n+500)/1000)
	default:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
}
