package resize

// #cgo pkg-config: vips
// #include <vips/vips.h>
import "C"
