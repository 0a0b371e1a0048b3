package photos

// #cgo pkg-config: vips
import "C"
