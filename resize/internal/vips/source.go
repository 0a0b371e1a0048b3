package vips

// #include "room.h"
import "C"

import (
	"io"
	"runtime/cgo"
	"unsafe"
)

// zeroReads is how often in a row a reader may give nothing, and no error.
const zeroReads = 100

// readFromGo reads from the reader that a source stands for; it returns 0 at the end, and less if there is an error, which
// the reader has to remember.
//
//export readFromGo
func readFromGo(reader C.uintptr_t, to unsafe.Pointer, length C.size_t) C.gint64 {
	r := cgo.Handle(reader).Value().(io.Reader)
	for range zeroReads {
		n, err := r.Read(unsafe.Slice((*byte)(to), int(length)))
		switch {
		case n > 0: // and an error comes again
			return C.gint64(n)
		case err == io.EOF:
			return 0
		case err != nil:
			return -1
		}
	}
	return -1
}

// seekInGo returns the new position, or less than 0 where there is none: libvips asks a reader that can't seek, too.
// Decoders may ask for a place behind the end, to learn where that is; libvips takes them at their word.
//
//export seekInGo
func seekInGo(reader C.uintptr_t, offset C.gint64, whence C.int) C.gint64 {
	seeker, ok := cgo.Handle(reader).Value().(io.Seeker)
	if !ok {
		return -1
	}
	position, err := seeker.Seek(int64(offset), int(whence))
	if err != nil {
		return -1
	}
	return C.gint64(position)
}

//export forgetReader
func forgetReader(reader C.uintptr_t) { cgo.Handle(reader).Delete() }
