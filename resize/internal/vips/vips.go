// Package vips is the only one that knows libvips: all use of govips is here, and all C code but that for HEIC and for planes.
// To the packages above, it offers pictures ([Image]), with the few operations that a rendition takes, and encoders ([Raw]).
//
// # What govips is used for
//
// govips starts libvips and sets it up, counts its memory, and has names for its color spaces and formats. It encodes, too: it
// is given a picture in memory, and returns a file.
//
// What leads from a file to that picture does not go through govips, for three reasons:
//
//   - Reading. The VipsSourceCustom that govips uses calls into Go for every 4 KB that a decoder asks for. The source here is
//     a class of its own, which reads ahead.
//   - Options. govips has none to decode a JPEG whatever is wrong with it (unlimited), and none to weight colors by alpha in
//     bytes.
//   - Pixels. govips copies what it has computed from C to Go, and back again. Here, pixels are computed into memory that Go
//     can look at, and from which libvips goes on.
//
// An [Image] holds a VipsImage itself, since govips exports no way to hand one over; docs/govips.md says what it would take. No
// class of libvips is changed: what it lacks is a class of its own, with its own name.
package vips

// #cgo pkg-config: vips
// #include "room.h"
import "C"

import (
	"fmt"

	"github.com/davidbyttow/govips/v2/vips"
)

// Start starts libvips, with the given number of threads for each picture that is being resampled. It must be called once,
// before anything else in this package.
//
// It switches off all loaders but those of the formats that are read: SVG, PDF, ImageMagick's, libvips's own formats.
func Start(threads int) error {
	vips.LoggingSettings(func(string, vips.LogLevel, string) {}, vips.LogLevelError) // every failure is an error value
	// The operation cache would keep pictures that nobody asks for twice.
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

// Version returns the version of libvips, such as "8.18.7".
func Version() string { return vips.Version }

// OpenImages returns how many pictures are open, with those of govips.
func OpenImages() int64 { return open.Load() + vips.OpenImageRefs() }

// failure returns an error for what libvips failed to do, with its messages. They are for people only: all threads share one
// buffer, so they may be about something else.
func failure(what string) error {
	words := C.vips_error_buffer_copy()
	defer C.g_free(C.gpointer(words))
	return fmt.Errorf("%s: libvips: %q", what, C.GoString(words))
}
