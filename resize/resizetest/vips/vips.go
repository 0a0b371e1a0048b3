// Package vips is what tests, benchmarks and the pictures of the demo use of govips: they make pictures with it, and judge
// renditions by it, in ways that share no code with what renders them. It is a list of names, govips's own, and the only
// door to it beside the room of libvips in package resize: a change of govips meets the two of them.
package vips

import (
	"github.com/davidbyttow/govips/v2/vips"

	room "s3resizer/resize/internal/vips" // it defines what govips wants of a libvips that lacks it
)

type (
	// ImageRef is a picture.
	ImageRef = vips.ImageRef
	// ImageMetadata is what an encoder knows of a file.
	ImageMetadata = vips.ImageMetadata
	// ImageType is a file format.
	ImageType = vips.ImageType
	// ImportParams is how a file is loaded.
	ImportParams = vips.ImportParams
	// Color is an RGB color.
	Color = vips.Color
	// BandFormat is the format of samples.
	BandFormat = vips.BandFormat
	// Interpretation is a color space.
	Interpretation = vips.Interpretation
)

type (
	// JpegExportParams is for a JPEG.
	JpegExportParams = vips.JpegExportParams
	// PngExportParams is for a PNG.
	PngExportParams = vips.PngExportParams
	// WebpExportParams is for a WebP.
	WebpExportParams = vips.WebpExportParams
	// AvifExportParams is for an AVIF.
	AvifExportParams = vips.AvifExportParams
	// GifExportParams is for a GIF.
	GifExportParams = vips.GifExportParams
	// TiffExportParams is for a TIFF.
	TiffExportParams = vips.TiffExportParams
	// SubsampleMode says whether chroma is halved.
	SubsampleMode = vips.SubsampleMode
	// TiffCompression is one of those that TIFF has.
	TiffCompression = vips.TiffCompression
)

type (
	// Config is how libvips is set up.
	Config = vips.Config
	// MemoryStats is what it holds.
	MemoryStats = vips.MemoryStats
)

// The names of values.
const (
	BandFormatUchar  = vips.BandFormatUchar
	BandFormatUshort = vips.BandFormatUshort
	BandFormatUint   = vips.BandFormatUint
	BandFormatFloat  = vips.BandFormatFloat

	InterpretationSRGB   = vips.InterpretationSRGB
	InterpretationBW     = vips.InterpretationBW
	InterpretationGrey16 = vips.InterpretationGrey16
	InterpretationCMYK   = vips.InterpretationCMYK
	InterpretationRGB16  = vips.InterpretationRGB16

	ImageTypeJPEG = vips.ImageTypeJPEG
	ImageTypePNG  = vips.ImageTypePNG
	ImageTypeWEBP = vips.ImageTypeWEBP

	KernelLanczos3 = vips.KernelLanczos3

	PngFilterNone           = vips.PngFilterNone
	PngFilterAll            = vips.PngFilterAll
	VipsForeignSubsampleOn  = vips.VipsForeignSubsampleOn
	VipsForeignSubsampleOff = vips.VipsForeignSubsampleOff
	TiffCompressionNone     = vips.TiffCompressionNone
	TiffCompressionJpeg     = vips.TiffCompressionJpeg
	TiffCompressionDeflate  = vips.TiffCompressionDeflate
	TiffCompressionPackbits = vips.TiffCompressionPackbits
	TiffCompressionLzw      = vips.TiffCompressionLzw
	TiffPredictorHorizontal = vips.TiffPredictorHorizontal
	LogLevelError           = vips.LogLevelError
	LogLevelWarning         = vips.LogLevelWarning
)

// What there is to call.
var (
	Startup          = vips.Startup
	Shutdown         = vips.Shutdown
	LoggingSettings  = vips.LoggingSettings
	ReadVipsMemStats = vips.ReadVipsMemStats
	AssertNoLeaks    = vips.AssertNoLeaks
	MajorVersion     = vips.MajorVersion
	MinorVersion     = vips.MinorVersion

	NewImageFromBuffer  = vips.NewImageFromBuffer
	NewImageFromMemory  = vips.NewImageFromMemory
	LoadImageFromBuffer = vips.LoadImageFromBuffer
	LoadImageFromReader = vips.LoadImageFromReader
	NewImportParams     = vips.NewImportParams
	NewTiffExportParams = vips.NewTiffExportParams
	DetermineImageType  = vips.DetermineImageType
	ImageTypes          = vips.ImageTypes
	Black               = vips.Black
)

// OpenImageRefs is how many pictures are open, those of package resize among them.
func OpenImageRefs() int64 { return room.OpenImages() }
