package vips

// #include <stdlib.h>
// #include "room.h"
import "C"

import (
	"fmt"
	"io"
	"runtime/cgo"
	"unsafe"

	"github.com/davidbyttow/govips/v2/vips"
)

// Loader is the name of one of libvips's loaders, without the "load_source" at its end.
type Loader string

// The loaders of the formats that are read.
const (
	JPEG Loader = "jpeg"
	PNG  Loader = "png"
	WebP Loader = "webp"
	GIF  Loader = "gif"
	TIFF Loader = "tiff"
	AVIF Loader = "heif"
	HEIC Loader = "heic" // package heic's
)

// loaders are the loaders of libvips that may be used.
var loaders = []Loader{JPEG, PNG, WebP, GIF, TIFF, AVIF}

// Has reports whether libvips has the loader. libvips must have been started.
func Has(l Loader) (has bool) {
	l.use(func(operation *C.char) { has = C.room_has(operation) != 0 })
	return has
}

// use calls f with the name of the loader that reads from a source.
func (l Loader) use(f func(operation *C.char)) {
	operation := C.CString(string(l) + "load_source")
	defer C.free(unsafe.Pointer(operation))
	f(operation)
}

// Loading says how a file is loaded. The zero value loads the first frame at full size, and fails if the file is cut short, or
// if a TIFF can't be decoded.
type Loading struct {
	Shrink   int  // by how much the decoder makes the picture smaller: 2, 4 or 8; for JPEG and WebP only
	Frames   int  // if more than one, load so many frames, one below the other, into memory
	Tolerant bool // decode a JPEG whatever is wrong with it
	Strict   bool // fail at what a decoder only warns of; in strips of a TIFF, but not in tiles, at warnings of its fields, too
}

// options returns the options for libvips. With sequential access, it decodes lazily, row by row, as the resampler asks for
// rows. With fail_on=truncated, half a picture does not pass as a whole one; with a TIFF, that takes fail_on=error. (libvips
// before 8.17 fails at errors of a TIFF, and never at warnings.) A strip of a TIFF may be of more than 50 MB, libtiff's limit. A JPEG that is cut short causes a warning for each restart
// interval that is missing, and a loader that is not unlimited fails at the hundredth.
func (l Loading) options(loader Loader) string {
	options := "access=sequential,fail_on=truncated"
	switch {
	case l.Tolerant:
		options = "access=sequential,fail_on=none,unlimited=true"
	case l.Strict:
		options = "access=sequential,fail_on=warning"
	case loader == TIFF:
		options = "access=sequential,fail_on=error"
	}
	if loader == TIFF && (vips.MajorVersion > 8 || vips.MinorVersion >= 17) { // older ones always are
		options += ",unlimited=true"
	}
	if l.Shrink > 1 && loader == JPEG {
		options += fmt.Sprintf(",shrink=%d", l.Shrink)
	}
	if l.Shrink > 1 && loader == WebP {
		options += fmt.Sprintf(",scale=%g", 1/float64(l.Shrink))
	}
	if l.Frames > 1 {
		options += fmt.Sprintf(",n=%d", l.Frames)
	}
	return options
}

// Load reads the header of a picture, and later its pixels when they are asked for, from the first row to the last. r is read,
// by one goroutine at a time, until the picture is closed. If r has a method Seek, that may be called. Errors of r are not
// passed on, so r has to remember them.
func Load(r io.Reader, loader Loader, how Loading) (*Image, error) {
	source := C.room_source(C.uintptr_t(cgo.NewHandle(r)))
	if source == nil {
		return nil, failure("make a source")
	}
	defer C.g_object_unref(C.gpointer(source)) // the picture holds it, too
	name, options := C.CString(string(loader)+"load_source"), C.CString(how.options(loader))
	defer C.free(unsafe.Pointer(name))
	defer C.free(unsafe.Pointer(options))
	out := new(*C.VipsImage)
	if C.room_load(name, options, source, out) != 0 {
		return nil, failure(fmt.Sprintf("load a %s", loader))
	}
	image := own(*out)
	if how.Frames <= 1 {
		return image, nil
	}
	// Frames are resized one by one, so every row must be kept.
	if err := image.become("decode all frames", func(out **C.VipsImage) C.int {
		*out = C.vips_image_copy_memory(image.c)
		return failedIf(*out == nil)
	}); err != nil {
		image.Close()
		return nil, err
	}
	return image, nil
}

func failedIf(failed bool) C.int {
	if failed {
		return -1
	}
	return 0
}
