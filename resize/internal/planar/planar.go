// Package planar makes smaller JPEGs of a JPEG without its ever being RGB.
//
// A JPEG stores luma and, mostly smaller, two planes of chroma. [Open] reads its header, [Decoder.Decode] decodes it to
// these planes, at a load shrink, as its bytes arrive; [Planes.Resize] resamples each of them, and [Planes.Encode] writes
// them as a JPEG again. What an ordinary way through RGB does besides, namely to enlarge the chroma, convert the colors,
// resample three full channels, and undo all that, adds nothing to a picture, and takes more time than the rest but for
// the entropy decoding. libjpeg-turbo decodes and encodes, zimg resamples.
//
// It is for the common JPEG: 8 bits, Huffman codes, grey or YCbCr. All others are declined, as [ErrDeclined], and so is
// what would take too much memory: the planes are held whole. It knows nothing of color profiles, nor of EXIF, and it
// does not judge what is damaged: it stops at the first thing that libjpeg so much as warns of, with a [*Fault].
package planar

// #cgo pkg-config: libjpeg zimg
// #include "planar.h"
import "C"

import (
	"errors"
	"fmt"
)

// ErrDeclined tells that a JPEG is none for this package. What wraps it says why.
var ErrDeclined = errors.New("not a JPEG to be resized by planes")

// Fault is what libjpeg has met first of what should not be, an error or a warning.
type Fault struct {
	Code int // libjpeg's number of the message, of those in its jerror.h
	Row  int // of the stored picture, near which it was met; of a progressive picture, in the current scan
	Text string
}

func (f *Fault) Error() string { return fmt.Sprintf("libjpeg, at row %d: %s", f.Row, f.Text) }

// newFault is a [*Fault], or ErrMemory where the file is not to blame.
func newFault(f *C.Fault) error {
	if f.code == C.planar_no_memory {
		return ErrMemory
	}
	return &Fault{Code: int(f.code), Row: int(f.row), Text: C.GoString(&f.text[0])}
}

// ErrMemory is returned where there is no memory for the planes, or what they become.
var ErrMemory = errors.New("there is no memory for the planes")
