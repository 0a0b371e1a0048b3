package vips

import "github.com/davidbyttow/govips/v2/vips"

// ImageType is a file format, by its first bytes.
type ImageType = vips.ImageType

// The formats, by govips.
const (
	ImageTypeUnknown = vips.ImageTypeUnknown
	ImageTypeJPEG    = vips.ImageTypeJPEG
	ImageTypePNG     = vips.ImageTypePNG
	ImageTypeWEBP    = vips.ImageTypeWEBP
	ImageTypeAVIF    = vips.ImageTypeAVIF
	ImageTypeGIF     = vips.ImageTypeGIF
	ImageTypeTIFF    = vips.ImageTypeTIFF
	ImageTypeHEIF    = vips.ImageTypeHEIF
)

// DetermineImageType is govips's.
func DetermineImageType(head []byte) ImageType { return vips.DetermineImageType(head) }

// ImageTypes are their names.
var ImageTypes = vips.ImageTypes
