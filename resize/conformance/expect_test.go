package conformance

import (
	"errors"
	"fmt"
	"image/color"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"s3resizer/resize/resizetest/vips"

	"s3resizer/resize"
	"s3resizer/resize/resizetest"
)

// rejected: it is refused, with that class, a reason that has these words, and no rendition.
type rejected struct {
	class resize.Class
	says  string
}

func (want rejected) check(t *testing.T, got *outcome) {
	t.Helper()
	var rejection *resize.Rejection
	if !errors.As(got.err, &rejection) || rejection.Class != want.class || !strings.Contains(rejection.Reason, want.says) || len(got.renditions) > 0 {
		t.Errorf("%d renditions, %v; want class %s and %q", len(got.renditions), got.err, want.class, want.says)
	}
}

// source: what the header says, upright.
type source struct {
	format        resize.Format
	width, height int // pixels
}

func (want source) check(t *testing.T, got *outcome) {
	t.Helper()
	if s := got.source; s.Format != want.format || s.Width != want.width || s.Height != want.height {
		t.Errorf("taken for a %s of %d × %d pixels, want a %s of %d × %d", s.Format, s.Width, s.Height, want.format, want.width, want.height)
	}
}

// measures: how many pixels the renditions of these widths have; the rule by which ofAnyPicture checks them may be wrong too.
type measures map[int][2]int

func (want measures) check(t *testing.T, got *outcome) {
	t.Helper()
	for _, r := range got.renditions {
		for width, m := range want {
			if r.Size == fmt.Sprint(width) && (r.Width != m[0] || r.Height != m[1]) {
				t.Errorf("%s in %s: %d × %d, want %d × %d", r.Size, r.Format, r.Width, r.Height, m[0], m[1])
			}
		}
	}
}

// near: renditions in PNG, whose pixels are those before encoding, are at most so far, in dB, from the reference. It is that
// of the picture itself, or of another file that shows the same.
type near struct {
	of    func() ([]byte, error)
	least map[int]float64 // by width
}

func (want near) check(t *testing.T, got *outcome) {
	t.Helper()
	file := got.file
	if want.of != nil {
		var err error
		if file, err = want.of(); err != nil {
			t.Fatal(err)
		}
	}
	for _, width := range slices.Sorted(maps.Keys(want.least)) {
		r := got.rendition(t, width, resize.PNG)
		db := resizetest.PSNR(seen(t, r.Data), pixels(t, reference(t, file, r.Width, r.Height)))
		if db < want.least[width] {
			t.Errorf("width %d, before encoding: %.1f dB, want at least %.0f", width, db, want.least[width])
		}
		t.Logf("width %4d, before encoding: %.1f dB", width, db)
	}
}

// encodedAsWell: as a file with loss, each rendition is at most so many dB farther from the reference than the reference
// itself is after the same encoder.
type encodedAsWell struct{ than float64 }

func (want encodedAsWell) check(t *testing.T, got *outcome) {
	t.Helper()
	for name, r := range got.renditions {
		if r.Format == resize.PNG || r.Format == resize.GIF {
			continue
		}
		exact := reference(t, got.file, r.Width, r.Height)
		plain, _, err := exact.ExportPng(&vips.PngExportParams{StripMetadata: true})
		if err != nil {
			t.Fatal(err)
		}
		encoded := row{file: func() ([]byte, error) { return plain, nil }, widths: []int{r.Width}, formats: []resize.Format{r.Format}}.render(t)
		if encoded.err != nil {
			t.Fatal(encoded.err)
		}
		shown := pixels(t, exact)
		db := resizetest.PSNR(seen(t, r.Data), shown)
		bound := resizetest.PSNR(seen(t, encoded.rendition(t, r.Width, r.Format).Data), shown)
		if db < bound-want.than {
			t.Errorf("%s: %.1f dB; the reference through the same encoder has %.1f", name, db, bound)
		}
		t.Logf("%s: %.1f dB, reference %.1f dB; %d bytes", name, db, bound, len(r.Data))
	}
}

// has: the file has these bytes, without which the row would show nothing.
type has string

func (want has) check(t *testing.T, got *outcome) {
	t.Helper()
	if !strings.Contains(string(got.file), string(want)) {
		t.Fatalf("the file has no %q: this row shows nothing", string(want))
	}
}

// alphaWhereItCanBe: renditions have alpha, but for JPEG.
type alphaWhereItCanBe struct{}

func (alphaWhereItCanBe) check(t *testing.T, got *outcome) {
	t.Helper()
	for name, r := range got.renditions {
		img, err := vips.NewImageFromBuffer(r.Data)
		if err != nil {
			t.Fatal(err)
		}
		defer img.Close()
		if img.HasAlpha() != (r.Format != resize.JPEG) {
			t.Errorf("%s: alpha %v", name, img.HasAlpha())
		}
	}
}

// whiteWhereSeen: what can be seen in the middle row of each rendition is white, however thin.
type whiteWhereSeen struct{}

func (whiteWhereSeen) check(t *testing.T, got *outcome) {
	t.Helper()
	for name, r := range got.renditions {
		img := decoded(t, r.Data)
		for x := range r.Width {
			if c := color.NRGBAModel.Convert(img.At(x, r.Height/2)).(color.NRGBA); c.A > 20 && c.R < 245 {
				t.Errorf("%s: the edge is %v at x = %d", name, c, x)
				break
			}
		}
	}
}

// middle: the pixel in the middle of a rendition, as far as its levels may be off.
type middle struct {
	width  int
	format resize.Format
	color  color.NRGBA
	within float64
}

func (want middle) check(t *testing.T, got *outcome) {
	t.Helper()
	r := got.rendition(t, want.width, want.format)
	c := color.NRGBAModel.Convert(decoded(t, r.Data).At(r.Width/2, r.Height/2)).(color.NRGBA)
	for i, pair := range [][2]uint8{{c.R, want.color.R}, {c.G, want.color.G}, {c.B, want.color.B}, {c.A, want.color.A}} {
		if math.Abs(float64(pair[0])-float64(pair[1])) > want.within {
			t.Errorf("width %d in %s: channel %d is %d in the middle, want %d", want.width, want.format, i, pair[0], pair[1])
		}
	}
}

// bands: how many channels the renditions have.
type bands int

func (want bands) check(t *testing.T, got *outcome) {
	t.Helper()
	for name, r := range got.renditions {
		img, err := vips.NewImageFromBuffer(r.Data)
		if err != nil {
			t.Fatal(err)
		}
		defer img.Close()
		if img.Bands() != int(want) {
			t.Errorf("%s: %d bands, want %d", name, img.Bands(), want)
		}
	}
}

// chart: the patches of a color chart, 16 pixels wide at the width of 96, have the colors of a table. Of their differences
// (ΔE2000) the mean is 1 at most, and 95 % are 2 at most.
type chart struct {
	table, kind string // the file, and which of its columns
	convert     func(r, g, b float64) (float64, float64, float64)
}

func (want chart) check(t *testing.T, got *outcome) {
	t.Helper()
	img := decoded(t, got.rendition(t, 96, resize.PNG).Data)
	var errs []float64
	for _, p := range patches(t, want.table, want.kind) {
		if want.convert != nil {
			p.r, p.g, p.b = want.convert(p.r, p.g, p.b)
		}
		r, g, b, _ := img.At(p.x/2+8, p.y/2+8).RGBA()
		errs = append(errs, deltaE2000(srgbToLab(float64(r)/257, float64(g)/257, float64(b)/257), srgbToLab(p.r, p.g, p.b)))
	}
	slices.Sort(errs)
	mean := 0.0
	for _, e := range errs {
		mean += e / float64(len(errs))
	}
	p95 := errs[len(errs)*95/100]
	t.Logf("%d patches: ΔE2000 mean %.2f, 95th percentile %.2f, worst %.2f", len(errs), mean, p95, errs[len(errs)-1])
	if mean > 1 || p95 > 2 {
		t.Errorf("ΔE2000 mean %.2f, 95th percentile %.2f; want at most 1 and 2", mean, p95)
	}
}

// shows: what a picture of the corpus shows, in its own format and as a PNG.
type shows struct{ picture resizetest.Picture }

func (want shows) check(t *testing.T, got *outcome) {
	t.Helper()
	p := want.picture
	if string(got.source.Format) != p.Shows.Format {
		t.Errorf("taken for %s, want %s", got.source.Format, p.Shows.Format)
	}
	if got.source.Frames != len(p.Shows.Frames) {
		t.Errorf("%d frames, want %d", got.source.Frames, len(p.Shows.Frames))
	}
	for _, width := range corpusWidths {
		for _, format := range slices.Compact([]string{p.Shows.Output, "png"}) {
			r := got.rendition(t, width, resize.Format(format))
			if err := p.Check(width, format, r.Data); err != nil {
				t.Errorf("width %d, as %s: %v", width, format, err)
			}
			if r.Format == resize.AVIF { // Go has no decoder for it
				if db := p.Compare(seen(t, r.Data)); db < 27 {
					t.Errorf("width %d, as avif: %.1f dB from what it ought to be", width, db)
				}
			}
		}
	}
}
