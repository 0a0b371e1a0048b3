package gif

import (
	"testing"

	"s3resizer/resize/resizetest"
)

// However the bytes arrive, the frames are counted, and the end is found at the end.
func TestFramesOfEveryGIF(t *testing.T) {
	seen := 0
	for _, p := range resizetest.Pictures() {
		if p.Shows == nil || p.Shows.Format != "gif" {
			continue
		}
		seen++
		for _, step := range []int{1, 7, len(p.Data)} {
			var w Walk
			for length := 0; length < len(p.Data); {
				length = min(len(p.Data), length+step)
				w.On(p.Data[:length])
			}
			if w.Frames != len(p.Shows.Frames) || !w.Ended {
				t.Errorf("%s, %d bytes at a time: %d frames, want %d; ended %v", p.Name, step, w.Frames, len(p.Shows.Frames), w.Ended)
			}
		}
	}
	if seen < 10 {
		t.Errorf("%d pictures", seen)
	}
}

// FuzzWalk takes any bytes, and learns nothing absurd from them.
func FuzzWalk(f *testing.F) {
	for _, data := range resizetest.Seeds("gif") {
		f.Add(data, uint(9))
	}
	f.Fuzz(func(t *testing.T, data []byte, first uint) {
		var whole, parts Walk
		whole.On(data)
		parts.On(data[:min(first, uint(len(data)))])
		parts.On(data)
		if whole != parts || whole.Frames > len(data)/10 {
			t.Errorf("%+v of %d bytes, and %+v after the first %d", whole, len(data), parts, first)
		}
	})
}
