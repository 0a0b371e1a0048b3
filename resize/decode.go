package resize

import (
	"context"
	"fmt"
	"time"

	"github.com/davidbyttow/govips/v2/vips"
)

// readHeader opens the picture without decoding a pixel.
func readHeader(ctx context.Context, in *input, format Format) (*Source, error) {
	header, err := vips.LoadImageFromReader(in.again(), loadParams())
	if err != nil {
		return nil, in.blame(ctx, fmt.Sprintf("the header of the %s can't be read", format))
	}
	defer header.Close()

	s := &Source{
		Format: format, Width: header.Width(), Height: header.Height(), Frames: 1, Alpha: header.HasAlpha(),
		input: in, orientation: header.Orientation(),
	}
	if formats[format].animates {
		s.Frames = max(1, header.Pages())
	}
	if s.turned() {
		s.Width, s.Height = s.Height, s.Width
	}
	return s, nil
}

// turned tells whether the picture is stored lying on its side.
func (s *Source) turned() bool { return s.orientation >= 5 && s.orientation <= 8 }

// decode computes the pixels of the widest picture, in one pass from the first byte to the last.
func (s *Source) decode(ctx context.Context, p *picture) (*pixels, error) {
	s.Decode.Start = time.Now()
	defer func() { s.Decode.End = time.Now() }()

	damaged := fmt.Sprintf("the %s is damaged or cut short", s.Format)
	params := loadParams()
	shrink := s.loadShrink(p.width)
	params.JpegShrinkFactor.Set(shrink)
	params.WebpScaleFactor.Set(1 / float64(shrink))
	frames := s.Frames
	if !animates(p.formats) {
		frames = 1
	}
	if frames > 1 {
		params.NumPages.Set(-1)
		params.Access.Set(vips.AccessRandom) // the frames are resized one by one
	}
	stored, err := vips.LoadImageFromReader(s.input.last(ctx), params)
	if err != nil {
		return nil, s.input.blame(ctx, damaged)
	}
	defer stored.Close()

	width, height := p.width, p.height
	if s.turned() {
		width, height = height, width
	}
	image, err := scale(stored, frames, width, height)
	if err != nil {
		return nil, s.input.blame(ctx, damaged)
	}
	defer image.Close()
	defer context.AfterFunc(ctx, func() { image.SetKill(true) })()
	if err := toSRGB(image); err != nil {
		return nil, err
	}
	pixels, err := inMemory(image, frames)
	if frames > 1 && err == nil {
		pixels.loop = stored.Loop()
		pixels.delay, _ = stored.PageDelay() // a file without delays has the viewer's default
	}
	if err != nil || s.input.body.err != nil {
		pixels.close()
		return nil, s.input.blame(ctx, damaged)
	}
	if err := pixels.upright(s.orientation); err != nil {
		pixels.close()
		return nil, err
	}
	return pixels, nil
}

// loadShrink is the factor by which the decoder itself makes the picture smaller: the largest power of two that
// leaves at least width. libjpeg computes 1/2, 1/4 and 1/8 in the inverse DCT, for less than full size costs; libwebp
// averages as it decodes. (vips_thumbnail keeps a reserve of another factor of two, at the price of a larger decode.)
func (s *Source) loadShrink(width int) int {
	if s.Format != JPEG && (s.Format != WebP || s.Frames > 1) {
		return 1
	}
	shrink := 1
	for shrink < 8 && s.Width >= 2*shrink*width {
		shrink *= 2
	}
	return shrink
}

// loadParams are those of every load. Sequential access is what makes libvips decode lazily, row by row, as the
// resampler asks; failing on truncation, what keeps half a picture from passing as a whole one.
func loadParams() *vips.ImportParams {
	params := vips.NewImportParams()
	params.Access.Set(int(vips.AccessSequential))
	params.FailOnError.Set(true)
	return params
}

func animates(formatsWanted []Format) bool {
	for _, f := range formatsWanted {
		if formats[f].animates {
			return true
		}
	}
	return false
}
