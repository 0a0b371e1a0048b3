package resize

import (
	"bytes"
	"context"
	"errors"
	"image"

	"s3resizer/resize/internal/crop"
	"s3resizer/resize/internal/icc"
	"s3resizer/resize/internal/rejection"
	"s3resizer/resize/internal/vips"
)

// pixels is a picture in memory, without metadata: upright, sRGB or grey, 8 bits a channel. The frames of an animation stand
// one below the other.
type pixels struct {
	image *vips.Image
	space vips.Space // sRGB or grey
	// weighted says that the colors are weighted by alpha, as resampling needs them. image then takes alpha for a band like
	// any other.
	weighted bool
	frames   int
	delays   []int // milliseconds, one per frame
	loop     int   // how often an animation plays; 0 for ever
	few      bool  // the source is a PNG of few colors
}

func (p *pixels) view(ctx context.Context, v crop.View, background Color) (raster, error) {
	small := *p
	image := p.image.Copy()
	defer image.Close()
	if !p.weighted && image.HasAlpha() {
		if err := weight(image); err != nil {
			return nil, err
		}
		small.weighted = true
	}
	if err := show(image, p.frames, v); err != nil {
		return nil, err
	}
	if v.Pads() {
		if err := small.pad(image, v, background); err != nil {
			return nil, err
		}
	}
	var err error
	if small.image, err = computed(ctx, image); err != nil {
		return nil, errors.Join(err, context.Cause(ctx))
	}
	return &small, nil
}

// computed returns image, with its pixels computed, unless ctx ends first.
func computed(ctx context.Context, image *vips.Image) (*vips.Image, error) {
	inside := image.Copy()
	defer killAtEnd(ctx, image)()
	if err := inside.Compute(); err != nil {
		inside.Close()
		return nil, err
	}
	return inside, nil
}

// copy returns a picture that shares the pixels, and has to be closed, too.
func (p *pixels) copy() *pixels {
	own := *p
	own.image = p.image.Copy()
	return &own
}

// raw returns the picture for an encoder, with colors that are not weighted by alpha. It is valid until the picture is closed.
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

// unpremultiply divides each color by its alpha, which is the last of the bands. Where that is 0, the color stays.
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

// weight weights the colors of image by alpha. To libvips alpha is a band like any other afterwards, so that nothing weights
// the colors again.
func weight(image *vips.Image) error {
	if err := image.Premultiply(); err != nil {
		return err
	}
	return image.ForgetAlpha()
}

// killAtEnd stops the computation of image when ctx ends. release must be called before image is closed.
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

// scale resamples every frame of image to width × height. Colors that are not weighted by alpha yet are weighted before and
// restored after, so that invisible colors do not bleed into visible ones.
func scale(image *vips.Image, frames, width, height int) error {
	frameHeight := image.Height() / frames
	h, v := float64(width)/float64(image.Width()), float64(height)/float64(frameHeight)
	if h == 1 && v == 1 {
		return nil
	}
	// If all frames were resampled as one picture, each would bleed into the first rows of the next.
	return eachFrame(image, frames, func(frame *vips.Image) error { return scaleFrame(frame, h, v) })
}

// eachFrame changes every frame of image by itself.
func eachFrame(image *vips.Image, frames int, change func(frame *vips.Image) error) error {
	if frames == 1 {
		return change(image)
	}
	height := image.Height() / frames
	var strip []*vips.Image
	for i := range frames {
		frame := image.Copy()
		defer frame.Close()
		if err := frame.Cut(0, i*height, image.Width(), height); err != nil {
			return err
		}
		if err := change(frame); err != nil {
			return err
		}
		strip = append(strip, frame)
	}
	return image.Stack(strip)
}

// show leaves of image what v shows of its frames, without background.
func show(image *vips.Image, frames int, v crop.View) error {
	if err := scale(image, frames, v.Whole.X, v.Whole.Y); err != nil {
		return err
	}
	part := v.Picture()
	if part.IsWhole() {
		return nil
	}
	return eachFrame(image, frames, func(frame *vips.Image) error {
		return frame.Cut(part.Window.Min.X, part.Window.Min.Y, part.Width(), part.Height())
	})
}

// pad surrounds the frames of image, which is to be the picture's, with what v has around them: nothing where there is alpha.
func (p *pixels) pad(image *vips.Image, v crop.View, background Color) error {
	around := []float64{0, 0, 0, 0}[:image.Bands()]
	if !p.weighted {
		if p.space == vips.BW && !background.grey() {
			if err := image.Convert(vips.SRGB); err != nil {
				return err
			}
			p.space = vips.SRGB
		}
		around = []float64{float64(background.R), float64(background.G), float64(background.B)}[:image.Bands()]
	}
	return eachFrame(image, p.frames, func(frame *vips.Image) error {
		return frame.Pad(v.Picture().Window.Min.X-v.Window.Min.X, v.Picture().Window.Min.Y-v.Window.Min.Y, v.Width(), v.Height(), around)
	})
}

// salient looks at the first frame.
func (p *pixels) salient(rule Position, size image.Point) (image.Point, error) {
	p = p.copy()
	defer p.close()
	raw, err := p.raw()
	if err != nil {
		return image.Point{}, err
	}
	first := raw.FirstFrame()
	return salient(first.Samples, first.Width, first.Height, first.Bands, first.Space, rule, size)
}

func salient(samples []byte, width, height, bands int, space vips.Space, rule Position, size image.Point) (image.Point, error) {
	seen, err := vips.New(samples, width, height, bands, space)
	if err != nil {
		return image.Point{}, err
	}
	defer seen.Close()
	x, y, err := seen.Salient(map[Position]vips.Interest{Attention: vips.Attention, Entropy: vips.Entropy}[rule], size.X, size.Y)
	return image.Pt(x, y), err
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

// isSRGB reports whether toSRGB has nothing to do.
func isSRGB(image *vips.Image) bool {
	return (image.Space() == vips.SRGB || image.Space() == vips.BW) && image.SampleFormat() == vips.Bytes && !image.HasProfile()
}

// toSRGB converts image to what browsers take a picture without a profile for: sRGB, or grey with sRGB's curve, 8 bits a
// channel. It is called for the resampled picture, where that is cheap.
func toSRGB(image *vips.Image) error {
	target := vips.SRGB
	if image.Space() == vips.BW || image.Space() == vips.Grey16 {
		target = vips.BW
	}
	if target == vips.BW && icc.IsRGB(image.Profile()) {
		// It is for three channels, which are the same here; so what they become is grey again.
		if err := image.Convert(map[vips.SampleFormat]vips.Space{vips.Bytes: vips.SRGB, vips.Words: vips.RGB16}[image.SampleFormat()]); err != nil {
			return err
		}
	}
	if image.HasProfile() || image.Space() == vips.CMYK {
		_ = image.ApplyProfile() // browsers, too, ignore a profile that does not fit its picture
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

// upright turns and mirrors the picture as its EXIF orientation says.
func (p *pixels) upright(orientation int) error {
	if orientation < 2 || orientation > 8 {
		return nil
	}
	if err := p.image.Turn(orientation); err != nil {
		return err
	}
	return p.image.Compute()
}
