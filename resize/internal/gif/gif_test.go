package gif

import (
	"bytes"
	"math"
	"reflect"
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
				w.On(p.Data[:length], math.MaxInt)
			}
			if w.Frames != len(p.Shows.Frames) || !w.whole(p.Data) {
				t.Errorf("%s, %d bytes at a time: %d frames, want %d; whole %v", p.Name, step, w.Frames, len(p.Shows.Frames), w.whole(p.Data))
			}
		}
	}
	if seen < 10 {
		t.Errorf("%d pictures", seen)
	}
}

// Whatever the bytes, and however they arrive, no absurd number of frames is found.
func FuzzWalk(f *testing.F) {
	for _, data := range resizetest.Seeds("gif") {
		f.Add(data, uint(9))
	}
	f.Fuzz(func(t *testing.T, data []byte, first uint) {
		var whole, parts Walk
		whole.On(data, math.MaxInt)
		parts.On(data[:min(first, uint(len(data)))], math.MaxInt)
		parts.On(data, math.MaxInt)
		if !reflect.DeepEqual(whole, parts) || whole.Frames > len(data)/10 {
			t.Errorf("%+v of %d bytes, and %+v after the first %d", whole, len(data), parts, first)
		}
		mended, hidden, err := whole.Mend(bytes.Clone(data))
		if err != nil {
			return
		}
		// What was mended is whole, and needs no more of it.
		var again Walk
		again.On(mended, math.MaxInt)
		if same, more, err := again.Mend(bytes.Clone(mended)); err != nil || more != 0 || !bytes.Equal(same, mended) || again.Frames != whole.Frames+hidden {
			t.Errorf("mended again, it has %d frames and %d hidden ones, after %d and %d; %v", again.Frames, more, whole.Frames, hidden, err)
		}
	})
}
