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

// encode returns the picture as a file. The encoders can't be stopped; with ctx over, none is started.
func (p *pixels) encode(ctx context.Context, format Format, spec Spec) ([]byte, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
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
