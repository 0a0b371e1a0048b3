//go:build !heic

package heic

// Built reports whether HEIC is read.
const Built = false

// Start does nothing.
func Start(int) {}

// Limit does nothing.
func Limit(int64) {}
