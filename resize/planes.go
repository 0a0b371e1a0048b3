package resize

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"slices"

	"go.n16f.net/thumbhash"

	"s3resizer/resize/internal/crop"
	"s3resizer/resize/internal/planar"
	"s3resizer/resize/internal/vips"
)

// A JPEG of the common kind does not go through libvips: it is decoded and resampled as the planes that it consists of, and
// encoded from them if it becomes a JPEG again. If its renditions have another format, or if it has a color profile, the
// first one is handed to libvips, and everything goes on from there.

// mostPlanes is the most that the planes of a picture may take, in bytes. They are held whole, at the load shrink: 7 MB for 9
// megapixels, 18 MB for 24. Of a picture that has more, because it is very tall or its renditions are very large, libvips
// holds only some rows.
const mostPlanes = 64 << 20

// openPlanes finds out whether the picture can be resized by its planes. If not, libvips takes it, or finds what is wrong.
func (s *Source) openPlanes() {
	if s.Format != JPEG {
		return
	}
	if lane, err := planar.Open(s.input.head.Bytes()); err == nil {
		s.lane = lane
	}
}

// byPlanes reports whether the picture is resized by its planes: if it can be, and does not take too much memory then.
func (s *Source) byPlanes(spec Spec, pictures []*picture) bool {
	if s.lane == nil || spec.NoPlanes {
		return false
	}
	planes, _, err := s.lane.Memory(s.loadShrink(pictures[0].Whole.X))
	return err == nil && planes <= mostPlanes && s.planesMemory(spec, pictures) <= s.maxMemory
}

// planesMemory is what Memory estimates for a picture that goes by its planes.
func (s *Source) planesMemory(spec Spec, pictures []*picture) int64 {
	planes, coefficients, _ := s.lane.Memory(s.loadShrink(pictures[0].Whole.X))
	renditions := s.renditionsMemory(pictures, 1) + s.turnedMemory(pictures[0], 1) // the first comes as planes, RGB, and libvips's
	if s.staysPlanes(pictures[0]) {
		renditions = s.planarRenditions(pictures)
	}
	return memoryOfEach + s.fileMemory() + planes + coefficients + s.resamplingMemory(pictures) +
		renditions + encodersMemory(spec, pictures, false, 1)
}

// resamplingMemory is what zimg takes, which counts where a side is very long: what it computes in advance of luma and chroma, some
// 130 bytes for each sample of their sides; and the rows of the first picture, in words, that become one of the least high.
func (s *Source) resamplingMemory(pictures []*picture) int64 {
	first, least := pictures[0], pictures[0].Whole.Y
	for _, p := range pictures {
		least = min(least, p.Whole.Y)
		if p.aim != Center {
			least = min(least, max(1, looked*first.Whole.Y/max(first.Whole.X, first.Whole.Y)))
		}
	}
	shrink, rows := s.loadShrink(first.Whole.X), min(first.Height(), 6*first.Whole.Y/least+16)
	return int64(200*(max(s.Width/shrink, first.Width())+max(s.Height/shrink, first.Height())) + 2*first.Width()*rows)
}

// planarRenditions is how many bytes the renditions take as planes, and the one of the placeholder as RGB.
func (s *Source) planarRenditions(pictures []*picture) int64 {
	var all int64
	for i, p := range pictures {
		samples := int64(p.Width()) * int64(p.Height())
		if p.Pads() { // once without, too
			samples *= 2
		}
		if !s.grey || p.Pads() {
			samples += samples / 2
		}
		if i == 0 && s.orientation > 1 {
			samples *= 2
		}
		all += samples
	}
	return all + narrowest(pictures).bytes(s, 1)
}

// staysPlanes reports whether the renditions are encoded from planes: all of them are JPEGs, and no profile is to be applied.
func (s *Source) staysPlanes(p *picture) bool {
	return s.profile == nil && !slices.ContainsFunc(p.formats, func(f Format) bool { return f != JPEG })
}

// decodePlanes decodes the picture and makes the first picture of it.
func (s *Source) decodePlanes(ctx context.Context, p *picture) (raster, error) {
	damaged := "the jpeg is damaged or cut short"
	file := s.input.last(ctx)
	if _, err := io.CopyN(io.Discard, file, int64(s.lane.Header)); err != nil {
		return nil, s.input.blame(ctx, damaged)
	}
	stored, err := s.lane.Decode(ctx, file, s.loadShrink(p.Whole.X))
	s.lane.Close() // a progressive picture has much in it
	s.lane = nil
	if errors.Is(err, planar.ErrMemory) {
		return nil, fmt.Errorf("decode: %w", err)
	}
	if err != nil {
		return nil, s.input.blame(ctx, damaged)
	}
	defer stored.Close()
	if s.input.body.err != nil || s.input.doubtful(false) {
		return nil, s.input.blame(ctx, damaged)
	}
	chroma := planar.Full
	if s.staysPlanes(p) {
		chroma = planar.Halved
	}
	first, err := stored.Resize(p.View, crop.Turns[s.orientation], chroma)
	if err != nil {
		return nil, fmt.Errorf("resize to %d × %d: %w", p.Width(), p.Height(), err)
	}
	if chroma == planar.Halved {
		return planes{first}, nil
	}
	defer first.Close()
	return s.pixelsOf(ctx, first)
}

// pixelsOf makes of planes what libvips goes on with.
func (s *Source) pixelsOf(ctx context.Context, p *planar.Planes) (raster, error) {
	bands, space := 3, vips.SRGB
	if p.Grey() {
		bands, space = 1, vips.BW
	}
	image, err := vips.New(p.RGB(), p.Width, p.Height, bands, space)
	if err != nil {
		return nil, err
	}
	if s.profile == nil {
		return &pixels{image: image, space: space, frames: 1}, nil
	}
	defer image.Close()
	image.SetProfile(s.profile)
	if err := toSRGB(image); err != nil {
		return nil, err
	}
	inside, err := computed(ctx, image)
	if err != nil {
		return nil, err
	}
	return &pixels{image: inside, space: image.Space(), frames: 1}, nil
}

// planes is a picture in memory that becomes JPEGs.
type planes struct{ *planar.Planes }

func (p planes) view(_ context.Context, v crop.View, background Color) (raster, error) {
	small, err := p.Resize(v.Picture(), crop.Turn{}, planar.Halved)
	if err != nil {
		return nil, err
	}
	if !v.Pads() {
		return planes{small}, nil
	}
	defer small.Close()
	padded, err := small.Pad(v.Picture().Window.Min.Sub(v.Window.Min), v.Window.Size(), [3]uint8{background.R, background.G, background.B})
	if err != nil {
		return nil, err
	}
	return planes{padded}, nil
}

func (p planes) salient(rule Position, size image.Point) (image.Point, error) {
	bands, space := 3, vips.SRGB
	if p.Grey() {
		bands, space = 1, vips.BW
	}
	return salient(p.RGB(), p.Width, p.Height, bands, space, rule, size)
}

func (p planes) encode(_ Format, spec Spec) ([]byte, error) { return p.Encode(spec.Quality.JPEG) }

func (p planes) placeholder(background Color) (hash []byte, dominant Color, err error) {
	bands := 3
	if p.Grey() {
		bands = 1
	}
	look := newLook(p.Width, p.Height)
	look.all(p.RGB(), bands, false)
	return thumbhash.EncodeImage(look.small()), look.dominant(background), nil
}

func (p planes) close() { p.Close() }
