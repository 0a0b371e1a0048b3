package resize

import (
	"context"
	"errors"
	"fmt"

	"github.com/davidbyttow/govips/v2/vips"
)

// Quality is the encoders' quality, 1–100, for each lossy format. The scales are the codecs' own: an AVIF at 50 looks
// about like a JPEG at 80.
type Quality struct{ JPEG, WebP, AVIF int }

// encodeUntil encodes, in one of the slots, unless ctx ends first. An encoder can't be stopped, and AV1's takes seconds:
// one that is left behind ends by itself, on a copy of its own.
func (p *pixels) encodeUntil(ctx context.Context, slots chan struct{}, format Format, spec Spec) ([]byte, error) {
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	own, err := p.copy()
	if err != nil {
		<-slots
		return nil, err
	}
	type outcome struct {
		data []byte
		err  error
	}
	done := make(chan outcome, 1)
	go func() {
		data, err := own.encode(format, spec)
		own.close()
		<-slots
		done <- outcome{data, err}
	}()
	select {
	case o := <-done:
		return o.data, o.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// encode returns the picture as a file.
func (p *pixels) encode(format Format, spec Spec) ([]byte, error) {
	image, err := p.image.Copy()
	if err != nil {
		return nil, err
	}
	defer image.Close()
	if err := p.prepare(image, format, spec); err != nil {
		return nil, err
	}

	var data []byte
	switch format {
	case JPEG:
		data, _, err = image.ExportJpeg(&vips.JpegExportParams{
			Quality: spec.Quality.JPEG, SubsampleMode: vips.VipsForeignSubsampleOn, OptimizeCoding: true, StripMetadata: true,
		})
	case PNG:
		data, _, err = image.ExportPng(&vips.PngExportParams{Compression: 6, Filter: vips.PngFilterNone, StripMetadata: true})
	case WebP:
		data, _, err = image.ExportWebp(&vips.WebpExportParams{Quality: spec.Quality.WebP, ReductionEffort: 4, StripMetadata: true})
	case AVIF:
		data, _, err = image.ExportAvif(&vips.AvifExportParams{Quality: spec.Quality.AVIF, Bitdepth: 8, Effort: 4, StripMetadata: true})
	case GIF:
		data, _, err = image.ExportGIF(&vips.GifExportParams{Dither: 1, Effort: 7, Bitdepth: 8})
	default:
		return nil, fmt.Errorf("%q is not an output format", format)
	}
	return data, err
}

// prepare fits a picture to what the format can hold: frames, alpha.
func (p *pixels) prepare(image *vips.ImageRef, format Format, spec Spec) error {
	if p.frames > 1 {
		if !formats[format].animates {
			if err := image.ExtractArea(0, 0, image.Width(), image.Height()/p.frames); err != nil {
				return err
			}
		} else if err := p.setTiming(image); err != nil {
			return err
		}
	}
	if format == JPEG && image.HasAlpha() {
		return image.Flatten((*vips.Color)(&spec.Background))
	}
	return nil
}

// setTiming gives back to an animation what inMemory has put aside.
func (p *pixels) setTiming(image *vips.ImageRef) error {
	err := errors.Join(image.SetPageHeight(image.Height()/p.frames), image.SetLoop(p.loop))
	if err != nil || len(p.delay) == 0 {
		return err
	}
	return image.SetPageDelay(p.delay)
}
