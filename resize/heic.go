//go:build heic

package resize

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

const decodesHEIC = true

// startHEIC tells libvips of a loader more (heic.c), with the given number of threads for each picture. libheif itself
// is not called before the first HEIC.
func startHEIC(threads int) { C.heic_startup(C.int(threads)) }

// limitHEIC keeps the parts of a HEIC, whose sizes its header may lie about, below the limit of the whole.
func limitHEIC(limits Limits) { C.heic_limit(C.size_t(limits.MaxPixels)) }

//export isHEIC
func isHEIC(head *C.uchar, length C.int) C.int {
	if format, _ := detect(C.GoBytes(unsafe.Pointer(head), length)); format == HEIC {
		return 1
	}
	return 0
}

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
