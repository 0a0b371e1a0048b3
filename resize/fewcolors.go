package resize

import (
	"bytes"
	"math"

	"s3resizer/resize/internal/vips"
)

// Line art, a scanned page, or a screenshot with a palette has few colors, and many after it was resampled: each edge has its
// own. As a PNG of all of them, a page of 1 bit a pixel gets six times as large as it was, at a third of its pixels. So a PNG
// that has few colors becomes one again, where little is lost: with 16 levels of grey a page is 0.4 times as large as with 256,
// with 256 colors a drawing 0.2 times.

const (
	// leastFew is the least PSNR, in dB, of a PNG of few colors and the picture with all of them: on average, a sample is less
	// than 3.2 of 255 off.
	leastFew = 38
	// mostColors is how many colors a picture may have for 256 to be looked for that are like them. With more, it is most often a
	// photo on a palette, the search takes seconds, and is in vain.
	mostColors = 1 << 16
)

// encodeFew returns the picture as a PNG of few colors, or nil if that would change it too much.
func encodeFew(raw vips.Raw) ([]byte, error) {
	if grey, ok := greyOf(raw); ok {
		return encodeFewGreys(grey)
	}
	if raw.Bands < 3 || colorsOf(raw) > mostColors {
		return nil, nil
	}
	data, err := raw.PalettePNG()
	if err != nil {
		return nil, err
	}
	back, err := vips.Load(bytes.NewReader(data), vips.PNG, vips.Loading{})
	if err != nil {
		return nil, err
	}
	defer back.Close()
	if err := back.Compute(); err != nil {
		return nil, err
	}
	made, err := back.Raw()
	if err != nil || made.Bands != raw.Bands || samplePSNR(raw.Samples, made.Samples) < leastFew {
		return nil, err
	}
	return data, nil
}

// greyOf returns a picture with one channel for one whose channels are the same, as those of a palette of black and white are.
func greyOf(raw vips.Raw) (vips.Raw, bool) {
	if raw.Bands != 3 {
		return raw, raw.Bands == 1
	}
	grey := make([]byte, 0, len(raw.Samples)/3)
	for s := raw.Samples; len(s) >= 3; s = s[3:] {
		if s[0] != s[1] || s[0] != s[2] {
			return raw, false
		}
		grey = append(grey, s[0])
	}
	raw.Samples, raw.Bands, raw.Space = grey, 1, vips.BW
	return raw, true
}

// encodeFewGreys tries 2, 4 and 16 levels.
func encodeFewGreys(raw vips.Raw) ([]byte, error) {
	few := raw
	for _, bits := range []int{1, 2, 4} {
		var rounded [256]byte
		most := float64(int(1)<<bits - 1)
		for v := range rounded {
			rounded[v] = byte(math.Round(math.Round(float64(v)*most/255) * 255 / most))
		}
		few.Samples = make([]byte, len(raw.Samples))
		for i, v := range raw.Samples {
			few.Samples[i] = rounded[v]
		}
		if samplePSNR(raw.Samples, few.Samples) >= leastFew {
			return few.GreyPNG(bits)
		}
	}
	return nil, nil
}

// colorsOf counts the colors of a picture, but not beyond mostColors.
func colorsOf(raw vips.Raw) (n int) {
	seen := make([]uint64, 1<<24/64)
	for s := raw.Samples; len(s) >= raw.Bands && n <= mostColors; s = s[raw.Bands:] {
		color := uint(s[0])<<16 | uint(s[1])<<8 | uint(s[2])
		if bit := uint64(1) << (color % 64); seen[color/64]&bit == 0 {
			seen[color/64] |= bit
			n++
		}
	}
	return n
}

// samplePSNR returns how near the samples of two pictures are, in dB.
func samplePSNR(a, b []byte) float64 {
	sum := 0
	for i := range a {
		d := int(a[i]) - int(b[i])
		sum += d * d
	}
	return 10 * math.Log10(255*255*float64(len(a))/float64(sum))
}
