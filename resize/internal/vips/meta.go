package vips

// #include <stdlib.h>
// #include "room.h"
import "C"

import (
	"unsafe"
)

var (
	profileName     = C.CString("icc-profile-data")
	exifName        = C.CString("exif-data")
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

// Orientation returns how libvips says that the picture is turned, 1 to 8, or 0 if it does not say so.
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

// Profile is a copy of its ICC profile, or nil.
func (i *Image) Profile() []byte { return i.blob(profileName) }

// EXIF is a copy of its EXIF block, or nil.
func (i *Image) EXIF() []byte { return i.blob(exifName) }

// blob returns a copy of the bytes in a field, or nil if there is no such field.
func (i *Image) blob(field *C.char) []byte {
	var data unsafe.Pointer
	var size C.size_t
	if C.vips_image_get_typeof(i.c, field) == 0 || C.vips_image_get_blob(i.c, field, &data, &size) != 0 {
		return nil
	}
	return C.GoBytes(data, C.int(size))
}

// SetProfile gives an ICC profile to a picture that was just loaded, or takes its own away if the profile is nil.
func (i *Image) SetProfile(profile []byte) {
	C.vips_image_remove(i.c, profileName)
	if profile != nil {
		C.vips_image_set_blob_copy(i.c, profileName, unsafe.Pointer(unsafe.SliceData(profile)), C.size_t(len(profile)))
	}
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
