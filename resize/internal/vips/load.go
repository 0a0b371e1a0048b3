package vips

// #include <stdlib.h>
// #include "room.h"
import "C"

import (
	"fmt"
	"io"
	"runtime/cgo"
	"unsafe"
)

// Loader is one of libvips's loaders, by its name without "load_source".
type Loader string

const (
	JPEG Loader = "jpeg"
	PNG  Loader = "png"
	WebP Loader = "webp"
	GIF  Loader = "gif"
	TIFF Loader = "tiff"
	AVIF Loader = "heif"
	HEIC Loader = "heic" // package heic's
)

// loaders are those of libvips that may be used.
var loaders = []Loader{JPEG, PNG, WebP, GIF, TIFF, AVIF}

// Has reports whether libvips has the loader, once it is started.
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

// Loading says how a file is loaded. The zero value loads the first frame at full size, and fails if the file is cut short.
type Loading struct {
	Shrink    int  // by how much the decoder makes it smaller: 2, 4 or 8, of JPEG and WebP alone
	AllFrames bool // one below the other, in memory
	Tolerant  bool // a JPEG is decoded whatever is wrong with it
}

// options are libvips's. Sequential access is what makes it decode lazily, row by row, as the resampler asks; failing on
// truncation, what keeps half a picture from passing as a whole one. A JPEG cut short has a warning for each restart
// interval that is missing, and a loader with limits fails at the hundredth.
func (l Loading) options(loader Loader) string {
	options := "access=sequential,fail_on=truncated"
	if l.Tolerant {
		options = "access=sequential,fail_on=none,unlimited=true"
	}
	if l.Shrink > 1 && loader == JPEG {
		options += fmt.Sprintf(",shrink=%d", l.Shrink)
	}
	if l.Shrink > 1 && loader == WebP {
		options += fmt.Sprintf(",scale=%g", 1/float64(l.Shrink))
	}
	if l.AllFrames {
		options += ",n=-1"
	}
	return options
}

// Load reads the header of a picture, and its pixels when they are asked for, from the first row to the last. r is read
// until the picture is closed, by one goroutine at a time; if it can seek, it may have to. Its errors are not handed on: r
// has to remember them.
func Load(r io.Reader, loader Loader, how Loading) (*Image, error) {
	source := C.room_source(C.uintptr_t(cgo.NewHandle(r)))
	if source == nil {
		return nil, failure("make a source")
	}
	defer C.g_object_unref(C.gpointer(source)) // the picture has it, too
	name, options := C.CString(string(loader)+"load_source"), C.CString(how.options(loader))
	defer C.free(unsafe.Pointer(name))
	defer C.free(unsafe.Pointer(options))
	var out *C.VipsImage
	if failed := C.room_load(name, options, source, &out); failed != 0 {
		return nil, failure(fmt.Sprintf("load a %s", loader))
	}
	image := own(out)
	if !how.AllFrames {
		return image, nil
	}
	// Frames are resized one by one: every row must stay at hand.
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
