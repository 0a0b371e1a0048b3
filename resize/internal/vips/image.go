package vips

// #include "room.h"
import "C"

import (
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/davidbyttow/govips/v2/vips"
)

// Space is what the samples of a picture mean.
type Space = vips.Interpretation

// The spaces that make a difference here.
const (
	SRGB   = vips.InterpretationSRGB
	BW     = vips.InterpretationBW
	RGB16  = vips.InterpretationRGB16
	Grey16 = vips.InterpretationGrey16
	CMYK   = vips.InterpretationCMYK
	LAB    = vips.InterpretationLAB
	LABS   = vips.InterpretationLABS
)

// SampleFormat is the format of a picture's samples.
type SampleFormat = vips.BandFormat

// The formats that make a difference here.
const (
	Bytes  = vips.BandFormatUchar
	Words  = vips.BandFormatUshort
	Floats = vips.BandFormatFloat
)

// Image is a picture of libvips, most often one that is still to be computed. Its operations change it in place and compute
// nothing, so an error may show up only when its pixels are asked for. It may be used by one goroutine at a time, and must be
// closed.
type Image struct{ c *C.VipsImage }

// open counts the pictures that are open.
var open atomic.Int64

func own(c *C.VipsImage) *Image {
	open.Add(1)
	return &Image{c}
}

// New returns a picture of samples of 8 bits, which it copies: row by row, the samples of each pixel side by side.
func New(samples []byte, width, height, bands int, space Space) (*Image, error) {
	c := C.room_from_memory(unsafe.Pointer(unsafe.SliceData(samples)), C.size_t(len(samples)), C.int(width), C.int(height), C.int(bands))
	if c == nil {
		return nil, failure("take pixels")
	}
	c.Type = C.VipsInterpretation(space)
	return own(c), nil
}

// Close closes the picture. It may be called more than once.
func (i *Image) Close() {
	if i.c != nil {
		C.g_object_unref(C.gpointer(i.c))
		i.c = nil
		open.Add(-1)
	}
}

// CloseWatched closes a picture that nothing else uses, and reports whether its decoder has warned of anything.
func (i *Image) CloseWatched() (warned bool) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := C.room_warnings()
	i.Close()
	return C.room_warnings() != before
}

// Copy returns the same picture once more; both have to be closed.
func (i *Image) Copy() *Image {
	C.g_object_ref(C.gpointer(i.c))
	return own(i.c)
}

// Width returns the width in pixels.
func (i *Image) Width() int { return int(i.c.Xsize) }

// Height returns the height in pixels, of all frames together.
func (i *Image) Height() int { return int(i.c.Ysize) }

// Bands returns how many samples a pixel has.
func (i *Image) Bands() int { return int(i.c.Bands) }

// Space returns what the samples mean.
func (i *Image) Space() Space { return Space(i.c.Type) }

// SampleFormat returns the format of the samples.
func (i *Image) SampleFormat() SampleFormat { return SampleFormat(i.c.BandFmt) }

// HasAlpha reports whether the last band is alpha.
func (i *Image) HasAlpha() bool { return C.vips_image_hasalpha(i.c) != 0 }

// become replaces the picture by the result of an operation.
func (i *Image) become(what string, operation func(out **C.VipsImage) C.int) error {
	var out *C.VipsImage
	if operation(&out) != 0 {
		return failure(what)
	}
	C.g_object_unref(C.gpointer(i.c))
	i.c = out
	return nil
}

// Scale resamples with Lanczos3, which is libvips's best kernel and its default. Colors must be weighted by alpha.
func (i *Image) Scale(horizontally, vertically float64) error {
	return i.become("scale", func(out **C.VipsImage) C.int {
		return C.room_scaled(i.c, C.double(horizontally), C.double(vertically), out)
	})
}

// Premultiply weights the colors by alpha, and rounds them to the format of the samples.
func (i *Image) Premultiply() error {
	return i.become("weight colors by alpha", func(out **C.VipsImage) C.int { return C.room_premultiplied(i.c, out) })
}

// Unpremultiply divides the colors by alpha.
func (i *Image) Unpremultiply() error {
	return i.become("divide colors by alpha", func(out **C.VipsImage) C.int { return C.room_unpremultiplied(i.c, i.c.BandFmt, out) })
}

// ForgetAlpha makes alpha a band like any other.
func (i *Image) ForgetAlpha() error {
	return i.become("forget alpha", func(out **C.VipsImage) C.int { return C.room_without_alpha(i.c, out) })
}

// Cut keeps width columns from left on, and height rows from top on.
func (i *Image) Cut(left, top, width, height int) error {
	return i.become("cut", func(out **C.VipsImage) C.int {
		return C.room_cut(i.c, C.int(left), C.int(top), C.int(width), C.int(height), out)
	})
}

// Pad makes a picture of width × height pixels of one color, a sample a band, with this one in it from left and top on.
func (i *Image) Pad(left, top, width, height int, color []float64) error {
	return i.become("pad", func(out **C.VipsImage) C.int {
		return C.room_padded(i.c, C.int(left), C.int(top), C.int(width), C.int(height), (*C.double)(unsafe.SliceData(color)), C.int(len(color)), out)
	})
}

// Interest is a rule by which a part of a picture is found that catches the eye.
type Interest = vips.Interesting

// The rules of vips_smartcrop.
const (
	Attention = vips.InterestingAttention
	Entropy   = vips.InterestingEntropy
)

// Salient returns the left and the top of the part of width × height pixels that catches the eye.
func (i *Image) Salient(rule Interest, width, height int) (left, top int, err error) {
	var x, y C.int
	if C.room_salient(i.c, C.VipsInteresting(rule), C.int(width), C.int(height), &x, &y) != 0 {
		return 0, 0, failure("look for what catches the eye")
	}
	return int(x), int(y), nil
}

// Extend repeats the last column and row until the picture has the given width and height.
func (i *Image) Extend(width, height int) error {
	return i.become("extend", func(out **C.VipsImage) C.int { return C.room_extended(i.c, C.int(width), C.int(height), out) })
}

// Stack replaces the picture by others, one below the other.
func (i *Image) Stack(parts []*Image) error {
	var all []*C.VipsImage
	for _, part := range parts {
		all = append(all, part.c)
	}
	return i.become("stack", func(out **C.VipsImage) C.int { return C.room_stacked(&all[0], C.int(len(all)), out) })
}

// Convert changes the color space.
func (i *Image) Convert(space Space) error {
	return i.become("convert", func(out **C.VipsImage) C.int { return C.room_converted(i.c, C.VipsInterpretation(space), out) })
}

// FirstChannel makes a picture grey that has the same level in all of its channels but alpha.
func (i *Image) FirstChannel() error {
	return i.become("make grey", func(out **C.VipsImage) C.int { return C.room_first_channel(i.c, out) })
}

// Widen brings a picture whose levels go from 16 to 235, of 255 or as much of 65535, to full range; its alpha has that.
func (i *Image) Widen() error {
	return i.become("widen the range", func(out **C.VipsImage) C.int { return C.room_widened(i.c, out) })
}

// Cast changes the format of the samples. What does not fit is cut off.
func (i *Image) Cast(to SampleFormat) error {
	return i.become("cast", func(out **C.VipsImage) C.int { return C.room_cast(i.c, C.VipsBandFormat(to), out) })
}

// Turn makes a picture upright that is stored in an EXIF orientation, 1 to 8.
func (i *Image) Turn(orientation int) error {
	return i.become("turn", func(out **C.VipsImage) C.int { return C.room_turned(i.c, C.int(orientation), out) })
}

// Compute computes the pixels into memory, and drops all else: EXIF, ICC profile, XMP and comments.
//
// With govips, that would take two calls, ToBytes and NewImageFromMemory, which copy the pixels to Go and back. For a small
// photo, the pages of these copies take a tenth of the CPU time.
func (i *Image) Compute() error {
	return i.become("compute the pixels", func(out **C.VipsImage) C.int {
		*out = C.room_computed(i.c)
		return failedIf(*out == nil)
	})
}

// Decode decodes a picture whose decoder decodes only as a whole.
func (i *Image) Decode() error {
	if C.room_decode(i.c) != 0 {
		return failure("decode")
	}
	return nil
}

// Drain computes all pixels, and keeps none.
func (i *Image) Drain() error {
	if C.room_drained(i.c) != 0 {
		return failure("compute the pixels")
	}
	return nil
}

// Keep keeps the first bands.
func (i *Image) Keep(bands int) error {
	return i.become("leave bands out", func(out **C.VipsImage) C.int { return C.room_first_bands(i.c, C.int(bands), out) })
}

// Recombine computes new bands, one for each row of factors: the sum of the bands, each times its factor, and of what is to be
// added, rounded to the format of the samples. Bands beyond those stay.
func (i *Image) Recombine(rows [][]float64, add []float64) error {
	bands := i.Bands()
	matrix, sum := make([]C.double, bands*bands), make([]C.double, bands)
	for to := range bands {
		sum[to] = 0.5 // a cast cuts off
		if to >= len(rows) {
			matrix[to*bands+to] = 1
			continue
		}
		sum[to] += C.double(add[to])
		for from, factor := range rows[to] {
			matrix[to*bands+from] = C.double(factor)
		}
	}
	return i.become("recombine bands", func(out **C.VipsImage) C.int { return C.room_recombined(i.c, &matrix[0], &sum[0], out) })
}

// Kill stops the computation of the picture. Any goroutine may call it, as long as the picture is not closed.
func (i *Image) Kill() { C.vips_image_set_kill(i.c, 1) }
