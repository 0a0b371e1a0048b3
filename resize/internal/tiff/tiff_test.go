package tiff

import (
	"strings"
	"testing"

	"s3resizer/resize/resizetest"
)

// Every good picture is read, and its tiles are, though not its strips, decoded more than a row at a time.
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
		if whole := strings.Contains(p.Name, "tile") || strings.Contains(p.Name, "separate"); whole != (found.Rows > 0) {
			t.Errorf("%s: %d rows at once", p.Name, found.Rows)
		}
	}
	if seen < 15 {
		t.Errorf("%d pictures", seen)
	}
}

// FuzzRead takes any bytes, and learns nothing absurd from them.
func FuzzRead(f *testing.F) {
	for _, data := range resizetest.Seeds("tiff") {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if found, err := Read(data, 500); found.Rows < 0 || err != nil && found != (Layout{}) {
			t.Errorf("%+v of %d bytes, %v", found, len(data), err)
		}
	})
}
