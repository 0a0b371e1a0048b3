//go:build !heic

package resize

const (
	decodesHEIC = false
	readFormats = "JPEG, PNG, WebP, GIF, TIFF and AVIF are"
)

func startHEIC(int) {}

func limitHEIC(Limits) {}
