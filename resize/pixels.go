package resize

import (
	"context"
	"errors"

	"github.com/davidbyttow/govips/v2/vips"

	"s3resizer/resize/internal/rejection"
)

// pixels is a picture in memory: upright sRGB or grey, 8 bits a channel, no metadata. The frames of an animation stand
// below each other.
type pixels struct {
	image *vips.ImageRef
	space vips.Interpretation // sRGB or grey
	// weighted tells that the colors are weighted by alpha, as they are resampled; image does not know of its alpha then.
	weighted bool
	frames   int
	delay    []int // milliseconds, one per frame
	loop     int   // how often an animation plays; 0: for ever
}

// scaled makes a smaller picture.
func (p *pixels) scaled(ctx context.Context, width, height int) (*pixels, error) {
	small := *p
	source := p.image
	if !p.weighted && p.image.HasAlpha() {
		weighted, err := premultiplied(p.image)
		if err != nil {
			return nil, err
		}
		defer weighted.Close()
		source, small.weighted = weighted, true
	}
	image, err := scale(source, p.frames, width, height)
	if err != nil {
		return nil, err
	}
	defer image.Close()
	defer killAtEnd(ctx, image)()
	if small.image, err = inMemory(image); err != nil {
		return nil, errors.Join(err, context.Cause(ctx))
	}
	return &small, nil
}

// copy shares the pixels, and is closed by itself.
func (p *pixels) copy() (*pixels, error) {
	image, err := p.image.Copy()
	if err != nil {
		return nil, err
	}
	own := *p
	own.image = image
	return &own, nil
}

// straight returns the picture for an encoder: its colors as they are, and alpha beside them.
func (p *pixels) straight() (*vips.ImageRef, error) {
	if !p.weighted {
		return p.image.Copy()
	}
	data, err := p.image.ToBytes()
	if err != nil {
		return nil, err
	}
	unpremultiply(data, p.image.Bands())
	return vips.NewImageFromMemory(data, p.image.Width(), p.image.Height(), p.image.Bands(), vips.BandFormatUchar, p.space)
}

// unpremultiply divides each color by its alpha, the last of the bands, as far as that is neither 0 nor 1.
func unpremultiply(samples []byte, bands int) {
	for ; len(samples) >= bands; samples = samples[bands:] {
		alpha := uint32(samples[bands-1])
		if alpha == 0 || alpha == 255 {
			continue
		}
		for i, color := range samples[:bands-1] {
			samples[i] = byte(min(255, (255*uint32(color)+alpha/2)/alpha))
		}
	}
}

func (p *pixels) close() {
	if p != nil {
		p.image.Close()
	}
}

// premultiplied returns image with its colors weighted by alpha, lazily, and as one whose last band is nothing special,
// so that nobody weights them again.
func premultiplied(image *vips.ImageRef) (*vips.ImageRef, error) {
	weighted, err := image.Copy()
	if err != nil {
		return nil, err
	}
	defer weighted.Close()
	if err := premultiply(weighted); err != nil {
		return nil, err
	}
	return weighted.CopyChangingInterpretation(vips.InterpretationMultiband)
}

// premultiply weights the colors of image by alpha; govips remembers that it is done. The samples keep their format: as
// floats, which libvips makes of all but bytes (see native.c), they would be resampled at a fifth of the speed.
func premultiply(image *vips.ImageRef) error {
	samples := image.BandFormat()
	if err := image.PremultiplyAlpha(); err != nil {
		return err
	}
	switch {
	case image.BandFormat() == samples:
		return nil
	case samples == vips.BandFormatUshort:
		return errors.Join(image.Linear1(1, 0.5), image.Cast(samples)) // a cast cuts off
	default:
		return image.Cast(samples)
	}
}

// killAtEnd stops the computing of image when ctx ends. Call what it returns before image is closed.
func killAtEnd(ctx context.Context, image *vips.ImageRef) (release func()) {
	killed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(killed)
		image.SetKill(true)
	})
	return func() {
		if !stop() {
			<-killed
		}
	}
}

// scale returns image with every frame resampled to width × height, lazily.
//
// The kernel is Lanczos3, libvips's best and its default. Colors that are not weighted by alpha yet are so on the way,
// and back, so that invisible ones do not bleed into visible ones.
func scale(image *vips.ImageRef, frames, width, height int) (*vips.ImageRef, error) {
	frameHeight := image.Height() / frames
	h, v := float64(width)/float64(image.Width()), float64(height)/float64(frameHeight)
	if frames == 1 || h == 1 && v == 1 {
		return scaleFrame(image, 0, image.Height(), h, v)
	}
	// Resampled as one strip, each frame would bleed into the first rows of the next.
	strip, err := scaleFrame(image, 0, frameHeight, h, v)
	if err != nil {
		return nil, err
	}
	others := make([]*vips.ImageRef, frames-1)
	for i := range others {
		if others[i], err = scaleFrame(image, (i+1)*frameHeight, frameHeight, h, v); err != nil {
			strip.Close()
			return nil, err
		}
		defer others[i].Close()
	}
	if err := strip.ArrayJoin(others, 1); err != nil {
		strip.Close()
		return nil, err
	}
	return strip, nil
}

// scaleFrame resamples height rows of image from top on.
func scaleFrame(image *vips.ImageRef, top, height int, hScale, vScale float64) (*vips.ImageRef, error) {
	frame, err := image.Copy()
	if err != nil {
		return nil, err
	}
	if height != image.Height() {
		err = errors.Join(
			frame.SetPageHeight(image.Height()), // else the same rows of every frame would be cut out
			frame.ExtractArea(0, top, image.Width(), height),
			frame.SetPages(1),
		)
	}
	if err == nil && (hScale != 1 || vScale != 1) {
		if frame.HasAlpha() {
			err = premultiply(frame)
		}
		err = errors.Join(err, frame.ResizeWithVScale(hScale, vScale, vips.KernelLanczos3))
	}
	if err != nil {
		frame.Close()
		return nil, err
	}
	return frame, nil
}

// isSRGB tells whether there is nothing for toSRGB to do.
func isSRGB(image *vips.ImageRef) bool {
	space := image.Interpretation()
	return (space == vips.InterpretationSRGB || space == vips.InterpretationBW) && image.BandFormat() == vips.BandFormatUchar && !image.HasICCProfile()
}

// toSRGB converts, lazily, to what browsers assume of a picture without a profile: sRGB, or grey with its curve, 8 bits
// a channel. It works on the small picture, where it is cheap.
func toSRGB(image *vips.ImageRef) error {
	grey := image.Interpretation() == vips.InterpretationBW || image.Interpretation() == vips.InterpretationGrey16
	fallback := "srgb"
	if image.Interpretation() == vips.InterpretationCMYK {
		fallback = "cmyk"
	}
	if image.HasICCProfile() || fallback == "cmyk" {
		// A profile that does not fit its picture is ignored, as browsers do.
		_ = image.TransformICCProfileWithFallback("srgb", fallback)
	}
	target := vips.InterpretationSRGB
	if grey {
		target = vips.InterpretationBW
	}
	if image.Interpretation() != target || image.BandFormat() != vips.BandFormatUchar {
		if err := image.ToColorSpace(target); err != nil {
			return rejection.Unsupportedf("its color space (%d bands) can't be converted to sRGB", image.Bands())
		}
	}
	if image.BandFormat() != vips.BandFormatUchar {
		return image.Cast(vips.BandFormatUchar)
	}
	return nil
}

// upright turns the picture as its EXIF orientation says.
func (p *pixels) upright(orientation int) error {
	if orientation < 2 || orientation > 8 {
		return nil
	}
	if err := p.image.SetOrientation(orientation); err != nil {
		return err
	}
	if err := p.image.AutoRotate(); err != nil {
		return err
	}
	turned, err := inMemory(p.image)
	if err != nil {
		return err
	}
	p.image.Close()
	p.image = turned
	return nil
}
