// Package quality measures how far a rendition is from what it ought to be: all of the picture decoded, turned upright,
// one Lanczos step. Both are laid on mid-grey where they have alpha, so that what can't be seen does not count.
package quality

import (
	"fmt"
	"math"

	"s3resizer/resize/resizetest/vips"
)

// Distance tells how alike two pictures are.
type Distance struct {
	PSNR float64 // dB over all channels; +Inf for equal pictures
	SSIM float64 // of luma, 1 for equal pictures
}

// Original is a picture decoded whole. Close it. libvips must be started.
type Original struct {
	image *vips.ImageRef
	made  map[[2]int]*raster // the references so far, by width and height
}

// Decode decodes a picture; of an animation its first frame.
func Decode(file []byte) (*Original, error) {
	image, err := vips.NewImageFromBuffer(file)
	if err != nil {
		return nil, fmt.Errorf("decode the original: %w", err)
	}
	if err := image.AutoRotate(); err != nil {
		image.Close()
		return nil, fmt.Errorf("turn the original upright: %w", err)
	}
	return &Original{image, map[[2]int]*raster{}}, nil
}

// Close gives the memory back.
func (o *Original) Close() { o.image.Close() }

// Compare measures a rendition, as an encoded file; of an animation its first frame.
func (o *Original) Compare(rendition []byte) (Distance, error) {
	image, err := vips.NewImageFromBuffer(rendition)
	if err != nil {
		return Distance{}, fmt.Errorf("decode the rendition: %w", err)
	}
	defer image.Close()
	got, err := visible(image)
	if err != nil {
		return Distance{}, fmt.Errorf("decode the rendition: %w", err)
	}
	want, err := o.reference(got.width, got.height)
	if err != nil {
		return Distance{}, fmt.Errorf("make the reference: %w", err)
	}
	return Distance{psnr(got, want), ssim(got.luma(), want.luma(), got.width, got.height)}, nil
}

func (o *Original) reference(width, height int) (*raster, error) {
	size := [2]int{width, height}
	if made, ok := o.made[size]; ok {
		return made, nil
	}
	image, err := o.image.Copy()
	if err != nil {
		return nil, err
	}
	defer image.Close()
	scale := func(to, from int) float64 { return float64(to) / float64(from) }
	if err := image.ResizeWithVScale(scale(width, image.Width()), scale(height, image.Height()), vips.KernelLanczos3); err != nil {
		return nil, err
	}
	if image.HasICCProfile() {
		if err := image.TransformICCProfileWithFallback("srgb", "srgb"); err != nil {
			return nil, err
		}
	}
	made, err := visible(image)
	o.made[size] = made
	return made, err
}

// Pixels decodes a rendition: its RGB samples, row by row.
func Pixels(rendition []byte) (width, height int, rgb []byte, err error) {
	image, err := vips.NewImageFromBuffer(rendition)
	if err != nil {
		return 0, 0, nil, fmt.Errorf("decode the rendition: %w", err)
	}
	defer image.Close()
	r, err := visible(image)
	if err != nil {
		return 0, 0, nil, fmt.Errorf("decode the rendition: %w", err)
	}
	return r.width, r.height, r.rgb, nil
}

// raster is a picture of three channels.
type raster struct {
	width, height int
	rgb           []byte
}

// visible is what is seen of a picture; it changes it.
func visible(image *vips.ImageRef) (*raster, error) {
	if image.HasAlpha() {
		if err := image.Flatten(&vips.Color{R: 128, G: 128, B: 128}); err != nil {
			return nil, err
		}
	}
	if err := image.ToColorSpace(vips.InterpretationSRGB); err != nil {
		return nil, err
	}
	pixels, err := image.ToBytes()
	if err != nil {
		return nil, err
	}
	if bands := image.Bands(); bands != 3 {
		return nil, fmt.Errorf("%d channels, not 3", bands)
	}
	return &raster{image.Width(), image.Height(), pixels}, nil
}

// luma weighs the channels as ITU-R BT.601 does.
func (r *raster) luma() []float64 {
	out := make([]float64, r.width*r.height)
	for i := range out {
		p := r.rgb[3*i : 3*i+3]
		out[i] = 0.299*float64(p[0]) + 0.587*float64(p[1]) + 0.114*float64(p[2])
	}
	return out
}

func psnr(a, b *raster) float64 {
	sum := 0.0
	for i := range a.rgb {
		d := float64(a.rgb[i]) - float64(b.rgb[i])
		sum += d * d
	}
	return 10 * math.Log10(255*255*float64(len(a.rgb))/sum)
}
