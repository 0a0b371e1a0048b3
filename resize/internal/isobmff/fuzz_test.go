package isobmff

import (
	"testing"

	"s3resizer/resize/resizetest"
)

// Whatever the bytes, nothing panics, a profile is whole, and a tile is a picture.
func FuzzBoxes(f *testing.F) {
	for _, data := range resizetest.Seeds("avif") {
		f.Add(data)
	}
	for version := range byte(2) {
		f.Add(heifWith(version, "dimg", [][]uint32{{1, 2, 3}, {4, 1}}))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) >= 12 && IsAVIF(data) && IsHEIC(data) {
			t.Error("it is an AVIF, and a HEIC")
		}
		_ = Check(data, "avif")
		for tile, err := range Tiles(data) {
			if err == nil && (len(tile) < 12 || !IsAVIF(tile)) {
				t.Errorf("a tile is no AVIF: %x", tile[:min(len(tile), 12)])
			}
		}
		if profile := ReadColors(data).Profile; profile != nil && len(profile) < 128 {
			t.Errorf("a profile of %d bytes", len(profile))
		}
	})
}
