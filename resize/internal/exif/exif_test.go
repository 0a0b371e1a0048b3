package exif

import (
	"encoding/binary"
	"testing"

	"s3resizer/resize/resizetest"
)

func TestOrientation(t *testing.T) {
	for orientation := range uint16(12) {
		want := int(orientation)
		if want > 8 {
			want = 0
		}
		block := resizetest.EXIF(orientation)
		if got := Orientation(block); got != want {
			t.Errorf("%d is %d, want %d", orientation, got, want)
		}
		if got := Orientation(append([]byte("Exif\x00\x00"), block...)); got != want {
			t.Errorf("%d behind the name is %d, want %d", orientation, got, want)
		}
	}
}

// Whatever the bytes, nothing panics, and the number is one that there is.
func FuzzOrientation(f *testing.F) {
	f.Add(resizetest.EXIF(6))
	f.Add(binary.LittleEndian.AppendUint32([]byte("II*\x00"), 8))
	f.Fuzz(func(t *testing.T, block []byte) {
		if got := Orientation(block); got < 0 || got > 8 {
			t.Errorf("orientation %d", got)
		}
	})
}
