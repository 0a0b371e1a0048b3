// Package vips is the room of libvips: all of govips, and all C but what reads HEIC and what recodes planes, is here.
// Above it there are pictures ([Image]) with the few operations that a rendition takes, and encoders ([Raw]).
//
// # What govips does, and what it does not
//
// govips starts libvips, sets it up, counts its memory, names its color spaces and formats, and encodes: a picture in
// memory goes to it, and a file comes back.
//
// What leads from a file to that picture does not go through govips, for three reasons:
//
//   - A reader. Its VipsSourceCustom calls into Go for every 4 KB that a decoder asks for. The source here is a class of
//     its own that reads ahead.
//   - Options. It has none for a JPEG that is to be decoded whatever is wrong with it (unlimited), and none to weight
//     colors by alpha in bytes.
//   - Pixels. What it computes leaves C as a copy for Go, and goes back as another one. Here they are computed once, into
//     memory that Go looks at and libvips scales further.
//
// An [Image] holds a VipsImage itself, since govips exports no way to hand one over; docs/govips.md has what would do.
// No class of libvips is changed: what is missing is a class beside it, with a name of its own.
package vips

// #cgo pkg-config: vips
// #include "room.h"
import "C"

import (
	"fmt"

	"github.com/davidbyttow/govips/v2/vips"
)

// Start starts libvips, with the given number of threads for each picture that is being resampled. Call it once, before
// anything else in this package.
//
// All loaders but those of the formats that are read are switched off: SVG, PDF, ImageMagick's and libvips's own formats.
func Start(threads int) error {
	vips.LoggingSettings(func(string, vips.LogLevel, string) {}, vips.LogLevelError) // every failure is an error value
	// The operation cache would keep pictures alive that nobody asks for twice.
	if err := vips.Startup(&vips.Config{ConcurrencyLevel: threads}); err != nil {
		return fmt.Errorf("start libvips %s: %w", vips.Version, err)
	}
	C.room_start()
	C.room_block_loaders()
	for _, l := range loaders {
		l.use(func(operation *C.char) { C.room_allow(operation) })
	}
	return nil
}

// Version is that of libvips, as "8.18.7".
func Version() string { return vips.Version }

// OpenImages is how many pictures are open, those of govips among them.
func OpenImages() int64 { return open.Load() + vips.OpenImageRefs() }

// failure is an error of libvips, with its words: those of all threads, for they have one buffer. Nobody reads a meaning
// out of them.
func failure(what string) error {
	words := C.vips_error_buffer_copy()
	defer C.g_free(C.gpointer(words))
	return fmt.Errorf("%s: libvips: %q", what, C.GoString(words))
}
