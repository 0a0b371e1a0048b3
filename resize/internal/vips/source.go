package vips

// #include "room.h"
import "C"

import (
	"io"
	"runtime/cgo"
	"unsafe"
)

// zeroReads is how often in a row a reader may return no bytes and no error.
const zeroReads = 100

// readFromGo reads from the reader of a source. It returns 0 at the end, and less than 0 for an error, which the reader has to
// remember.
//
//export readFromGo
func readFromGo(reader C.uintptr_t, to unsafe.Pointer, length C.size_t) C.gint64 {
	r := cgo.Handle(reader).Value().(io.Reader)
	for range zeroReads {
		n, err := r.Read(unsafe.Slice((*byte)(to), int(length)))
		switch {
		case n > 0: // the next call returns an error that came with it
			return C.gint64(n)
		case err == io.EOF:
			return 0
		case err != nil:
			return -1
		}
	}
	return -1
}

// seekInGo returns the new position, or less than 0 if the reader can't seek, which libvips finds out in this way. Decoders may
// ask for a place beyond the end, to learn where that is; libvips does not check it.
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
