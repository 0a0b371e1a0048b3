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

// number returns the number in a field, or 0 if there is no such field.
func (i *Image) number(field *C.char) int {
	var n C.int
	if C.vips_image_get_typeof(i.c, field) != 0 && C.vips_image_get_int(i.c, field, &n) != 0 {
		C.vips_error_clear()
	}
	return int(n)
}

// Orientation returns the EXIF orientation, 1 to 8, or 0 if the file has none.
func (i *Image) Orientation() int { return i.number(orientationName) }

// Pages returns how many frames or pages the file has, at least 1.
func (i *Image) Pages() int { return int(C.vips_image_get_n_pages(i.c)) }

// Loop returns how often an animation plays; 0 is for ever.
func (i *Image) Loop() int { return i.number(loopName) }

// Delays returns how long each frame of an animation is shown, in milliseconds, or nil if the file does not say.
func (i *Image) Delays() []int {
	delays, n := new(*C.int), new(C.int)
	if C.vips_image_get_typeof(i.c, delayName) == 0 {
		return nil
	}
	if C.vips_image_get_array_int(i.c, delayName, delays, n) != 0 {
		C.vips_error_clear()
		return nil
	}
	var all []int
	for _, ms := range unsafe.Slice(*delays, int(*n)) {
		all = append(all, int(ms))
	}
	return all
}

// HasProfile reports whether the picture has an ICC profile.
func (i *Image) HasProfile() bool { return C.vips_image_get_typeof(i.c, profileName) != 0 }

// SetProfile gives an ICC profile to a picture that was just loaded.
func (i *Image) SetProfile(profile []byte) {
	C.vips_image_set_blob_copy(i.c, profileName, unsafe.Pointer(unsafe.SliceData(profile)), C.size_t(len(profile)))
}

// SetThreads sets how many threads compute a picture that was just loaded.
func (i *Image) SetThreads(n int) { C.vips_image_set_int(i.c, threadsName, C.int(n)) }

// ApplyProfile converts the picture to sRGB by its ICC profile. If it has none, CMYK is taken for that of a common press, and
// anything else for sRGB.
func (i *Image) ApplyProfile() error {
	fallback := srgbName
	if i.Space() == CMYK {
		fallback = cmykName
	}
	return i.become("apply the profile", func(out **C.VipsImage) C.int { return C.room_profiled(i.c, fallback, out) })
}
