package resize

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/davidbyttow/govips/v2/vips"
)

// Quality is the encoders' quality, 1–100, for each lossy format. The scales are the codecs' own: an AVIF at 50 looks
// about like a JPEG at 80.
type Quality struct{ JPEG, WebP, AVIF int }

// Effort is how hard the encoders search: more costs time and saves bytes, or improves the picture at the same bytes. The
// scales are the codecs' own, of which all take 1, the quickest here, to 6; AVIF's goes on to 9, GIF's to 10. JPEG and PNG
// have none.
type Effort struct{ WebP, AVIF, GIF int }

// encodeUntil encodes, in one of the slots and on a copy of its own, unless ctx ends first.
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
	return until(ctx, func() ([]byte, error) {
		defer func() { <-slots }()
		defer own.close()
		return own.encode(format, spec)
	})
}

// until returns what work does, unless ctx ends first. A codec can't be stopped, and AV1's encoder takes seconds: one that
// is left behind ends by itself.
func until[T any](ctx context.Context, work func() (T, error)) (T, error) {
	type outcome struct {
		result T
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		result, err := work()
		done <- outcome{result, err}
	}()
	select {
	case o := <-done:
		return o.result, o.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// encode returns the picture as a file.
func (p *pixels) encode(format Format, spec Spec) ([]byte, error) {
	image, err := p.straight()
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
		data, err = exportJPEG(image, spec.Quality.JPEG)
	case PNG:
		data, err = exportPNG(image)
	case WebP:
		data, _, err = image.ExportWebp(&vips.WebpExportParams{Quality: spec.Quality.WebP, ReductionEffort: spec.Effort.WebP, StripMetadata: true})
	case AVIF:
		data, _, err = image.ExportAvif(&vips.AvifExportParams{Quality: spec.Quality.AVIF, Bitdepth: 8, Effort: spec.Effort.AVIF, StripMetadata: true})
	case GIF:
		data, _, err = image.ExportGIF(&vips.GifExportParams{Dither: 1, Effort: spec.Effort.GIF, Bitdepth: 8})
	default:
		return nil, fmt.Errorf("%q is not an output format", format)
	}
	return data, err
}

// exportJPEG halves the chroma in both directions, as sharp does unless it is told otherwise.
func exportJPEG(image *vips.ImageRef, quality int) ([]byte, error) {
	data, _, err := image.ExportJpeg(&vips.JpegExportParams{Quality: quality, SubsampleMode: vips.VipsForeignSubsampleOn, StripMetadata: true})
	if err != nil || 8*float64(len(data)-jpegHeader) > tunedBelow*float64(image.Width())*float64(image.Height()) {
		return data, err
	}
	if own, err := withOwnTables(data); err == nil {
		return own, nil
	}
	return data, nil // whole as it is: a libjpeg that codes in another way than the one that is pinned
}

const (
	// tunedBelow is where Huffman tables of the picture's own stop to pay, in bits a pixel: their time goes by the codes,
	// and what they save gets less. Measured: 1.0 bits, 7 % smaller; 1.1, 5 %; 1.55, 2 %; 1.6, 1.4 %.
	tunedBelow = 1.5
	// jpegHeader is about what a JPEG without metadata has before its pixels, with the standard Huffman tables; in bytes.
	jpegHeader = 623
)

// middle cuts some rows out of the middle of a picture: enough to tell how it will code.
func middle(image *vips.ImageRef) (*vips.ImageRef, error) {
	rows := min(64, image.Height())
	sample, err := image.Copy()
	if err != nil {
		return nil, err
	}
	if err := sample.ExtractArea(0, (sample.Height()-rows)/2, sample.Width(), rows); err != nil {
		sample.Close()
		return nil, err
	}
	return sample, nil
}

// pngCodings are the two that are worth trying. Predicting each sample from the ones above and before it makes a photo a
// quarter smaller, and leaves so little to be found that a quick search does: level 4 takes three times as long and
// gains 0 to 8 %. Flat artwork, whose pixels repeat themselves, prediction makes larger.
var pngCodings = []vips.PngExportParams{
	{Filter: vips.PngFilterNone, Compression: 6, StripMetadata: true},
	{Filter: vips.PngFilterAvg, Compression: 2, StripMetadata: true},
}

// exportPNG tries the codings on a few rows and takes the better one.
func exportPNG(image *vips.ImageRef) ([]byte, error) {
	sample, err := middle(image)
	if err != nil {
		return nil, err
	}
	defer sample.Close()
	best, least := 0, math.MaxInt
	for i, coding := range pngCodings {
		data, _, err := sample.ExportPng(&coding)
		if err != nil {
			return nil, err
		}
		if len(data) < least {
			best, least = i, len(data)
		}
	}
	data, _, err := image.ExportPng(&pngCodings[best])
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
