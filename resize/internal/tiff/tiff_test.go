package tiff

import (
	"bytes"
	"strings"
	"testing"

	"s3resizer/resize/resizetest"
)

// Every good picture is read. Tiles are decoded more than a row at a time, and so are strips if each channel has its own.
func TestRowsOfEveryTIFF(t *testing.T) {
	seen := 0
	for _, p := range resizetest.Pictures() {
		if p.Shows == nil || p.Shows.Format != "tiff" {
			continue
		}
		seen++
		found, err := Read(p.Data, 500)
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		if whole := strings.Contains(p.Name, "tile") || strings.Contains(p.Name, "separate") || strings.HasPrefix(p.Name, "jpeg-"); whole != (found.Rows() > 0) {
			t.Errorf("%s: %d rows at once", p.Name, found.Rows())
		}
	}
	if seen < 15 {
		t.Errorf("%d pictures", seen)
	}
}

// Whatever the bytes, there is an error, or a page that is still the same one after it has got a directory of its own.
func FuzzRead(f *testing.F) {
	for _, data := range resizetest.Seeds("tiff") {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		page, err := Read(bytes.Clone(data), 500)
		if err != nil {
			return
		}
		rows := page.Rows()
		for _, stacked := range []bool{false, true} {
			file := page.Plain()
			page.Stack(stacked && page.Stacks())
			again, err := Read(file, 1)
			if err != nil || !stacked && again.Rows() != rows {
				t.Fatalf("%s, %d rows: then %v", page.Kind(), rows, err)
			}
		}
		_ = page.Examine(t.Context())
		page.Matrix()
		page.Part(8)
	})
}
