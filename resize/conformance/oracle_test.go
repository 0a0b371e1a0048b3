package conformance

import (
	"image"
	"testing"

	"s3resizer/resize/resizetest/vips"
)

// reference is what a picture ought to become, by libvips: all of it decoded, turned upright, one Lanczos step, and only then
// converted to sRGB. Close it.
func reference(t *testing.T, file []byte, width, height int) *vips.ImageRef {
	t.Helper()
	img, err := vips.NewImageFromBuffer(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(img.Close)
	if err := img.AutoRotate(); err != nil {
		t.Fatal(err)
	}
	if err := img.ResizeWithVScale(float64(width)/float64(img.Width()), float64(height)/float64(img.Height()), vips.KernelLanczos3); err != nil {
		t.Fatal(err)
	}
	if img.HasICCProfile() {
		if err := img.TransformICCProfileWithFallback("srgb", "srgb"); err != nil {
			t.Fatal(err)
		}
	}
	return img
}

// seen is what is to be seen of a file, by libvips, which knows every format.
func seen(t *testing.T, file []byte) *image.NRGBA {
	t.Helper()
	img, err := vips.NewImageFromBuffer(file)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	return pixels(t, img)
}

// pixels lays a picture on mid-grey where it has alpha, so that what can't be seen does not count.
func pixels(t *testing.T, img *vips.ImageRef) *image.NRGBA {
	t.Helper()
	flat, err := img.Copy()
	if err != nil {
		t.Fatal(err)
	}
	defer flat.Close()
	if flat.HasAlpha() {
		if err := flat.Flatten(&vips.Color{R: 128, G: 128, B: 128}); err != nil {
			t.Fatal(err)
		}
	}
	if err := flat.ToColorSpace(vips.InterpretationSRGB); err != nil {
		t.Fatal(err)
	}
	samples, err := flat.ToBytes()
	if err != nil {
		t.Fatal(err)
	}
	out := image.NewNRGBA(image.Rect(0, 0, flat.Width(), flat.Height()))
	for i := range len(out.Pix) / 4 {
		copy(out.Pix[4*i:], samples[3*i:3*i+3])
		out.Pix[4*i+3] = 255
	}
	return out
}
