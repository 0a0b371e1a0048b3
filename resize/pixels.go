package resize

import (
	"bytes"
	"context"
	"errors"

	"s3resizer/resize/internal/rejection"
	"s3resizer/resize/internal/vips"
)

// pixels is a picture in memory: upright sRGB or grey, 8 bits a channel, no metadata. The frames of an animation stand
// below each other.
type pixels struct {
	image *vips.Image
	space vips.Space // sRGB or grey
	// weighted says that the colors are weighted by alpha, as they are resampled; image does not know of its alpha then.
	weighted bool
	frames   int
	delays   []int // milliseconds, one per frame
	loop     int   // how often an animation plays; 0: for ever
}

// scaled makes a smaller picture.
func (p *pixels) scaled(ctx context.Context, width, height int) (*pixels, error) {
	small := *p
	image := p.image.Copy()
	defer image.Close()
	if !p.weighted && image.HasAlpha() {
		if err := weight(image); err != nil {
			return nil, err
		}
		small.weighted = true
	}
	if err := scale(image, p.frames, width, height); err != nil {
		return nil, err
	}
	var err error
	if small.image, err = computed(ctx, image); err != nil {
		return nil, errors.Join(err, context.Cause(ctx))
	}
	return &small, nil
}

// computed is image in memory, unless ctx ends first.
func computed(ctx context.Context, image *vips.Image) (*vips.Image, error) {
	inside := image.Copy()
	defer killAtEnd(ctx, image)()
	if err := inside.Compute(); err != nil {
		inside.Close()
		return nil, err
	}
	return inside, nil
}

// copy shares the pixels, and is closed by itself.
func (p *pixels) copy() *pixels {
	own := *p
	own.image = p.image.Copy()
	return &own
}

// raw is the picture for an encoder: its colors as they are, and alpha beside them. It is valid until the picture is
// closed.
func (p *pixels) raw() (vips.Raw, error) {
	raw, err := p.image.Raw()
	if err != nil {
		return raw, err
	}
	raw.Space, raw.Frames, raw.Delays, raw.Loop = p.space, p.frames, p.delays, p.loop
	if p.weighted {
		raw.Samples = bytes.Clone(raw.Samples)
		unpremultiply(raw.Samples, raw.Bands)
	}
	return raw, nil
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

// weight weights the colors of image by alpha, and makes alpha a band that is nothing special, so that nobody weights
// them again.
func weight(image *vips.Image) error {
	if err := image.Premultiply(); err != nil {
		return err
	}
	return image.ForgetAlpha()
}

// killAtEnd stops the computing of image when ctx ends. Call what it returns before image is closed.
func killAtEnd(ctx context.Context, image *vips.Image) (release func()) {
	killed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(killed)
		image.Kill()
	})
	return func() {
		if !stop() {
			<-killed
		}
	}
}

// scale resamples every frame of image to width × height. Colors that are not weighted by alpha yet are so on the way,
// and back, so that invisible ones do not bleed into visible ones.
func scale(image *vips.Image, frames, width, height int) error {
	frameHeight := image.Height() / frames
	h, v := float64(width)/float64(image.Width()), float64(height)/float64(frameHeight)
	if h == 1 && v == 1 {
		return nil
	}
	if frames == 1 {
		return scaleFrame(image, h, v)
	}
	// Resampled as one strip, each frame would bleed into the first rows of the next.
	var strip []*vips.Image
	for i := range frames {
		frame := image.Copy()
		defer frame.Close()
		if err := frame.Cut(i*frameHeight, image.Width(), frameHeight); err != nil {
			return err
		}
		if err := scaleFrame(frame, h, v); err != nil {
			return err
		}
		strip = append(strip, frame)
	}
	return image.Stack(strip)
}

func scaleFrame(frame *vips.Image, h, v float64) error {
	if !frame.HasAlpha() {
		return frame.Scale(h, v)
	}
	if err := frame.Premultiply(); err != nil {
		return err
	}
	if err := frame.Scale(h, v); err != nil {
		return err
	}
	return frame.Unpremultiply()
}

// isSRGB reports whether there is nothing for toSRGB to do.
func isSRGB(image *vips.Image) bool {
	return (image.Space() == vips.SRGB || image.Space() == vips.BW) && image.SampleFormat() == vips.Bytes && !image.HasProfile()
}

// toSRGB converts to what browsers assume of a picture without a profile: sRGB, or grey with its curve, 8 bits a channel.
// It works on the small picture, where it is cheap.
func toSRGB(image *vips.Image) error {
	target := vips.SRGB
	if image.Space() == vips.BW || image.Space() == vips.Grey16 {
		target = vips.BW
	}
	if image.HasProfile() || image.Space() == vips.CMYK {
		_ = image.ApplyProfile() // one that does not fit its picture is ignored, as browsers do
	}
	if image.Space() != target || image.SampleFormat() != vips.Bytes {
		if err := image.Convert(target); err != nil {
			return rejection.Unsupportedf("its color space (%d bands) can't be converted to sRGB", image.Bands())
		}
	}
	if image.SampleFormat() != vips.Bytes {
		return image.Cast(vips.Bytes)
	}
	return nil
}

// upright turns the picture as its EXIF orientation says.
func (p *pixels) upright(orientation int) error {
	if orientation < 2 || orientation > 8 {
		return nil
	}
	if err := p.image.Turn(orientation); err != nil {
		return err
	}
	return p.image.Compute()
}
