// Package resize turns one picture into several smaller ones with libvips.
//
// Its one idea is that a picture is decoded only once. [Open] reads its header and nothing else. [Source.Render] decodes it at
// the largest load-time shrink that the largest size allows, and streams the rows through the resampler into one small picture
// in memory. The other sizes are made from pictures that are already in memory, while the first ones are being encoded. Bytes
// are read as they arrive. For a format that can be streamed (JPEG, PNG), neither the file nor the decoded original is ever
// held as a whole.
//
// There are two ways. A JPEG of the common kind is decoded, resampled and encoded as the planes that it consists of, without
// ever being RGB: package planar, and planes.go here. Everything else goes through libvips.
//
// The package knows nothing of S3, Lambda, files or names: bytes go in, and renditions come out. libvips and all C code are in
// packages of their own below it, vips, planar and heic, and so is what reads each format's bytes without C. None of them
// exports a type of cgo.
package resize

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"s3resizer/resize/internal/heic"
	"s3resizer/resize/internal/planar"
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

// Limits are the limits of what is decoded. They are checked against the header, before any pixel is decoded. The zero value
// lets nothing through.
type Limits struct {
	MaxPixels int64 // width × height × frames, in pixels
	MaxFrames int   // frames of an animation, pages of a TIFF
	MaxMemory int64 // bytes that rendering the picture may take, by [Source.Memory]'s estimate
}

// Spec says what to make of a source: every size in every format.
type Spec struct {
	Sizes   []Size
	Formats []Format // those of [OutputFormats]
	Quality Quality
	Effort  Effort
	// Background is the color behind a picture with alpha that is written in a format without, and around one without alpha
	// that a box contains.
	Background Color
	// AcceptTruncated says that a JPEG that is cut short is to be rendered, if half of its rows are there: see
	// [Source.Render].
	AcceptTruncated bool
	// Credit says that renditions keep whose the picture is and who made it, and nothing else of what the file says of itself.
	Credit bool
	// NoPlanes sends every JPEG through libvips, too.
	NoPlanes bool

	exif []byte // the block that each rendition gets, or nil
}

// Color is an sRGB color, 0–255 a channel.
type Color struct{ R, G, B uint8 }

// Rendition is one finished, encoded picture. Its dimensions are those of [Source.Fit].
type Rendition struct {
	Size          string // the name of the size
	Format        Format
	Width, Height int // pixels of one frame
	Data          []byte
	Encode        Span // from the pixels of the source size in memory to Data
}

// Span is a stretch of time on the wall clock.
type Span struct{ Start, End time.Time }

// Summary is what is known of a source once it was rendered.
type Summary struct {
	// Decode is when the pixels were computed, from their first byte to the largest size in memory. It includes waiting for
	// bytes that were still on their way.
	Decode Span
	// Truncated says that the file ends before the picture does, and that what is missing is grey or coarse.
	Truncated bool
	// ThumbHash and Color are what a page can show until it has one of the renditions. ThumbHash is a picture in some 25
	// bytes (https://evanw.github.io/thumbhash/). Color is the dominant color: the mean of the pixels in the fullest of 16 ×
	// 16 × 16 bins, where a pixel counts by its alpha, or the background if nothing is visible. Of an animation, both are
	// those of the first frame.
	ThumbHash []byte
	Color     Color
}

// Source is a picture whose header was read and found acceptable. Close it.
type Source struct {
	Format        Format
	Width, Height int // pixels of one frame, upright: after the EXIF orientation is applied
	Frames        int // 1, or the number of frames of an animation
	Unread        int // frames of an APNG or of a sequence of AVIF, of which only the still picture is read; 0 for all else
	Alpha         bool

	caller      *caller
	input       *input
	lane        *planar.Decoder // of a JPEG that can be resized by its planes, or nil
	orientation int             // EXIF orientation of the stored picture, 1–8
	profile     []byte          // the ICC profile of the file, or the one that it stands for without; nil for sRGB
	bands       int64           // samples of a pixel as it is decoded
	pixelBytes  int64           // their bytes
	deep        bool            // more than 8 bits a sample
	grey        bool
	maxMemory   int64
}

// Reopener is a reader of a file that can be read once more.
type Reopener interface {
	io.Reader
	// Reopen opens the very same file again, from its first byte.
	Reopen(context.Context) (io.ReadCloser, error)
}

// Open reads the header of the picture in r: its format by its first bytes, its dimensions, frames and orientation.
//
// If the picture can't or won't be decoded, the error is a [*Rejection]. An error of r itself is returned wrapped. A file whose
// format does not stream is read whole; if r has a method Len, as [bytes.Reader] does, into just as much memory. r must stay
// valid until Render returns, and is read by one goroutine at a time. When ctx ends, Open returns after the current read of r, or
// [ErrLeftBehind] soon after that.
func Open(ctx context.Context, r io.Reader, limits Limits) (*Source, error) {
	heic.Limit(limits.MaxPixels)
	c := new(caller)
	return leave(ctx, c, func() (*Source, error) { return open(ctx, c, r, limits) }, (*Source).close)
}

func open(ctx context.Context, c *caller, r io.Reader, limits Limits) (*Source, error) {
	in, format, err := newInput(ctx, c, r, limits)
	if err != nil {
		return nil, err
	}
	source, err := readHeader(ctx, in, format)
	if err != nil {
		return nil, err
	}
	source.caller, source.maxMemory = c, limits.MaxMemory
	if err := limits.check(source.Width, source.Height, source.Frames); err != nil {
		return nil, err
	}
	source.openPlanes()
	return source, nil
}

// mostSide is the longest side that a picture may have, in pixels: as much as JPEG and GIF can say, WebP and cameras less. A
// longer one is not made for being looked at, and rows or columns by the million take time and memory that pixels don't tell
// of.
const mostSide = 65_535

// check returns a [*Rejection] if a picture of the given dimensions, in pixels, is too large, or has too many frames.
func (l Limits) check(width, height, frames int) error {
	if max(width, height) > mostSide {
		return rejection.TooLargef("%d × %d pixels; neither side may have more than %d", width, height, mostSide)
	}
	if frames > l.MaxFrames {
		return rejection.TooLargef("an animation of %d frames; the limit is %d", frames, l.MaxFrames)
	}
	// Each factor fits 32 bits: the product of the first two can't overflow, and the division avoids the third.
	if int64(width)*int64(height) > l.MaxPixels/int64(frames) {
		return rejection.TooLargef("%d × %d pixels × %d frames; the limit is %d pixels", width, height, frames, l.MaxPixels)
	}
	return nil
}

// Render decodes the source, and calls emit with each rendition as soon as it is encoded, from several goroutines at once
// and in no particular order. It returns when every call of emit has returned. The first error, of emit too, ends the work.
// Render can be called only once.
//
// The error is a [*Rejection] if the picture would take too much memory, which is found out before it is decoded, or if its
// pixels are corrupt, which is found out before anything is emitted: the largest size is complete before any is encoded. An
// error of the reader given to Open, of its second reading, or of ctx is returned wrapped, whatever the decoder made of it.
// When ctx ends, Render returns after the current read and the current calls of emit, or [ErrLeftBehind] soon after those.
//
// A JPEG that the decoder is not sure of may be damaged or merely odd; which of them can't be seen while it streams by.
// Such a file is read again, if the reader given to Open is a [Reopener], and held whole; if it is not, the file is
// rejected. Padding between segments, parameters that decoders ignore and other harmless oddities are passed over. For a
// file that ends too soon, the error is a [*Rejection] that says where, unless spec.AcceptTruncated is set and at least
// half of its rows are there, with all of their coefficients (in a progressive file, maybe not to the last bit). For any
// other damage, it is a [*Rejection], too.
func (s *Source) Render(ctx context.Context, spec Spec, emit func(Rendition) error) (Summary, error) {
	return leave(ctx, s.caller, func() (Summary, error) {
		return s.render(ctx, spec, func(r Rendition) error { return s.caller.with(func() error { return emit(r) }) })
	}, func(Summary) { s.close() })
}

func (s *Source) render(ctx context.Context, spec Spec, emit func(Rendition) error) (Summary, error) {
	pictures, err := s.plan(spec)
	if err != nil {
		return Summary{}, err
	}
	defer closeAll(pictures)
	if spec.Credit {
		spec.exif = s.input.credit().EXIF()
	}
	if err := s.checkAnimation(pictures); err != nil {
		return Summary{}, err
	}
	summary, err := s.decodeFirst(ctx, spec, pictures)
	if err != nil {
		return Summary{}, err
	}
	if err := place(ctx, pictures); err != nil {
		return Summary{}, err
	}
	if err := s.renderAll(ctx, spec, pictures, emit, &summary); err != nil {
		return Summary{}, err
	}
	return summary, nil
}

// decodeFirst computes the pixels of the first of the pictures, after a second look at the file if that is needed.
func (s *Source) decodeFirst(ctx context.Context, spec Spec, pictures []*picture) (summary Summary, err error) {
	if err := s.checkMemory(spec, pictures); err != nil {
		return summary, err
	}
	first := pictures[0]
	first.pixels, summary.Decode, err = s.decode(ctx, spec, pictures)
	if !errors.Is(err, errSuspect) {
		return summary, err
	}
	if summary.Truncated, err = s.examine(ctx, spec); err != nil {
		return summary, err
	}
	if err := s.checkMemory(spec, pictures); err != nil {
		return summary, err
	}
	first.pixels, summary.Decode, err = s.decode(ctx, spec, pictures)
	return summary, err
}

// renderAll makes the other pictures from the first one, and encodes all of them.
func (s *Source) renderAll(ctx context.Context, spec Spec, pictures []*picture, emit func(Rendition) error, summary *Summary) (err error) {
	group, ctx := errgroup.WithContext(ctx)
	encoders := make(chan struct{}, runtime.GOMAXPROCS(0))
	narrowest := narrowest(pictures)
	for i, picture := range pictures {
		start := time.Now()
		if i > 0 {
			from := parent(pictures[:i], picture)
			picture.pixels, err = from.pixels.view(ctx, picture.Of(from.View), spec.Background)
			if err != nil {
				group.Go(func() error { return fmt.Errorf("resize to %d × %d: %w", picture.Width(), picture.Height(), err) })
				break
			}
		}
		for format := range picture.sizes {
			group.Go(func() error {
				data, err := encodeWith(ctx, encoders, picture.pixels, format, spec)
				if err != nil {
					return fmt.Errorf("encode %s: %w", format, err)
				}
				return picture.emit(Rendition{Format: format, Data: data, Encode: Span{start, time.Now()}}, emit)
			})
		}
		if picture == narrowest { // nothing waits for this: the first is still being encoded
			group.Go(func() (err error) {
				summary.ThumbHash, summary.Color, err = picture.pixels.placeholder(spec.Background)
				return err
			})
		}
	}
	return group.Wait()
}

// Close releases what Open holds; where work was left behind, that does so.
func (s *Source) Close() {
	if !s.caller.isGone() {
		s.close()
	}
}

func (s *Source) close() {
	if s == nil {
		return
	}
	s.input.close()
	if s.lane != nil {
		s.lane.Close()
	}
	vips.Trim()
}
