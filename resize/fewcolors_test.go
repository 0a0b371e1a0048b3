package resize

import (
	"bytes"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/png"
	"math/rand/v2"
	"testing"

	"s3resizer/internal/demo"
	"s3resizer/resize/resizetest"
)

// A page of 1 bit a pixel became six times as large as it was. It is compared with what the same picture becomes that is said
// to have all colors.
func TestAPNGOfFewColorsStaysOne(t *testing.T) {
	page := image.NewPaletted(image.Rect(0, 0, 1200, 900), color.Palette{color.White, color.Black})
	drawing := image.NewPaletted(image.Rect(0, 0, 1200, 900), palette.WebSafe)
	photo := image.NewPaletted(image.Rect(0, 0, 1200, 900), palette.WebSafe)
	draw.FloydSteinberg.Draw(photo, photo.Rect, demo.Scene(demo.City, 5, 1200, 900), image.Point{})
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 { // strokes, as of letters
		at := image.Pt(random.IntN(1180), 50*random.IntN(18)+random.IntN(20))
		stroke := image.Rect(0, 0, 3, 17)
		if random.IntN(2) == 0 {
			stroke = image.Rect(0, 0, 15, 2)
		}
		draw.Draw(page, stroke.Add(at), image.Black, image.Point{}, draw.Src)
	}
	for y := range 900 {
		for x := range 1200 {
			dx, dy := x%240-120, y%225-112
			drawing.SetColorIndex(x, y, uint8(37*((dx*dx+dy*dy)/2500+5*(x/240)+11*(y/225))%216))
		}
	}
	for name, c := range map[string]struct {
		few   *image.Paletted
		whole draw.Image
		most  float64 // of the bytes of the other
	}{
		"a page":               {page, image.NewGray(page.Rect), 0.6},
		"a drawing":            {drawing, image.NewRGBA(page.Rect), 0.5},
		"a photo on a palette": {photo, image.NewRGBA(page.Rect), 1},
	} {
		draw.Draw(c.whole, c.whole.Bounds(), c.few, image.Point{}, draw.Src)
		got := map[bool]Rendition{}
		for few, img := range map[bool]image.Image{true: c.few, false: c.whole} {
			var file bytes.Buffer
			if err := png.Encode(&file, img); err != nil {
				t.Fatal(err)
			}
			_, out := render(t, file.Bytes(), []Size{{Name: "s", Width: 400}}, PNG)
			got[few] = out["s png"]
		}
		if share := float64(len(got[true].Data)) / float64(len(got[false].Data)); share > c.most {
			t.Errorf("%s: %d bytes, with all colors %d", name, len(got[true].Data), len(got[false].Data))
		}
		shown := func(few bool) *image.NRGBA {
			img, err := png.Decode(bytes.NewReader(got[few].Data))
			if err != nil {
				t.Fatal(err)
			}
			out := image.NewNRGBA(img.Bounds())
			draw.Draw(out, out.Rect, img, image.Point{}, draw.Src)
			return out
		}
		if db := resizetest.PSNR(shown(true), shown(false)); db < leastFew {
			t.Errorf("%s: %.1f dB from the picture with all colors", name, db)
		} else {
			t.Logf("%s: %d bytes, with all colors %d; %.1f dB", name, len(got[true].Data), len(got[false].Data), db)
		}
	}
}
