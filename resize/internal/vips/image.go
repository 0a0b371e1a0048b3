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

// The spaces that are told apart.
const (
	SRGB   = vips.InterpretationSRGB
	BW     = vips.InterpretationBW
	Grey16 = vips.InterpretationGrey16
	CMYK   = vips.InterpretationCMYK
	LAB    = vips.InterpretationLAB
	LABS   = vips.InterpretationLABS
)

// SampleFormat is that of the samples of a picture.
type SampleFormat = vips.BandFormat

// The formats that are told apart.
const (
	Bytes  = vips.BandFormatUchar
	Words  = vips.BandFormatUshort
	Floats = vips.BandFormatFloat
)

// Image is a picture of libvips, most often one that is still to be computed. Its operations change it in place, and
// compute nothing; whatever goes wrong may be found when its pixels are asked for. It is for one goroutine at a time. Close
// it.
type Image struct{ c *C.VipsImage }

// open counts the pictures that are.
var open atomic.Int64

func own(c *C.VipsImage) *Image {
	open.Add(1)
	return &Image{c}
}

// New makes a picture of bytes, row by row, each pixel's samples side by side. It copies them.
func New(samples []byte, width, height, bands int, space Space) (*Image, error) {
	c := C.room_from_memory(unsafe.Pointer(unsafe.SliceData(samples)), C.size_t(len(samples)), C.int(width), C.int(height), C.int(bands))
	if c == nil {
		return nil, failure("take pixels")
	}
	c.Type = C.VipsInterpretation(space)
	return own(c), nil
}

// Close can be called more than once.
func (i *Image) Close() {
	if i.c != nil {
		C.g_object_unref(C.gpointer(i.c))
		i.c = nil
		open.Add(-1)
	}
}

// CloseWatched closes a picture that is not used anywhere any more, and reports whether its decoder has warned of anything.
func (i *Image) CloseWatched() (warned bool) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := C.room_warnings()
	i.Close()
	return C.room_warnings() != before
}

// Copy is the same picture, to be closed by itself.
func (i *Image) Copy() *Image {
	C.g_object_ref(C.gpointer(i.c))
	return own(i.c)
}

// Width is in pixels.
func (i *Image) Width() int { return int(i.c.Xsize) }

// Height is in pixels, of all frames together.
func (i *Image) Height() int { return int(i.c.Ysize) }

// Bands is how many samples a pixel has.
func (i *Image) Bands() int { return int(i.c.Bands) }

// Space is what they mean.
func (i *Image) Space() Space { return Space(i.c.Type) }

// SampleFormat is theirs.
func (i *Image) SampleFormat() SampleFormat { return SampleFormat(i.c.BandFmt) }

// HasAlpha reports whether the last band is alpha.
func (i *Image) HasAlpha() bool { return C.vips_image_hasalpha(i.c) != 0 }

// become applies an operation.
func (i *Image) become(what string, operation func(out **C.VipsImage) C.int) error {
	var out *C.VipsImage
	if operation(&out) != 0 {
		return failure(what)
	}
	C.g_object_unref(C.gpointer(i.c))
	i.c = out
	return nil
}

// Scale resamples with Lanczos3, libvips's best kernel and its default. Colors must be weighted by alpha.
func (i *Image) Scale(horizontally, vertically float64) error {
	return i.become("scale", func(out **C.VipsImage) C.int {
		return C.room_scaled(i.c, C.double(horizontally), C.double(vertically), out)
	})
}

// Premultiply weights the colors by alpha, rounded to the samples' format.
func (i *Image) Premultiply() error {
	return i.become("weight colors by alpha", func(out **C.VipsImage) C.int { return C.room_premultiplied(i.c, out) })
}

// Unpremultiply divides them by alpha.
func (i *Image) Unpremultiply() error {
	return i.become("divide colors by alpha", func(out **C.VipsImage) C.int { return C.room_unpremultiplied(i.c, i.c.BandFmt, out) })
}

// ForgetAlpha makes alpha a band like any other.
func (i *Image) ForgetAlpha() error {
	return i.become("forget alpha", func(out **C.VipsImage) C.int { return C.room_without_alpha(i.c, out) })
}

// Cut keeps so many columns from the left, and so many rows from top on.
func (i *Image) Cut(top, width, height int) error {
	return i.become("cut", func(out **C.VipsImage) C.int {
		return C.room_cut(i.c, C.int(top), C.int(width), C.int(height), out)
	})
}

// Extend repeats the last column and row until it has that width and height.
func (i *Image) Extend(width, height int) error {
	return i.become("extend", func(out **C.VipsImage) C.int { return C.room_extended(i.c, C.int(width), C.int(height), out) })
}

// Stack is pictures one below the other, in place of what it was.
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

// Cast changes the samples' format: what does not fit is cut off.
func (i *Image) Cast(to SampleFormat) error {
	return i.become("cast", func(out **C.VipsImage) C.int { return C.room_cast(i.c, C.VipsBandFormat(to), out) })
}

// Turn makes a picture upright that is stored with an orientation of EXIF's, 1 to 8.
func (i *Image) Turn(orientation int) error {
	return i.become("turn", func(out **C.VipsImage) C.int { return C.room_turned(i.c, C.int(orientation), out) })
}

// Compute computes the pixels, into memory. Nothing but pixels comes through: EXIF, ICC profile, XMP and comments stay
// behind.
//
// govips has that in two calls, ToBytes and NewImageFromMemory, which copy the pixels to Go and back: a tenth of the CPU
// time of a small photo goes into the pages of the copies.
func (i *Image) Compute() error {
	return i.become("compute the pixels", func(out **C.VipsImage) C.int {
		*out = C.room_computed(i.c)
		return failedIf(*out == nil)
	})
}

// Decode decodes all of a picture whose decoder has to do that at one go.
func (i *Image) Decode() error {
	if C.room_decode(i.c) != 0 {
		return failure("decode")
	}
	return nil
}

// Kill stops the computing of the picture, from any goroutine; it must not be closed meanwhile.
func (i *Image) Kill() { C.vips_image_set_kill(i.c, 1) }
