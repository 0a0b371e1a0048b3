//go:build heic

package conformance

import (
	"image/color"
	"math"
	"testing"

	"s3resizer/resize"
)

// heicChart is a color chart of 192 × 192 pixels.
func heicChart(is, name string, want chart, truth string) row {
	return row{
		is: is, file: stored("../testdata/heic/" + name), widths: []int{96}, formats: []resize.Format{resize.PNG, resize.AsSource},
		right: []expectation{source{resize.HEIC, 192, 192}, opaque{}, unlessTold{resize.JPEG}, want}, truth: truth,
	}
}

var (
	inP3   = chart{table: "p3.csv", kind: "perceptual"}
	asSRGB = chart{table: "p3.csv", kind: "p3"}
)

var heicRows = []row{
	heicChart("a HEIC with a P3 profile", "icc.heic", inP3, byLittleCMS),
	heicChart("a HEIC in P3 by number", "nclx.heic", inP3, byLittleCMS),
	heicChart("a HEIC in P3 by number, of 10 bits", "deep.heic", inP3, byLittleCMS),
	heicChart("a HEIC in P3 by number, in tiles that go beyond the picture, as phones have it", "grid.heic", inP3, byLittleCMS),
	heicChart("a HEIC in sRGB by number", "srgb.heic", asSRGB, "the samples themselves"),
	heicChart("a HEIC that is turned, and its EXIF says so once more", "turned.heic", asSRGB, "the samples themselves"),
	heicChart("a HEIC in BT.2020", "bt2020.heic", chart{table: "p3.csv", kind: "p3", convert: bt2020ToSRGB}, "ITU-R BT.2087"),
	{
		is: "a HEIC of high dynamic range: black, the white of paper, 1000 nits", file: stored("../testdata/heic/pq.heic"), widths: []int{96}, formats: []resize.Format{resize.PNG},
		right: []expectation{greys{0, 191, 255}}, truth: "SMPTE ST 2084, ITU-R BT.2408, and package icc's curve",
	},
	{
		is: "a HEIC with alpha", file: stored("../testdata/heic/alpha.heic"), widths: []int{96}, formats: []resize.Format{resize.AsSource},
		right: []expectation{unlessTold{resize.PNG}, veiled{}}, truth: "the samples themselves",
	},
	{
		is: "a HEIC with alpha, its colors weighted by it", file: stored("../testdata/heic/weighted.heic"), widths: []int{96}, formats: []resize.Format{resize.AsSource},
		right: []expectation{unlessTold{resize.PNG}, veiled{}}, truth: "the samples themselves",
	},
	{
		is: "a HEIC of 191 × 189 pixels", file: stored("../testdata/heic/odd.heic"), widths: []int{191}, formats: []resize.Format{resize.PNG},
		right: []expectation{source{resize.HEIC, 191, 189}, measures{191: {191, 189}}}, truth: "its header",
	},
}

// bt2020ToSRGB converts gamma-encoded colors, 0–255, by the matrix of ITU-R BT.2087.
func bt2020ToSRGB(r, g, b float64) (float64, float64, float64) {
	r, g, b = srgbLinear(r), srgbLinear(g), srgbLinear(b)
	coded := func(light float64) float64 {
		light = max(0, min(1, light))
		if light <= 0.0031308 {
			return 255 * 12.92 * light
		}
		return 255 * (1.055*math.Pow(light, 1/2.4) - 0.055)
	}
	return coded(1.6605*r - 0.5876*g - 0.0728*b), coded(-0.1246*r + 1.1329*g - 0.0083*b), coded(-0.0182*r - 0.1006*g + 1.1187*b)
}

// opaque: it has no alpha.
type opaque struct{}

func (opaque) check(t *testing.T, got *outcome) {
	t.Helper()
	if got.source.Alpha {
		t.Error("it has alpha")
	}
}

// unlessTold: its renditions are of this format, unless the settings name one.
type unlessTold struct{ format resize.Format }

func (want unlessTold) check(t *testing.T, got *outcome) {
	t.Helper()
	got.rendition(t, 96, want.format)
}

// greys: the levels of patches from left to right, in the width of 96.
type greys []float64

func (want greys) check(t *testing.T, got *outcome) {
	t.Helper()
	img := decoded(t, got.rendition(t, 96, resize.PNG).Data)
	for i, level := range want {
		r, g, b, _ := img.At(32*i+16, 16).RGBA()
		for _, v := range []uint32{r, g, b} {
			if math.Abs(float64(v)/257-level) > 2 {
				t.Errorf("patch %d is %d %d %d, want %g", i, r/257, g/257, b/257, level)
				break
			}
		}
	}
}

// veiled: the patches of the chart, each a little less transparent than the one before.
type veiled struct{}

func (veiled) check(t *testing.T, got *outcome) {
	t.Helper()
	if !got.source.Alpha {
		t.Error("it has no alpha")
	}
	img := decoded(t, got.rendition(t, 96, resize.PNG).Data)
	for i, p := range patches(t, "p3.csv", "p3") {
		c := color.NRGBAModel.Convert(img.At(p.x/2+8, p.y/2+8)).(color.NRGBA)
		// A weighted color has fewer steps, the fewer the less it is seen.
		alpha := 60 + 5*i
		near := 4 + 255/float64(alpha)
		if math.Abs(float64(c.A)-float64(alpha)) > 2 || math.Abs(float64(c.R)-p.r) > near || math.Abs(float64(c.G)-p.g) > near || math.Abs(float64(c.B)-p.b) > near {
			t.Errorf("patch %d is %v, want %v and alpha %d", i, c, p, alpha)
		}
	}
}
