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

// Start tells libvips of a loader more, "heicload_source", with the given number of threads for each picture. libheif
// itself is not called before the first HEIC.
func Start(threads int) { C.heic_startup(C.int(threads)) }

// Limit keeps the parts of a HEIC, whose sizes its header may lie about, below the limit of the whole, in pixels. It is one
// for all pictures.
func Limit(pixels int64) { C.heic_limit(C.size_t(pixels)) }

// nclxICC makes an ICC profile of what an nclx color box says, or NULL where that is sRGB; the caller frees it.
//
//export nclxICC
func nclxICC(nclx *C.struct_heif_color_profile_nclx, size *C.size_t) unsafe.Pointer {
	xy := func(x, y C.float) [2]float64 { return [2]float64{float64(x), float64(y)} }
	profile := icc.FromCICP(icc.Chromaticities{
		xy(nclx.color_primary_white_x, nclx.color_primary_white_y), xy(nclx.color_primary_red_x, nclx.color_primary_red_y),
		xy(nclx.color_primary_green_x, nclx.color_primary_green_y), xy(nclx.color_primary_blue_x, nclx.color_primary_blue_y),
	}, icc.Transfer(nclx.transfer_characteristics))
	if profile == nil {
		return nil
	}
	*size = C.size_t(len(profile))
	return C.CBytes(profile)
}
