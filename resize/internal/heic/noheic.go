//go:build !heic

package heic

// Built reports whether HEIC is read.
const Built = false

// Start does nothing.
func Start(int, func(white, red, green, blue [2]float64, transfer uint8) []byte) {}

// Limit does nothing.
func Limit(int64) {}
