package resizetest

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"slices"
	"strings"
	"testing"

	_ "golang.org/x/image/tiff"
)

// The files show what they are said to show, as far as Go's decoders can read them.
func TestGoSeesTheSamePictures(t *testing.T) {
	// Go has no decoder for these, or one that ignores what they are about.
	unknown := []string{
		"arithmetic", "-cmyk", "-ycck", "cmyk.", "profile", "turned", "orientation-2", "orientation-3", "orientation-4", "orientation-5",
		"orientation-6", "orientation-7", "orientation-8", "long-header", ".avif", "separate", "big.tif", "jpeg.tif", "float", "32-bit",
		"410.jpg", "weighted-alpha", "rgb.jpg", "animated.png", "animated-hidden.png", "orientation", "x4001", "65500x", "white-is-zero",
		"restart-progressive", "palette-4.tif", "gamma-",
		"no-trailer", "comment-cut", "gamma.png", "cicp-", "no-end", "half-an-end",
		"jpeg-strips", "jpeg-tiles", "fax-g3-2d", "ycbcr",
	}
	seen := map[string]int{}
	for _, p := range Pictures() {
		if p.Shows == nil || slices.ContainsFunc(unknown, func(part string) bool { return strings.Contains(p.Name, part) }) {
			continue
		}
		got, err := decode(p.Data)
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
			continue
		}
		seen[p.Shows.Format]++
		if got.format != p.Shows.Format || len(got.frames) != len(p.Shows.Frames) {
			t.Errorf("%s: %s of %d frames, want %s of %d", p.Name, got.format, len(got.frames), p.Shows.Format, len(p.Shows.Frames))
			continue
		}
		for i, want := range p.Shows.Frames {
			if got.frames[i].Rect != want.Rect {
				t.Errorf("%s: %v, want %v", p.Name, got.frames[i].Rect, want.Rect)
			} else if db := psnr(got.frames[i], want, 128); db < min(p.Shows.PSNR, 32) {
				t.Errorf("%s: frame %d is %.1f dB from what it is said to show", p.Name, i, db)
			}
		}
	}
	t.Logf("%v", seen)
	for format, least := range map[string]int{"jpeg": 25, "png": 50, "gif": 10, "webp": 5, "tiff": 15} {
		if seen[format] < least {
			t.Errorf("%d pictures in %s were seen, want at least %d", seen[format], format, least)
		}
	}
}

// Check finds whatever can be wrong with a rendition: turned, mirrored, inverted, other colors, the wrong size.
func TestCheckTellsWrongRenditions(t *testing.T) {
	encode := func(img image.Image) []byte {
		var data bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: png.NoCompression}).Encode(&data, img); err != nil {
			t.Fatal(err)
		}
		return data.Bytes()
	}
	darker := func(img *image.NRGBA) *image.NRGBA {
		return mapped(img, func(c color.NRGBA) color.NRGBA { return color.NRGBA{c.R / 2, c.G / 2, c.B / 2, c.A} })
	}
	for _, p := range Pictures() {
		if p.Shows == nil || p.Shows.Frames[0].Rect != image.Rect(0, 0, Width, Height) {
			continue
		}
		want := scaled(p.Shows.Frames[0], 90, 60)
		if err := p.Check(90, "png", encode(want)); err != nil {
			t.Errorf("%s: the right rendition is taken for wrong: %v", p.Name, err)
		}
		wrong := map[string]*image.NRGBA{
			"negative": negative(want), "half as bright": darker(want), "grey": plain(90, 60, color.NRGBA{128, 128, 128, 255}),
			"turned by 180 degrees": stored(want, 3), "mirrored": stored(want, 2), "upside down": stored(want, 4),
		}
		if !strings.Contains(p.Name, "grey") {
			if sample := want.NRGBAAt(85, 5); sample.R != sample.B {
				wrong["red for blue"] = swapped(want)
			}
		}
		for what, img := range wrong {
			symmetric := strings.HasPrefix(p.Name, "key-") && what == "upside down" || what == "mirrored" && (strings.HasPrefix(p.Name, "palette-1") || strings.HasPrefix(p.Name, "palette-alpha-1"))
			if err := p.Check(90, "png", encode(img)); err == nil && !symmetric {
				t.Errorf("%s: %s is not noticed", p.Name, what)
			}
		}
		if err := p.Check(90, "png", encode(scaled(want, 90, 61))); err == nil {
			t.Errorf("%s: a row too many is not noticed", p.Name)
		}
		if err := p.Check(90, "webp", encode(want)); err == nil {
			t.Errorf("%s: the wrong format is not noticed", p.Name)
		}
		if len(p.Shows.Frames) > 1 {
			if err := p.Check(90, p.Shows.Output, encode(want)); err == nil {
				t.Errorf("%s: a still is taken for the animation", p.Name)
			}
		}
	}
}

// Many tests go through the corpus. If it shrank unnoticed, they would show nothing.
func TestTheCorpusIsWhole(t *testing.T) {
	good, bad := 0, 0
	for _, p := range Pictures() {
		if p.Shows != nil {
			good++
		} else {
			bad++
		}
	}
	t.Logf("%d good pictures, %d bad ones", good, bad)
	if good < 150 || bad < 45 {
		t.Errorf("%d good pictures and %d bad ones, want at least 150 and 45", good, bad)
	}
}

func TestAJPEGOfManyComponentsIsOne(t *testing.T) {
	card := Card(64, 48)
	data := assembled(planes(card, func(c color.NRGBA) []uint8 { return inverted(inks(c)) }), adobe(0))
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if db := psnr(toNRGBA(img), card, 128); db < lossy-6 {
		t.Errorf("%.1f dB from the card", db)
	}
}
