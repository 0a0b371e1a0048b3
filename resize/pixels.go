package resize

import (
	"context"
	"errors"
	"fmt"

	"github.com/davidbyttow/govips/v2/vips"
)

// pixels is a picture in memory: upright sRGB or grey, 8 bits a channel, straight alpha, no metadata. The frames of an
// animation stand below each other.
type pixels struct {
	image  *vips.ImageRef
	frames int
	delay  []int // milliseconds, one per frame
	loop   int   // how often an animation plays; 0: for ever
}

// scaled makes a smaller picture.
func (p *pixels) scaled(ctx context.Context, width, height int) (*pixels, error) {
	image, err := scale(p.image, p.frames, width, height)
	if err != nil {
		return nil, err
	}
	defer image.Close()
	defer context.AfterFunc(ctx, func() { image.SetKill(true) })()
	small, err := inMemory(image, p.frames)
	if err != nil {
		return nil, errors.Join(err, context.Cause(ctx))
	}
	small.delay, small.loop = p.delay, p.loop
	return small, nil
}

// copy shares the pixels, and is closed by itself.
func (p *pixels) copy() (*pixels, error) {
	image, err := p.image.Copy()
	if err != nil {
		return nil, err
	}
	return &pixels{image, p.frames, p.delay, p.loop}, nil
}

func (p *pixels) close() {
	if p != nil {
		p.image.Close()
	}
}

// inMemory computes the pixels of image. Nothing but pixels comes through: EXIF, ICC profile, XMP and comments stay
// behind.
func inMemory(image *vips.ImageRef, frames int) (*pixels, error) {
	data, err := image.ToBytes()
	if err != nil {
		clearVipsError()
		return nil, err
	}
	copied, err := vips.NewImageFromMemory(data, image.Width(), image.Height(), image.Bands(), image.BandFormat(), image.Interpretation())
	if err != nil {
		return nil, err
	}
	return &pixels{image: copied, frames: frames}, nil
}

// scale returns image with every frame resampled to width × height, lazily.
//
// The kernel is Lanczos3, libvips's best and its default. Color channels are weighted by alpha on the way, so that
// invisible colors do not bleed into visible ones.
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
		err = frame.ResizeWithVScale(hScale, vScale, vips.KernelLanczos3)
	}
	if err != nil {
		frame.Close()
		return nil, err
	}
	return frame, nil
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
			return &Rejection{ClassUnsupported, fmt.Sprintf("its color space (%d bands) can't be converted to sRGB", image.Bands())}
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
	turned, err := inMemory(p.image, p.frames)
	if err != nil {
		return err
	}
	p.image.Close()
	p.image = turned.image
	return nil
}
