// Package resize turns one picture into several smaller ones with libvips.
//
// The one idea: a picture is decoded once. [Open] reads its header and nothing else. [Source.Render] decodes it at the
// largest load-time shrink that the widest size allows, streams the rows through the resampler into one small picture
// in memory, and makes the other sizes from pictures that are already in memory, each resized and encoded while the
// others still are. The bytes are read as they arrive; where the format can be streamed (JPEG, PNG) neither the file
// nor the decoded original is ever held whole.
//
// It knows nothing of S3, of Lambda, of files or of names: bytes in, renditions out. libvips, and all C, is in rooms of
// its own below this package, vips and heic; no cgo type appears in what any of them exports.
package resize

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"s3resizer/resize/internal/heic"
	"s3resizer/resize/internal/rejection"
	"s3resizer/resize/internal/vips"
)

// Startup starts libvips, with the given number of threads for each picture that is being resampled. Call it once, before
// anything else in this package.
func Startup(threads int) error {
	if err := vips.Start(threads); err != nil {
		return err
	}
	heic.Start(threads)
	return nil
}

// Version is that of libvips, as "8.18.7".
func Version() string { return vips.Version() }

// Limits bound what is decoded. They are checked against the header, before any pixel is. The zero value lets nothing
// through.
type Limits struct {
	MaxPixels int64 // width × height × frames, in pixels
	MaxFrames int   // frames of an animation, pages of a TIFF
	MaxMemory int64 // bytes that rendering the picture may take, by [Source.Memory]'s estimate
}

// Size is one of the widths wanted.
type Size struct {
	Name  string
	Width int // pixels of the upright picture; a narrower source keeps its own width
}

// Spec says what to make of a source: every size in every format.
type Spec struct {
	Sizes   []Size
	Formats []Format // [AsSource] stands for the format that [Source.Output] chooses
	Quality Quality
	Effort  Effort
	// Background is what shows through where a picture with alpha becomes a format without.
	Background Color
	// AcceptTruncated renders a JPEG that is cut short, if half of its rows are there; see [Source.Render].
	AcceptTruncated bool
	// Reopen opens the very same file once more, from its first byte, for a JPEG that has to be examined as a whole: one in
	// a thousand, say. Without it such a JPEG is rejected.
	Reopen func(context.Context) (io.ReadCloser, error)
}

// Color is an sRGB color, 0–255 a channel.
type Color struct{ R, G, B uint8 }

// Rendition is one finished, encoded picture.
type Rendition struct {
	Size          string // the name of the size
	Format        Format
	Width, Height int // pixels of one frame
	Data          []byte
	Encode        Span // from the pixels of the source size in memory to Data
}

// Span is a stretch of time on the wall clock.
type Span struct{ Start, End time.Time }

// Summary is what was learnt of a source as it was rendered.
type Summary struct {
	// Decode is when the pixels were computed, from the first byte of them to the widest size in memory; it includes
	// waiting for bytes that were still on their way.
	Decode Span
	// Truncated says that the file ends before the picture does, and that what is missing is grey or coarse.
	Truncated bool
	// ThumbHash and Color are what a page can show until it has one of the renditions: a picture in some 25 bytes
	// (https://evanw.github.io/thumbhash/), and the dominant color, the mean of the pixels in the fullest of 16 × 16 × 16
	// bins, each counting by its alpha; spec.Background where nothing is visible. Of an animation, those of its first
	// frame.
	ThumbHash []byte
	Color     Color
}

// Source is a picture whose header was read and found acceptable. Close it.
type Source struct {
	Format        Format
	Width, Height int // pixels of one frame, upright: after the EXIF orientation is applied
	Frames        int // 1, or the number of frames of an animation
	Alpha         bool

	input       *input
	orientation int    // EXIF orientation, 1–8; the picture is stored turned
	profile     []byte // the ICC profile that the file stands for without having it, or nil
	pixelBytes  int64  // of a pixel as it is decoded
	deep        bool   // more than 8 bits a sample
	grey        bool
	maxMemory   int64
}

// Open reads the header of the picture in r: its format by magic bytes, its dimensions, frames and orientation.
//
// A picture that can't or won't be decoded is a [*Rejection]; an error of r itself is returned as it is, wrapped. A
// format that does not stream is read whole; if r has a method Len, as [bytes.Reader] does, into just as much memory.
// r is read from Open until Render returns, by one goroutine at a time; it must stay valid until then. The end of ctx
// ends the reading of the header, between two reads of r.
func Open(ctx context.Context, r io.Reader, limits Limits) (*Source, error) {
	heic.Limit(limits.MaxPixels)
	in, format, err := newInput(ctx, r, limits)
	if err != nil {
		return nil, err
	}
	source, err := readHeader(ctx, in, format)
	if err != nil {
		return nil, err
	}
	if err := source.check(limits); err != nil {
		return nil, err
	}
	return source, nil
}

func (s *Source) check(limits Limits) error {
	s.maxMemory = limits.MaxMemory
	if s.Frames > limits.MaxFrames {
		return rejection.TooLargef("an animation of %d frames; the limit is %d", s.Frames, limits.MaxFrames)
	}
	// Each factor fits 32 bits: the product of the first two can't overflow, and the division avoids the third.
	if int64(s.Width)*int64(s.Height) > limits.MaxPixels/int64(s.Frames) {
		return rejection.TooLargef("%d × %d pixels × %d frames; the limit is %d pixels", s.Width, s.Height, s.Frames, limits.MaxPixels)
	}
	return nil
}

// Fit returns the dimensions of the rendition of the given width: never wider than the source, the height
// round(Height × width / Width) and at least 1.
func (s *Source) Fit(width int) (w, h int) {
	w = min(width, s.Width)
	return w, max(1, int(math.Round(float64(s.Height)*float64(w)/float64(s.Width))))
}

// Render decodes the source and calls emit with each rendition the moment it is encoded, from several goroutines at
// once and in no particular order. It returns when every emit has. The first error, emit's included, ends the work.
//
// A picture that would take too much memory is a [*Rejection], before it is decoded. Corrupt pixels are one too, found
// before anything is emitted: the widest size is complete before any is encoded. An error of the reader given to Open, of
// spec.Reopen, or of ctx, is returned as it is, wrapped, whatever the decoder made of it. When ctx ends, Render returns at
// once; an encoder, which can't be stopped, may run on for a while. Render can be called once.
//
// A JPEG that the decoder is not sure of may be damaged, or merely odd: as it streams by, the two can't be told apart. It
// is read again then, by spec.Reopen, and held whole. Padding between segments, parameters that nobody heeds and other
// harmless oddities are passed over. A file that ends too soon is a [*Rejection] that says where, unless spec accepts it
// and half of its rows, at least, are there: each with all of its coefficients, though maybe not to their last bit if it is
// progressive. Anything else is one too.
func (s *Source) Render(ctx context.Context, spec Spec, emit func(Rendition) error) (Summary, error) {
	pictures, err := s.plan(spec)
	if err != nil {
		return Summary{}, err
	}
	defer closeAll(pictures)
	summary, err := s.decodeWidest(ctx, spec, pictures)
	if err != nil {
		return Summary{}, err
	}
	if err := s.renderAll(ctx, spec, pictures, emit, &summary); err != nil {
		return Summary{}, err
	}
	return summary, nil
}

// decodeWidest puts the widest of the pictures into memory, after a second look at the file if it takes one.
func (s *Source) decodeWidest(ctx context.Context, spec Spec, pictures []*picture) (summary Summary, err error) {
	if err := s.checkMemory(pictures); err != nil {
		return summary, err
	}
	widest := pictures[0]
	widest.pixels, summary.Decode, err = s.decode(ctx, widest)
	if !errors.Is(err, errSuspect) {
		return summary, err
	}
	if summary.Truncated, err = s.examine(ctx, spec); err != nil {
		return summary, err
	}
	if err := s.checkMemory(pictures); err != nil {
		return summary, err
	}
	widest.pixels, summary.Decode, err = s.decode(ctx, widest)
	return summary, err
}

// renderAll makes the other pictures of the widest one, and encodes all of them.
func (s *Source) renderAll(ctx context.Context, spec Spec, pictures []*picture, emit func(Rendition) error, summary *Summary) (err error) {
	caller := ctx
	group, ctx := errgroup.WithContext(ctx)
	encoders := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, picture := range pictures {
		start := time.Now()
		if i > 0 {
			picture.pixels, err = parent(pictures[:i], picture).scaled(ctx, picture.width, picture.height)
			if err != nil {
				group.Go(func() error { return fmt.Errorf("resize to %d × %d: %w", picture.width, picture.height, err) })
				break
			}
		}
		for _, format := range picture.formats {
			group.Go(func() error {
				data, err := picture.pixels.encodeUntil(caller, encoders, format, spec)
				if err != nil {
					return fmt.Errorf("encode %s: %w", format, err)
				}
				return picture.emit(Rendition{Format: format, Data: data, Encode: Span{start, time.Now()}}, emit)
			})
		}
		if i == len(pictures)-1 { // the smallest is there, the widest still being encoded: nothing waits for this
			group.Go(func() (err error) {
				summary.ThumbHash, summary.Color, err = placeholder(picture.pixels, spec.Background)
				return err
			})
		}
	}
	return group.Wait()
}

// Close releases what Open holds.
func (s *Source) Close() {
	s.input.close()
	vips.Trim()
}
