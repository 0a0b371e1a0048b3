package resize

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/davidbyttow/govips/v2/vips"

	"s3resizer/resize/internal/rejection"
)

// Format is a file format, named as in RESIZE_FORMATS and in reports.
type Format string

// The formats that are read, HEIC where it is built in; all but TIFF and HEIC are written too.
const (
	JPEG Format = "jpeg"
	PNG  Format = "png"
	WebP Format = "webp"
	AVIF Format = "avif"
	GIF  Format = "gif"
	TIFF Format = "tiff"
	HEIC Format = "heic"

	// AsSource stands, in a Spec, for the format of the source; for a source that browsers don't show (TIFF, HEIC) it is JPEG
	// or, with alpha, PNG.
	AsSource Format = "source"
)

// Formats are those that are read, HEIC even where it is not built in.
func Formats() []Format { return []Format{JPEG, PNG, WebP, AVIF, GIF, TIFF, HEIC} }

// OutputFormats are the values that [Spec.Formats] takes.
func OutputFormats() []Format { return []Format{AsSource, JPEG, PNG, WebP, AVIF} }

type formatInfo struct {
	vips         vips.ImageType
	mediaType    string
	extension    string
	maxDimension int  // of an output, in pixels a side; 0: never written
	streams      bool // libvips decodes it row by row, from a reader that can't seek
	animates     bool // read and written with all its frames
}

var formats = map[Format]formatInfo{
	// The most that each format's header can say, except for AVIF, where it is the encoder's limit.
	JPEG: {vips: vips.ImageTypeJPEG, mediaType: "image/jpeg", extension: ".jpg", maxDimension: 65500, streams: true},
	PNG:  {vips: vips.ImageTypePNG, mediaType: "image/png", extension: ".png", maxDimension: 1<<31 - 1, streams: true},
	WebP: {vips: vips.ImageTypeWEBP, mediaType: "image/webp", extension: ".webp", maxDimension: 16383, animates: true},
	AVIF: {vips: vips.ImageTypeAVIF, mediaType: "image/avif", extension: ".avif", maxDimension: 16384},
	GIF:  {vips: vips.ImageTypeGIF, mediaType: "image/gif", extension: ".gif", maxDimension: 65535, animates: true},
	TIFF: {vips: vips.ImageTypeTIFF, mediaType: "image/tiff", extension: ".tif"},
	HEIC: {vips: vips.ImageTypeHEIF, mediaType: "image/heic", extension: ".heic"},
}

// MediaType is the value of a Content-Type header.
func (f Format) MediaType() string { return formats[f].mediaType }

// Extension is the suffix of a file name, with its dot.
func (f Format) Extension() string { return formats[f].extension }

func (f Format) maxDimension() int { return formats[f].maxDimension }

// Outputs returns the formats of the renditions, for the formats wanted: [AsSource] resolved, each once.
func (s *Source) Outputs(wanted []Format) []Format {
	var out []Format
	for _, f := range wanted {
		if f == AsSource {
			f = s.asSource()
		}
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

func (s *Source) asSource() Format {
	switch {
	case s.Format.maxDimension() > 0:
		return s.Format
	case s.Alpha:
		return PNG
	default:
		return JPEG
	}
}

// sniffLength is how many bytes tell the format: [vips.DetermineImageType] needs 12, and more to find SVG's root.
const sniffLength = 256

// detect tells the format by the first bytes of a file, whatever its name says.
func detect(head []byte) (Format, error) {
	kind := vips.DetermineImageType(head)
	if kind == vips.ImageTypeHEIF && hasBrand(head, "avif", "avis") {
		kind = vips.ImageTypeAVIF
	}
	for format, info := range formats {
		if info.vips == kind && (format != HEIC || decodesHEIC) {
			return format, nil
		}
	}
	if kind == vips.ImageTypeHEIF {
		return "", &Rejection{Class: ClassUnsupported, Reason: "HEIC is not decoded by this build", Remedy: RemedyDecodeHEIC}
	}
	if len(head) == 0 {
		return "", rejection.Unsupportedf("the object is empty; " + readFormats + " resized")
	}
	name := foreign(head)
	if name == "" && kind == vips.ImageTypeUnknown {
		return "", rejection.Unsupportedf("not an image: no known signature in its first bytes; " + readFormats + " resized")
	}
	return "", rejection.Unsupportedf("%s is not resized; %s", cmp.Or(name, strings.ToUpper(vips.ImageTypes[kind])), readFormats)
}

// hasBrand tells whether one of the brands is among the compatible ones in the ftyp box that an ISO media file begins
// with (ISO/IEC 14496-12, 4.3): size, "ftyp", major brand, minor version, compatible brands, four bytes each.
func hasBrand(head []byte, brands ...string) bool {
	end := min(int64(binary.BigEndian.Uint32(head)), int64(len(head)))
	for i := int64(16); i+4 <= end; i += 4 {
		if slices.Contains(brands, string(head[i:i+4])) {
			return true
		}
	}
	return false
}
