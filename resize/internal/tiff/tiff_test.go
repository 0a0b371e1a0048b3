package tiff

import (
	"bytes"
	"encoding/binary"
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
		if parts := found.parts().all; parts > mostParts/4 {
			t.Errorf("%s: %d strips or tiles", p.Name, parts)
		}
		if whole := strings.Contains(p.Name, "tile") || strings.Contains(p.Name, "separate") || strings.HasPrefix(p.Name, "jpeg-"); whole != (found.Rows() > 0) {
			t.Errorf("%s: %d rows at once", p.Name, found.Rows())
		}
	}
	if seen < 15 {
		t.Errorf("%d pictures", seen)
	}
}

// A page of many tiles is looked at in no time, and pages that share their tiles are not looked at again and again.
func TestManyTiles(t *testing.T) {
	const across, down = 256, 256 // tiles of 16 × 16
	file := []byte("II*\x00\x08\x00\x00\x00")
	list := func(pages int) uint32 { return uint32(8 + pages*(2+6*12+4)) }
	ofSize := func(pages int, width, height uint32) []byte {
		out := file
		for page := range pages {
			out = binary.LittleEndian.AppendUint16(out, 6)
			for _, field := range [][4]uint32{{256, 4, 1, width}, {257, 4, 1, height}, {322, 4, 1, 16}, {323, 4, 1, 16}, {324, 4, across * down, list(pages)}, {325, 4, across * down, list(pages)}} {
				out = binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(out, uint16(field[0])), uint16(field[1]))
				out = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(out, field[2]), field[3])
			}
			out = binary.LittleEndian.AppendUint32(out, map[bool]uint32{true: list(page + 1)}[page+1 < pages])
		}
		return append(out, bytes.Repeat([]byte{64, 0, 0, 0}, across*down)...) // where each is, and how long
	}
	of := func(pages int) []byte { return ofSize(pages, 16*across, 16*down) }
	if _, err := Read(ofSize(1, 16*across, 16*(mostParts/across+1)), 500); err == nil || !strings.Contains(err.Error(), "the limit is 100000") {
		t.Errorf("too many tiles: %v", err)
	}
	if page, err := Read(of(1), 500); err != nil || page.Rows() != 16 {
		t.Errorf("a page of %d tiles: %v", across*down, err)
	}
	if _, err := Read(of(500), 500); err == nil || !strings.Contains(err.Error(), "more strips or tiles than bytes") {
		t.Errorf("500 pages of the same tiles: %v", err)
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
		for part := range page.JPEGs() {
			if part.Width <= 0 || part.Height <= 0 {
				t.Fatalf("%s of %d × %d pixels", part.Name, part.Width, part.Height)
			}
		}
		page.Matrix()
		page.Part(8)
	})
}
