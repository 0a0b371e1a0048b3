package webp

import (
	"strings"
	"testing"

	"s3resizer/resize/resizetest"
)

// However the bytes arrive, the frames are counted. A still picture has none.
func TestFramesOfEveryWebP(t *testing.T) {
	seen := 0
	for _, p := range resizetest.Pictures() {
		if p.Shows == nil || p.Shows.Format != "webp" {
			continue
		}
		seen++
		want := len(p.Shows.Frames)
		if want == 1 {
			want = 0
		}
		for _, step := range []int{1, 7, len(p.Data)} {
			var w Walk
			for length := 0; length < len(p.Data); {
				length = min(len(p.Data), length+step)
				w.On(p.Data[:length])
			}
			if Lacking(p.Data) {
				t.Errorf("%s: a frame has no pixels", p.Name)
			}
			if w.Frames != want {
				t.Errorf("%s, %d bytes at a time: %d frames, want %d", p.Name, step, w.Frames, want)
			}
			if name := strings.Contains(p.Name, "lossless"); name && want == 0 && !w.Lossless {
				t.Errorf("%s, %d bytes at a time: it is not lossless", p.Name, step)
			}
		}
	}
	if seen < 5 {
		t.Errorf("%d pictures", seen)
	}
}

// Whatever the bytes, and however they arrive, no absurd number of frames is found.
func FuzzWalk(f *testing.F) {
	for _, data := range resizetest.Seeds("webp") {
		f.Add(data, uint(9))
	}
	f.Fuzz(func(t *testing.T, data []byte, first uint) {
		var whole, parts Walk
		_ = Lacking(data)
		whole.On(data)
		parts.On(data[:min(first, uint(len(data)))])
		parts.On(data)
		if whole != parts || whole.Frames > len(data)/8 {
			t.Errorf("%+v of %d bytes, and %+v after the first %d", whole, len(data), parts, first)
		}
	})
}
