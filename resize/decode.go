package resize

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"s3resizer/resize/internal/crop"
	"s3resizer/resize/internal/exif"
	"s3resizer/resize/internal/icc"
	"s3resizer/resize/internal/isobmff"
	"s3resizer/resize/internal/rejection"
	"s3resizer/resize/internal/vips"
)

// readHeader reads the header of the picture, and decodes no pixel.
func readHeader(ctx context.Context, in *input, format Format) (*Source, error) {
	header, err := in.load(in.again(), vips.Loading{})
	if err == nil {
		defer header.Close()
	}
	if err != nil && format == TIFF { // its structure was looked at
		return nil, rejection.Unsupportedf("%s is not read by libvips %s", in.layout.tiff.Kind(), vips.Version())
	}
	if err != nil {
		return nil, in.blame(ctx, fmt.Sprintf("the header of the %s can't be read", format))
	}

	s := &Source{
		Format: format, Width: header.Width(), Height: header.Height(), Frames: 1, Alpha: header.HasAlpha(),
		Unread: in.layout.unread, input: in, orientation: orientation(header, format),
	}
	s.measure(header)
	if formats[format].animates {
		s.Frames = max(1, header.Pages()-in.layout.hidden)
	}
	if s.Frames > 1 {
		s.orientation = 1 // browsers show animations as they are stored
	}
	if !rangeKnown(header.SampleFormat(), header.Space()) {
		return nil, rejection.Unsupportedf("its samples are neither of 8 nor of 16 bits")
	}
	if s.turned() {
		s.Width, s.Height = s.Height, s.Width
	}
	if s.profile = in.profile(icc.Bounded(header.Profile())); icc.IsSRGB(s.profile) {
		s.profile = nil
	}
	return s, nil
}

// orientation returns how a picture is turned, 1 to 8, or 0 if it does not say so.
func orientation(header *vips.Image, format Format) int {
	switch format {
	case JPEG, PNG, WebP:
		return exif.Orientation(header.EXIF())
	default: // a TIFF has a tag of its own, and the loader of AVIF and HEIC has turned the picture
		return header.Orientation()
	}
}

// rangeKnown reports whether it is known which sample is black and which is white. For float samples it is not: there are
// files with samples from 0 to 1, from 0 to 255, and in physical units. The exception are color spaces that libvips itself
// decodes to floats.
func rangeKnown(format vips.SampleFormat, in vips.Space) bool {
	switch format {
	case vips.Bytes, vips.Words:
		return true
	default:
		return in == vips.LAB || in == vips.LABS
	}
}

// turned reports whether the picture is stored lying on its side.
func (s *Source) turned() bool { return s.orientation >= 5 && s.orientation <= 8 }

// decode computes the pixels of the first picture, in one pass from the first byte to the last, and returns when it did so.
// The error is errSuspect for a JPEG that may be damaged.
func (s *Source) decode(ctx context.Context, spec Spec, pictures []*picture) (first raster, took Span, err error) {
	took.Start = time.Now()
	if s.byPlanes(spec, pictures) {
		first, err = s.decodePlanes(ctx, pictures[0])
	} else {
		first, err = s.decodePixels(ctx, pictures[0])
	}
	took.End = time.Now()
	if err != nil {
		return nil, took, err
	}
	return first, took, nil
}

func (s *Source) decodePixels(ctx context.Context, p *picture) (raster, error) {
	shrink := s.loadShrink(p.Whole.X)
	frames := s.Frames
	if !animates(p.formats) {
		frames = 1
	}
	how := vips.Loading{Shrink: shrink, Frames: frames, Tolerant: s.input.examined}
	if s.Format == TIFF {
		if err := s.examineTIFF(ctx); err != nil {
			return nil, err
		}
	}
	if s.Format == AVIF {
		if err := s.examineTiles(ctx); err != nil {
			return nil, err
		}
	}
	stored, err := s.input.load(s.input.last(ctx), how)
	if err != nil {
		return nil, s.input.blame(ctx, s.input.damage())
	}
	defer stored.Close()
	if err := grey(stored, s.input.layout.colors); err != nil {
		return nil, err
	}
	stored.SetProfile(s.profile) // sRGB's own is none
	if s.Format == HEIC {
		// As a whole: it does not notice when ctx ends.
		if err := stored.Decode(); err != nil {
			return nil, s.input.blame(ctx, s.input.damage())
		}
	}
	if s.Format == JPEG && shrink > 1 {
		// Little is left to resample. A second thread would mostly wait for rows, and take a tenth more CPU time.
		stored.SetThreads(1)
	}

	strip := s.strip(p.View)
	pixels, err := s.resampled(ctx, stored, shrink, frames, strip.Stored(crop.Turns[s.orientation]))
	if err == nil && frames > 1 {
		pixels.loop = stored.Loop()
		pixels.delays = stored.Delays()                                 // without them, the viewer's default applies
		pixels.delays = pixels.delays[:min(frames, len(pixels.delays))] // one of a hidden frame is none
		for i, ms := range pixels.delays {
			if ms <= 10 { // browsers play such a frame for 100 ms; libvips gives some of them 100 ms, and others none
				pixels.delays[i] = 100
			}
		}
	}
	warned := stored.CloseWatched()
	if err != nil || s.input.body.err != nil || s.input.doubtful(warned) {
		pixels.close()
		if rejection := (*Rejection)(nil); errors.As(err, &rejection) {
			return nil, err
		}
		return nil, s.input.blame(ctx, s.input.damage())
	}
	if err := pixels.upright(s.orientation); err != nil {
		pixels.close()
		return nil, err
	}
	if strip == p.View {
		return pixels, nil
	}
	defer pixels.close()
	return pixels.view(ctx, p.Of(strip), Color{})
}

// strip is what is computed for a view: of the stored picture all rows, so that the file is read to its end, and damage found
// wherever it is.
func (s *Source) strip(v crop.View) crop.View {
	if s.turned() {
		v.Window.Min.X, v.Window.Max.X = 0, v.Whole.X
	} else {
		v.Window.Min.Y, v.Window.Max.Y = 0, v.Whole.Y
	}
	return v
}

// examineTiles returns an error if a tile of an AVIF is not all there, or damaged: libheif leaves such a one out, and libvips has no
// option to tell it not to.
func (s *Source) examineTiles(ctx context.Context) error {
	for tile, err := range isobmff.Tiles(s.input.file) {
		if err != nil {
			return err
		}
		if err := context.Cause(ctx); err != nil {
			return fmt.Errorf("decode: %w", err)
		}
		image, err := vips.Load(bytes.NewReader(tile), vips.AVIF, vips.Loading{})
		if err == nil {
			err = image.Decode()
			image.Close()
		}
		if err != nil {
			return s.input.blame(ctx, "one of the tiles of the avif is damaged")
		}
	}
	return nil
}

// grey gives an AVIF without chroma one channel of color, as its profile has, and its full range. libvips makes three of it, and
// converts the range of pictures with chroma alone.
func grey(stored *vips.Image, colors isobmff.Colors) error {
	if !colors.Grey {
		return nil
	}
	if err := stored.FirstChannel(); err != nil {
		return err
	}
	if colors.Narrow {
		return stored.Widen()
	}
	return nil
}

// resampled pulls the rows of the stored picture through the resampler and into memory, but for what is cut off on its sides.
func (s *Source) resampled(ctx context.Context, stored *vips.Image, shrink, frames int, v crop.View) (*pixels, error) {
	// Colors that need no conversion stay weighted by alpha until they are encoded, since the other sizes are made from them.
	result, ready := stored.Copy(), isSRGB(stored)
	width, height := v.Whole.X, v.Whole.Y
	defer result.Close()
	keep := ready && s.Alpha && (width != stored.Width() || height*frames != stored.Height())
	if keep {
		if err := weight(result); err != nil {
			return nil, err
		}
	}
	var err error
	if s.Format == JPEG && shrink > 1 {
		err = s.scaleShrunk(result, shrink, width, height)
	} else {
		err = scale(result, frames, width, height)
	}
	if err != nil {
		return nil, err
	}
	if v.Width() < width {
		if err := result.Cut(v.Window.Min.X, 0, v.Width(), result.Height()); err != nil {
			return nil, err
		}
	}
	space := stored.Space()
	if !ready {
		if err := toSRGB(result); err != nil {
			return nil, err
		}
		space = result.Space()
	}
	inside, err := computed(ctx, result)
	if err != nil {
		return nil, err
	}
	return &pixels{image: inside, space: space, weighted: keep, frames: frames, few: s.input.layout.png.Few}, nil
}

// shrinkReserve is the factor that is left to the resampler, at least, after a load-time shrink. The inverse DCT cuts off
// frequencies more sharply than Lanczos does, and that shows if hardly any resampling follows. Measured on detailed pictures,
// against a full decode, both through the JPEG encoder: with 1.04 left, 1.4 dB are lost; with 1.15, 0.9 dB; with 1.3, 0.5 dB.
const shrinkReserve = 1.3

// loadShrink returns the factor by which the decoder itself makes the picture smaller: the largest power of two, up to 8, that
// leaves shrinkReserve times the width, and something of the height. libjpeg computes 1/2, 1/4 and 1/8 in the inverse DCT,
// which costs less than full size; libwebp averages as it decodes. (vips_thumbnail keeps a reserve of 2, sharp one of 1.5 for
// the first halving.)
func (s *Source) loadShrink(width int) int {
	if s.Format != JPEG && (s.Format != WebP || s.Frames > 1) {
		return 1
	}
	shrink := 1
	for shrink < 8 && min(s.Width, s.Height) >= 2*shrink && float64(s.Width) >= shrinkReserve*float64(2*shrink*width) {
		shrink *= 2
	}
	return shrink
}

// scaleShrunk resamples a JPEG that was loaded at 1/shrink.
//
// Such a picture is ⌊stored/shrink⌋ pixels wide: the fraction of a pixel that is left over is dropped. If it were stretched to
// the target, it would be off by up to that fraction at its far edge, which costs several dB. So its edge pixels are repeated
// until the right scale gives a whole number of pixels, and what is too much is cut off again.
func (s *Source) scaleShrunk(loaded *vips.Image, shrink, width, height int) error {
	storedWidth, storedHeight := s.Width, s.Height
	if s.turned() {
		storedWidth, storedHeight = storedHeight, storedWidth
	}
	padX, outX := wholePixels(loaded.Width(), float64(width*shrink)/float64(storedWidth), width)
	padY, outY := wholePixels(loaded.Height(), float64(height*shrink)/float64(storedHeight), height)
	if padX > 0 || padY > 0 {
		if err := loaded.Extend(loaded.Width()+padX, loaded.Height()+padY); err != nil {
			return err
		}
	}
	if err := scale(loaded, 1, outX, outY); err != nil {
		return err
	}
	if outX != width || outY != height {
		return loaded.Cut(0, 0, width, height)
	}
	return nil
}

// wholePixels returns by how many pixels a side must be made longer for its scaled length to be very nearly a whole number, not
// less than target; and that number.
func wholePixels(length int, scale float64, target int) (pad, out int) {
	const most = 32 // pixels; enough to get within 0.03 of a whole number
	least := math.Inf(1)
	for p := range most {
		scaled := float64(length+p) * scale
		whole := math.Round(scaled)
		if rest := math.Abs(scaled - whole); int(whole) >= target && rest < least-1e-9 {
			pad, out, least = p, int(whole), rest
		}
		if least < 0.02 {
			break
		}
	}
	return pad, out
}

func animates(formatsWanted []Format) bool {
	for _, f := range formatsWanted {
		if formats[f].animates {
			return true
		}
	}
	return false
}
