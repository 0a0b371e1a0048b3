package resize

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"
)

// veil is a gradient of colors under a gradient of alpha.
func veil(width, height int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetNRGBA(x, y, color.NRGBA{uint8(x * 255 / width), uint8(y * 255 / height), uint8(255 - x*255/width), uint8((x + y) * 255 / (width + height))})
		}
	}
	return img
}

func renderPNG(t *testing.T, img image.Image, width int) image.Image {
	t.Helper()
	var data bytes.Buffer
	if err := png.Encode(&data, img); err != nil {
		t.Fatal(err)
	}
	source, err := Open(t.Context(), &data, limits)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	var out image.Image
	_, err = source.Render(t.Context(), Spec{Sizes: []Size{{Name: "one", Width: width}}, Formats: []Format{PNG}, Quality: quality}, func(r Rendition) error {
		out, err = png.Decode(bytes.NewReader(r.Data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A PNG that needs no resizing comes out as it went in: its colors are not weighted by alpha and back.
func TestAlphaOfAPictureThatFitsIsExact(t *testing.T) {
	in := veil(300, 200)
	out := renderPNG(t, in, 300)
	for y := range 200 {
		for x := range 300 {
			if got := color.NRGBAModel.Convert(out.At(x, y)); got != in.NRGBAAt(x, y) {
				t.Fatalf("(%d, %d): %v, was %v", x, y, got, in.NRGBAAt(x, y))
			}
		}
	}
}

// Weighting colors by alpha in bytes must round. Without that, every picture with alpha gets darker by half a level.
func TestAlphaDoesNotDarken(t *testing.T) {
	in := veil(900, 600)
	out := renderPNG(t, in, 300)
	onWhite := func(c color.Color) (sum float64) {
		r, g, b, a := c.RGBA() // weighted, of 65535
		for _, v := range []uint32{r, g, b} {
			sum += float64(v+0xffff-a) / 257
		}
		return sum / 3
	}
	var bias float64
	for y := range 200 {
		for x := range 300 {
			var before float64 // the mean of a block, which is what its middle should be in a gradient
			for i := range 9 {
				before += onWhite(in.At(3*x+i%3, 3*y+i/3)) / 9
			}
			bias += (onWhite(out.At(x, y)) - before) / (300 * 200)
		}
	}
	t.Logf("on average %+.3f levels", bias)
	if bias < -0.2 || bias > 0.2 {
		t.Errorf("on average %+.3f levels brighter than before", bias)
	}
}
