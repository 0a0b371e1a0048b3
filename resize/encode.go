package resize

import (
	"context"
	"fmt"
	"math"

	"s3resizer/resize/internal/animate"
	"s3resizer/resize/internal/credit"
	"s3resizer/resize/internal/planar"
	"s3resizer/resize/internal/vips"
)

// Quality is the encoders' quality, from 1 to 100, for each lossy format. Each codec has a scale of its own: an AVIF at 50
// looks about like a JPEG at 80.
type Quality struct{ JPEG, WebP, AVIF int }

// Effort is how hard the encoders search: more costs time and saves bytes, or improves the picture at the same bytes. The
// scales are the codecs' own, of which all take 1, the quickest here, to 6; AVIF's goes on to 9, GIF's to 10. JPEG and PNG
// have none.
type Effort struct{ WebP, AVIF, GIF int }

// encodeWith encodes a picture as soon as one of the slots is free, unless ctx ends first.
func encodeWith(ctx context.Context, slots chan struct{}, r raster, format Format, spec Spec) ([]byte, error) {
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	data, err := r.encode(format, spec)
	if err == nil && format == JPEG {
		data = credit.InJPEG(data, spec.exif)
	}
	return data, err
}

// encode returns the picture as a file. A format without animations gets the first frame.
func (p *pixels) encode(format Format, spec Spec) ([]byte, error) {
	p = p.copy()
	defer p.close()
	if format == JPEG {
		return p.encodeJPEG(spec)
	}
	raw, err := p.raw()
	if err != nil {
		return nil, err
	}
	raw.EXIF = spec.exif
	if !formats[format].animates {
		raw = raw.FirstFrame()
	}
	switch format {
	case PNG:
		data, err := encodePNG(raw)
		if err != nil || !p.few {
			return data, err
		}
		few, err := encodeFew(raw)
		if few != nil && len(few) < len(data) {
			return few, err
		}
		return data, err
	case WebP:
		return raw.WebP(spec.Quality.WebP, spec.Effort.WebP)
	case AVIF:
		return raw.AVIF(spec.Quality.AVIF, spec.Effort.AVIF)
	case GIF:
		if raw.Frames > 1 {
			return animate.GIF(raw, spec.Effort.GIF)
		}
		return raw.GIF(spec.Effort.GIF, 8, true)
	default:
		return nil, fmt.Errorf("%q is not an output format", format)
	}
}

// encodeJPEG lays the picture on the background, if it has alpha.
func (p *pixels) encodeJPEG(spec Spec) ([]byte, error) {
	raw, err := p.image.Raw()
	if err != nil {
		return nil, err
	}
	raw.Frames = p.frames
	raw = raw.FirstFrame()
	if raw.Bands == 2 || raw.Bands == 4 {
		raw = p.laidOn(spec.Background, raw)
	}
	return planar.Encode(raw.Samples, raw.Width, raw.Height, raw.Bands, spec.Quality.JPEG)
}

// laidOn returns a picture with alpha as RGB without.
func (p *pixels) laidOn(background Color, raw vips.Raw) vips.Raw {
	colors := raw.Bands - 1
	below := [3]uint32{uint32(background.R), uint32(background.G), uint32(background.B)}
	laid := make([]byte, 0, 3*raw.Width*raw.Height)
	for in := raw.Samples; len(in) >= raw.Bands; in = in[raw.Bands:] {
		alpha := uint32(in[colors])
		for i, b := range below {
			color := uint32(in[min(i, colors-1)])
			if !p.weighted {
				color *= alpha
			} else {
				color *= 255
			}
			laid = append(laid, byte(min(255, (color+b*(255-alpha)+127)/255)))
		}
	}
	raw.Samples, raw.Bands = laid, 3
	return raw
}

// pngCodings are the two that are worth trying. Predicting each sample from those above and before it makes a photo a quarter
// smaller. What is left repeats itself so little that a quick search will do: level 4 takes three times as long and gains 0
// to 8 %. Flat artwork, whose pixels do repeat themselves, gets larger by prediction.
var pngCodings = []struct {
	compression int
	filter      vips.Filter
}{{6, vips.FilterNone}, {2, vips.FilterAverage}}

// encodePNG tries the codings on a few rows in the middle, and takes the better one.
func encodePNG(raw vips.Raw) ([]byte, error) {
	rows := min(64, raw.Height)
	sample := raw.Rows((raw.Height-rows)/2, rows)
	best, least := pngCodings[0], math.MaxInt
	for _, coding := range pngCodings {
		data, err := sample.PNG(coding.compression, coding.filter)
		if err != nil {
			return nil, err
		}
		if len(data) < least {
			best, least = coding, len(data)
		}
	}
	return raw.PNG(best.compression, best.filter)
}
