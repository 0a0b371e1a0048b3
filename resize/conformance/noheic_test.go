//go:build !heic

package conformance

var heicRows []row
