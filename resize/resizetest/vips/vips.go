// Package vips is a list of names of govips, for tests, benchmarks and the pictures of the demo. With these, they make pictures,
// and judge renditions in ways that share no code with what renders them. Nothing else imports govips, but package
// resize/internal/vips: a change of govips shows in these two places.
package vips

import (
	"github.com/davidbyttow/govips/v2/vips"

	room "s3resizer/resize/internal/vips" // it defines what govips wants of a libvips that lacks it
)

type (
	// ImageRef is a picture.
	ImageRef = vips.ImageRef
	// ImageMetadata is what is known of a picture.
	ImageMetadata = vips.ImageMetadata
	// ImageType is a file format.
	ImageType = vips.ImageType
	// ImportParams are options of a loader.
	ImportParams = vips.ImportParams
	// Color is an sRGB color.
	Color = vips.Color
	// BandFormat is the format of samples.
	BandFormat = vips.BandFormat
	// Interpretation is a color space.
	Interpretation = vips.Interpretation
	// JpegExportParams are options of the encoder for JPEG.
	JpegExportParams = vips.JpegExportParams
	// PngExportParams are options of the encoder for PNG.
	PngExportParams = vips.PngExportParams
	// WebpExportParams are options of the encoder for WebP.
	WebpExportParams = vips.WebpExportParams
	// AvifExportParams are options of the encoder for AVIF.
	AvifExportParams = vips.AvifExportParams
	// GifExportParams are options of the encoder for GIF.
	GifExportParams = vips.GifExportParams
	// TiffExportParams are options of the encoder for TIFF.
	TiffExportParams = vips.TiffExportParams
	// SubsampleMode says whether chroma is subsampled.
	SubsampleMode = vips.SubsampleMode
	// TiffCompression is how a TIFF is compressed.
	TiffCompression = vips.TiffCompression
	// Config is the configuration of libvips.
	Config = vips.Config
	// MemoryStats is what libvips holds.
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
