// Package vips is what tests, benchmarks and the pictures of the demo use of govips: they make pictures with it, and judge
// renditions by it, in ways that share no code with what renders them. It is a list of names, govips's own, and the only
// door to it beside the room of libvips in package resize: a change of govips meets the two of them.
package vips

import (
	"github.com/davidbyttow/govips/v2/vips"

	room "s3resizer/resize/internal/vips" // it defines what govips wants of a libvips that lacks it
)

// ImageRef is a picture, and the others are what is known of one.
type (
	ImageRef       = vips.ImageRef
	ImageMetadata  = vips.ImageMetadata
	ImageType      = vips.ImageType
	ImportParams   = vips.ImportParams
	Color          = vips.Color
	BandFormat     = vips.BandFormat
	Interpretation = vips.Interpretation
)

// JpegExportParams, and those of the other formats, are what encoders take.
type (
	JpegExportParams = vips.JpegExportParams
	PngExportParams  = vips.PngExportParams
	WebpExportParams = vips.WebpExportParams
	AvifExportParams = vips.AvifExportParams
	GifExportParams  = vips.GifExportParams
	TiffExportParams = vips.TiffExportParams
	SubsampleMode    = vips.SubsampleMode
	TiffCompression  = vips.TiffCompression
)

// Config and MemoryStats are of the library as a whole.
type (
	Config      = vips.Config
	MemoryStats = vips.MemoryStats
)

// The names of values.
const (
	BandFormatUchar  = vips.BandFormatUchar
	BandFormatUshort = vips.BandFormatUshort
	BandFormatUint   = vips.BandFormatUint
	BandFormatFloat  = vips.BandFormatFloat

	InterpretationSRGB  = vips.InterpretationSRGB
	InterpretationBW    = vips.InterpretationBW
	InterpretationCMYK  = vips.InterpretationCMYK
	InterpretationRGB16 = vips.InterpretationRGB16

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
