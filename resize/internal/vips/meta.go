package vips

// #include <stdlib.h>
// #include "room.h"
import "C"

import (
	"unsafe"
)

var (
	profileName     = C.CString("icc-profile-data")
	orientationName = C.CString("orientation")
	loopName        = C.CString("loop")
	delayName       = C.CString("delay")
	threadsName     = C.CString("concurrency")
	srgbName        = C.CString("srgb")
	cmykName        = C.CString("cmyk")
)

// number is what a field says, 0 if it is not there.
func (i *Image) number(field *C.char) int {
	var n C.int
	if C.vips_image_get_typeof(i.c, field) != 0 && C.vips_image_get_int(i.c, field, &n) != 0 {
		C.vips_error_clear()
	}
	return int(n)
}

// Orientation is EXIF's, 1 to 8, or 0 if the file has none.
func (i *Image) Orientation() int { return i.number(orientationName) }

// Pages is how many frames or pages the file has, at least 1.
func (i *Image) Pages() int { return int(C.vips_image_get_n_pages(i.c)) }

// Loop is how often an animation plays; 0: for ever.
func (i *Image) Loop() int { return i.number(loopName) }

// Delays are those of the frames of an animation in milliseconds, or none if the file has none.
func (i *Image) Delays() []int {
	var delays *C.int
	var n C.int
	if C.vips_image_get_typeof(i.c, delayName) == 0 {
		return nil
	}
	if failed := C.vips_image_get_array_int(i.c, delayName, &delays, &n); failed != 0 {
		C.vips_error_clear()
		return nil
	}
	var all []int
	for _, ms := range unsafe.Slice(delays, int(n)) {
		all = append(all, int(ms))
	}
	return all
}

// HasProfile reports whether it has an ICC profile.
func (i *Image) HasProfile() bool { return C.vips_image_get_typeof(i.c, profileName) != 0 }

// SetProfile gives an ICC profile to a picture that was just loaded.
func (i *Image) SetProfile(profile []byte) {
	C.vips_image_set_blob_copy(i.c, profileName, unsafe.Pointer(unsafe.SliceData(profile)), C.size_t(len(profile)))
}

// SetThreads says how many threads compute a picture that was just loaded.
func (i *Image) SetThreads(n int) { C.vips_image_set_int(i.c, threadsName, C.int(n)) }

// ApplyProfile converts to sRGB by the ICC profile; where there is none, as one of CMYK that is printed as most are, or as
// sRGB.
func (i *Image) ApplyProfile() error {
	fallback := srgbName
	if i.Space() == CMYK {
		fallback = cmykName
	}
	return i.become("apply the profile", func(out **C.VipsImage) C.int { return C.room_profiled(i.c, fallback, out) })
}
