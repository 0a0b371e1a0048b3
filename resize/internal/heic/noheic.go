//go:build !heic

package heic

// Start does nothing.
func Start(int) {}

// Limit does nothing.
func Limit(int64) {}
