package resize

import (
	"bytes"
	"errors"
	"image"
	"slices"
	"strings"
	"testing"

	"s3resizer/resize/resizetest"
	"s3resizer/resize/resizetest/vips"
)

// Every picture of the corpus, in its own format and as a PNG, whose pixels are those before encoding.
func TestEveryPicture(t *testing.T) {
	for _, p := range resizetest.Pictures() {
		t.Run(p.Name, func(t *testing.T) {
			out := map[string]Rendition{}
			spec := Spec{Sizes: []Size{{"small", 30}, {"large", 90}}, Formats: []Format{AsSource, PNG}, Quality: quality, Background: white}
			source, _, _, err := renderFile(p.Data, limits, spec, func(r Rendition) { out[r.Size+" "+string(r.Format)] = r })
			if n := vips.OpenImageRefs(); n != 0 {
				t.Errorf("%d libvips images are still open", n)
			}
			if p.Rejected != nil {
				var rejection *Rejection
				if !errors.As(err, &rejection) || string(rejection.Class) != p.Rejected.Class || !strings.Contains(rejection.Reason, p.Rejected.Says) {
					t.Errorf("got %v, want class %s and %q", err, p.Rejected.Class, p.Rejected.Says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if string(source.Format) != p.Shows.Format {
				t.Errorf("taken for %s, want %s", source.Format, p.Shows.Format)
			}
			for _, size := range spec.Sizes {
				for _, format := range slices.Compact([]string{p.Shows.Output, "png"}) {
					r := out[size.Name+" "+format]
					if err := p.Check(size.Width, format, r.Data); err != nil {
						t.Errorf("%s, as %s: %v", size.Name, format, err)
					}
					if r.Format == AVIF { // Go has no decoder for it
						if db := p.Compare(ourPixels(t, r.Data)); db < 27 {
							t.Errorf("%s, as avif: %.1f dB from what it ought to be", size.Name, db)
						}
					}
				}
			}
		})
	}
}

// What is not resized is not for libvips to look at either, whoever hands it on: SVG, say, or libvips's own format.
func TestOtherLoadersAreSwitchedOff(t *testing.T) {
	for _, p := range resizetest.Pictures() {
		if p.Shows != nil || strings.HasSuffix(p.Name, ".tif") {
			continue
		}
		img, err := vips.LoadImageFromReader(bytes.NewReader(p.Data), nil)
		if err == nil {
			t.Errorf("libvips reads %s", p.Name)
			img.Close()
		}
	}
}

// ourPixels decodes a rendition by libvips.
func ourPixels(t *testing.T, data []byte) image.Image {
	t.Helper()
	from := decoded(t, data)
	samples, err := from.ToBytes()
	if err != nil {
		t.Fatal(err)
	}
	img := image.NewNRGBA(image.Rect(0, 0, from.Width(), from.Height()))
	for i := range len(img.Pix) / 4 {
		copy(img.Pix[4*i:], append(samples[3*i:3*i+3:3*i+3], 255))
	}
	return img
}
