//go:build heic

package heic

// #cgo pkg-config: vips libheif libde265
// #cgo LDFLAGS: -lm
// #include <stdlib.h>
// #include <libheif/heif.h>
// void heic_startup(int threads);
// void heic_limit(size_t pixels);
import "C"

import (
	"unsafe"

	"s3resizer/resize/internal/icc"
)

// Start adds the loader "heicload_source" to libvips, with the given number of threads for each picture. libheif itself is not
// called before the first HEIC.
func Start(threads int) { C.heic_startup(C.int(threads)) }

// Limit sets the largest size of each part of a HEIC, in pixels, to the limit of the whole: its header may lie about the size of
// parts. There is one limit for all pictures.
func Limit(pixels int64) { C.heic_limit(C.size_t(pixels)) }

// nclxICC returns the ICC profile that an nclx color box stands for, which the caller has to free, or NULL for sRGB.
//
//export nclxICC
func nclxICC(nclx *C.struct_heif_color_profile_nclx, size *C.size_t) unsafe.Pointer {
	xy := func(x, y C.float) [2]float64 { return [2]float64{float64(x), float64(y)} }
	profile := icc.FromCICP(icc.Chromaticities{
		xy(nclx.color_primary_white_x, nclx.color_primary_white_y), xy(nclx.color_primary_red_x, nclx.color_primary_red_y),
		xy(nclx.color_primary_green_x, nclx.color_primary_green_y), xy(nclx.color_primary_blue_x, nclx.color_primary_blue_y),
	}, icc.Transfer(nclx.transfer_characteristics), false)
	if profile == nil {
		return nil
	}
	*size = C.size_t(len(profile))
	return C.CBytes(profile)
}
