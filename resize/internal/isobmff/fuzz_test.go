package isobmff

import (
	"testing"

	"s3resizer/resize/resizetest"
)

// Whatever the bytes, nothing panics, and a profile is whole.
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
		if profile := ReadColors(data).Profile; profile != nil && len(profile) < 128 {
			t.Errorf("a profile of %d bytes", len(profile))
		}
	})
}
