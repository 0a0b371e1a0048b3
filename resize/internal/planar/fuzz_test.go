package planar

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"s3resizer/resize/internal/crop"
)

// mostPixels is the number of pixels of a picture that the fuzzer is to bother with.
const mostPixels = 1 << 20

// FuzzHeader looks for headers that crash libjpeg, or that say what can't be.
func FuzzHeader(f *testing.F) {
	for _, file := range fixtures(f) {
		f.Add(file[:headerOf(f, file)])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Open(data)
		if err != nil {
			if !errors.Is(err, ErrDeclined) {
				t.Error(err)
			}
			return
		}
		defer d.Close()
		if d.Width < 1 || d.Height < 1 || d.Width > 65500 || d.Height > 65500 {
			t.Errorf("%d × %d", d.Width, d.Height)
		}
		for _, shrink := range []int{1, 2, 4, 8} {
			if bytes, _, err := d.Memory(shrink); err != nil || bytes < int64(d.Width/shrink)*int64(d.Height/shrink)/4 {
				t.Errorf("1/%d: %d bytes, %v", shrink, bytes, err)
			}
		}
	})
}

// FuzzPixels looks for coded data that crashes anything on the way to renditions, or that is another picture when it comes
// in pieces. Whether damage is seen may depend on them, and whether the last bytes are asked for.
func FuzzPixels(f *testing.F) {
	for _, file := range fixtures(f) {
		f.Add(file, uint64(0))
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		d, err := Open(data)
		if err != nil {
			return
		}
		defer d.Close()
		if d.Width*d.Height > mostPixels {
			return
		}
		random := rand.New(rand.NewPCG(seed, 1))
		shrink := 1 << random.IntN(4)
		planes, err := d.Decode(t.Context(), bytes.NewReader(data[d.Header:]), shrink)
		again, openErr := Open(data[:d.Header])
		if openErr != nil {
			t.Fatal(openErr)
		}
		defer again.Close()
		inPieces, piecesErr := again.Decode(t.Context(), &pieces{bytes.NewReader(data[d.Header:]), 1 + random.IntN(500), random}, shrink)
		// libjpeg's quick way and its other one disagree on what a fill byte within a block is.
		filled := bytes.Contains(data, []byte{0xff, 0xff})
		if err == nil && piecesErr == nil && !filled && !same(planes, inPieces) {
			t.Error("another picture in pieces")
		}
		if piecesErr == nil {
			inPieces.Close()
		}
		if err != nil {
			return
		}
		defer planes.Close()
		small, err := planes.Resize(crop.Whole(1+random.IntN(d.Width), 1+random.IntN(d.Height)), crop.Turns[1+random.IntN(8)], []Chroma{Full, Halved}[random.IntN(2)])
		if err != nil {
			t.Fatal(err)
		}
		defer small.Close()
		small.RGB()
		last, err := small.Resize(crop.Whole(small.Width, small.Height), crop.Turn{}, Halved)
		if err != nil {
			t.Fatal(err)
		}
		defer last.Close()
		if _, err := last.Encode(1 + random.IntN(100)); err != nil {
			t.Error(err)
		}
	})
}
