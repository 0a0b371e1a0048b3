package resize

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"testing"

	"go.n16f.net/thumbhash"
	"golang.org/x/image/draw"

	"s3resizer/resize/internal/vips"
	"s3resizer/resize/resizetest"
)

// For the same samples, alpha included, we make the same hashes as the JavaScript implementation of the format's author (see
// testdata/thumbhash/make.mjs). The package that we use takes the samples of an image.RGBA for straight ones. If we gave it
// weighted ones, as they should be by image.RGBA's documentation, hashes would differ.
func TestThumbHashesAreTheReferences(t *testing.T) {
	data, err := os.ReadFile("testdata/thumbhash/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Kind string
		W, H int
		Hash []byte
	}
	if err := json.Unmarshal(data, &vectors); err != nil || len(vectors) < 40 {
		t.Fatalf("%d vectors, %v", len(vectors), err)
	}
	for _, v := range vectors {
		state := uint32(v.W*100 + v.H)
		next := func() uint8 {
			state = state*1664525 + 1013904223
			return uint8(state >> 24)
		}
		var samples []byte
		for y := range v.H {
			for x := range v.W {
				samples = append(samples, sample(v.Kind, next, x, y, v.W, v.H)...)
			}
		}
		look := newLook(v.W, v.H)
		look.all(samples, 4, false)
		if got := thumbhash.EncodeImage(look.small()); !sameHash(got, v.Hash) {
			t.Errorf("%s, %d × %d: %s, want %s", v.Kind, v.W, v.H, base64.StdEncoding.EncodeToString(got), base64.StdEncoding.EncodeToString(v.Hash))
		}
	}
}

// sameHash compares what two ThumbHashes stand for. In a symmetric picture, the terms of odd cosines are 0 but for rounding,
// which the two implementations do differently: of the 15 steps from -1 to 1, such a term is the 7th or the 8th. And if the
// whole picture has one lightness, the scale of its terms is 0, so that their values mean nothing.
func sameHash(a, b []byte) bool {
	constants := 5 + int(b[2]>>7) // one more with alpha
	if len(a) != len(b) || !bytes.Equal(a[:constants], b[:constants]) {
		return false
	}
	plain := b[2]>>2&31 == 0
	for i := constants; i < len(b); i++ {
		for _, shift := range []int{0, 4} {
			x, y := a[i]>>shift&15, b[i]>>shift&15
			if x != y && !plain && (min(x, y) != 7 || max(x, y) != 8) {
				return false
			}
		}
	}
	return true
}

func sample(kind string, next func() uint8, x, y, w, h int) []byte {
	switch kind {
	case "noise":
		return []byte{next(), next(), next(), 255}
	case "grey":
		v := next()
		return []byte{v, v, v, 255}
	case "gradient":
		return []byte{uint8(255 * x / w), uint8(255 * y / h), uint8(255 * (w - x) / w), 255}
	case "translucent":
		return []byte{next(), uint8(255 * x / w), 40, uint8(255 * y / h)}
	case "hole":
		if dx, dy := 2*x-w, 2*y-h; 2*(dx*dx+dy*dy) < w*h {
			return []byte{200, 30, 90, 0}
		}
		return []byte{200, 30, 90, 255}
	case "white":
		return []byte{255, 255, 255, 255}
	case "black":
		return []byte{0, 0, 0, 255}
	default:
		return []byte{10, 20, 30, 0}
	}
}

// placeholderOf renders a picture and returns its smallest rendition as it was before encoding.
func placeholderOf(t *testing.T, data []byte, widths ...int) (Summary, *image.NRGBA) {
	t.Helper()
	spec := Spec{Formats: []Format{PNG}, Quality: quality, Background: Color{1, 2, 3}}
	for _, width := range widths {
		spec.Sizes = append(spec.Sizes, Size{Name: fmt.Sprint(width), Width: width})
	}
	var smallest Rendition
	summary, err := tryRender(data, spec, func(r Rendition) {
		if smallest.Data == nil || r.Width < smallest.Width {
			smallest = r
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := png.Decode(bytes.NewReader(smallest.Data))
	if err != nil {
		t.Fatal(err)
	}
	straight := image.NewNRGBA(decoded.Bounds())
	for y := range straight.Rect.Dy() {
		for x := range straight.Rect.Dx() {
			straight.Set(x, y, decoded.At(x, y))
		}
	}
	return summary, straight
}

// For every kind of picture (turned, grey, translucent, animated, in other color spaces), the placeholder is that of what the
// smallest rendition shows.
func TestThePlaceholderOfEveryPicture(t *testing.T) {
	for _, p := range resizetest.Pictures() {
		if p.Shows == nil {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			summary, small := placeholderOf(t, p.Data, 90, 30)
			want, share := dominantOf(small)
			if share > 0 && !near(summary.Color, want, 1) {
				t.Errorf("the dominant color is %v, want %v", summary.Color, want)
			}
			if d := hashDistance(t, summary.ThumbHash, small); d > 12 {
				t.Errorf("the ThumbHash is %.1f levels from the picture's", d)
			}
		})
	}
}

// dominantOf computes Summary.Color as its documentation says, for a picture whose samples are straight, and returns it with
// the share of visible pixels that are in its bin.
func dominantOf(img *image.NRGBA) (Color, float64) {
	type bin struct{ r, g, b, weight float64 }
	bins, all := map[[3]uint8]bin{}, 0.0
	for i := 0; i < len(img.Pix); i += 4 {
		r, g, b, alpha := img.Pix[i], img.Pix[i+1], img.Pix[i+2], float64(img.Pix[i+3])
		at := [3]uint8{r / 16, g / 16, b / 16}
		is := bins[at]
		bins[at] = bin{is.r + float64(r)*alpha, is.g + float64(g)*alpha, is.b + float64(b)*alpha, is.weight + alpha}
		all += alpha
	}
	var fullest bin
	var where [3]uint8
	for at, is := range bins {
		first := at[0] < where[0] || at[0] == where[0] && (at[1] < where[1] || at[1] == where[1] && at[2] < where[2])
		if is.weight > fullest.weight || is.weight == fullest.weight && first {
			fullest, where = is, at
		}
	}
	mean := func(sum float64) uint8 { return uint8(math.Round(sum / fullest.weight)) }
	if fullest.weight == 0 {
		return Color{}, 0
	}
	return Color{mean(fullest.r), mean(fullest.g), mean(fullest.b)}, fullest.weight / all
}

func near(a, b Color, by int) bool {
	off := func(a, b uint8) bool { return int(a)-int(b) > by || int(b)-int(a) > by }
	return !off(a.R, b.R) && !off(a.G, b.G) && !off(a.B, b.B)
}

// hashDistance compares what a ThumbHash shows with what the ThumbHash of the picture shows if another resampler makes it small.
// It returns the mean distance of samples, in levels.
func hashDistance(t *testing.T, hash []byte, img *image.NRGBA) float64 {
	t.Helper()
	scale := min(1, 60/float64(max(img.Rect.Dx(), img.Rect.Dy())))
	side := func(n int) int { return max(1, int(math.Round(float64(n)*scale))) }
	small := image.NewNRGBA(image.Rect(0, 0, side(img.Rect.Dx()), side(img.Rect.Dy())))
	draw.CatmullRom.Scale(small, small.Rect, img, img.Rect, draw.Src, nil)
	samples := &image.RGBA{Pix: small.Pix, Stride: small.Stride, Rect: small.Rect} // straight: see look.small
	got, err := thumbhash.DecodeImage(hash)
	if err != nil {
		t.Fatal(err)
	}
	want, err := thumbhash.DecodeImage(thumbhash.EncodeImage(samples))
	if err != nil {
		t.Fatal(err)
	}
	if got.Bounds() != want.Bounds() {
		t.Errorf("it is %v, want %v", got.Bounds(), want.Bounds())
		return 0
	}
	a, b := got.(*image.RGBA).Pix, want.(*image.RGBA).Pix
	sum := 0.0
	for i := range a {
		sum += math.Abs(float64(a[i]) - float64(b[i]))
	}
	return sum / float64(len(a))
}

func TestTheDominantColor(t *testing.T) {
	paint := func(width, height int, at func(x, y int) color.NRGBA) []byte {
		img := image.NewNRGBA(image.Rect(0, 0, width, height))
		for y := range height {
			for x := range width {
				img.SetNRGBA(x, y, at(x, y))
			}
		}
		var data bytes.Buffer
		if err := png.Encode(&data, img); err != nil {
			t.Fatal(err)
		}
		return data.Bytes()
	}
	red, green, faint := color.NRGBA{250, 10, 20, 255}, color.NRGBA{10, 240, 30, 255}, color.NRGBA{10, 240, 30, 90}
	for name, c := range map[string]struct {
		data   []byte
		widths []int
		want   Color
	}{
		"what there is most of": {paint(200, 100, func(x, _ int) color.NRGBA {
			if x < 80 {
				return green
			}
			return red
		}), []int{100, 50}, Color{250, 10, 20}},
		"what is faint counts less": {paint(200, 100, func(x, _ int) color.NRGBA {
			if x < 140 {
				return faint
			}
			return red
		}), []int{100, 50}, Color{250, 10, 20}},
		"and is not darker for it": {paint(200, 100, func(x, _ int) color.NRGBA {
			if x < 180 {
				return faint
			}
			return red
		}), []int{100, 50}, Color{10, 240, 30}},
		"the same, not resized": {paint(50, 100, func(x, _ int) color.NRGBA {
			if x < 45 {
				return faint
			}
			return red
		}), []int{50}, Color{10, 240, 30}},
		"nothing visible":              {paint(200, 100, func(int, int) color.NRGBA { return color.NRGBA{200, 0, 0, 0} }), []int{50}, Color{1, 2, 3}},
		"the middle of similar colors": {paint(256, 256, func(x, y int) color.NRGBA { return color.NRGBA{uint8(96 + x%16), uint8(64 + y%16), 200, 255} }), []int{256}, Color{104, 72, 200}},
		"an animation's first frame":   {animation(t), []int{200, 100}, Color{255, 0, 0}},
		"a size of millions of pixels": {paint(1500, 1000, func(x, _ int) color.NRGBA {
			if x < 700 {
				return green
			}
			return red
		}), []int{1500}, Color{250, 10, 20}},
		"a very long picture": {paint(40, 9000, func(_, y int) color.NRGBA {
			if y < 3000 {
				return green
			}
			return red
		}), []int{40}, Color{250, 10, 20}},
		"one pixel": {paint(1, 1, func(int, int) color.NRGBA { return red }), []int{50}, Color{250, 10, 20}},
	} {
		t.Run(name, func(t *testing.T) {
			summary, _ := placeholderOf(t, c.data, c.widths...)
			if !near(summary.Color, c.want, 1) {
				t.Errorf("%v, want %v", summary.Color, c.want)
			}
			if n := len(summary.ThumbHash); n < 5 || n > 25 {
				t.Errorf("a ThumbHash of %d bytes", n)
			}
		})
	}
}

func TestAColorIsWrittenAsInCSS(t *testing.T) {
	if got := (Color{255, 10, 0}).String(); got != "#ff0a00" {
		t.Error(got)
	}
}

func BenchmarkPlaceholder(b *testing.B) {
	for name, c := range map[string]struct{ width, height, bands int }{
		"368 × 276": {368, 276, 3}, "368 × 276 grey": {368, 276, 1}, "368 × 276 alpha": {368, 276, 4}, "368 × 491": {368, 491, 3}, "1440 × 1080": {1440, 1080, 3}, "368 × 16000": {368, 16000, 3},
	} {
		b.Run(name, func(b *testing.B) {
			samples := make([]byte, c.width*c.height*c.bands)
			for i := range samples {
				samples[i] = uint8(i * i >> 8)
			}
			space := vips.SRGB
			if c.bands < 3 {
				space = vips.BW
			}
			stored, err := vips.New(samples, c.width, c.height, c.bands, space)
			if err != nil {
				b.Fatal(err)
			}
			defer stored.Close()
			p := &pixels{image: stored, space: space, weighted: c.bands == 4, frames: 1}
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := p.placeholder(white); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
