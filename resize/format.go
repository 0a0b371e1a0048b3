package resize

import (
	"bytes"
	"slices"
	"strings"

	"s3resizer/resize/internal/isobmff"
	"s3resizer/resize/internal/rejection"
	"s3resizer/resize/internal/vips"
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

// formatInfo is all there is to know of a format, but for how its files are walked (container.go), encoded (encode.go) and what
// memory they take (memory.go).
type formatInfo struct {
	format       Format
	name         string // in messages
	begins       func(head []byte) bool
	loader       vips.Loader
	mediaType    string
	extension    string
	maxDimension int    // of an output, in pixels a side; 0: never written
	streams      bool   // libvips decodes it row by row, from a reader that can't seek
	animates     bool   // read and written with all its frames
	remedy       Remedy // where libvips has no loader of it
}

// table has them in the order in which messages name them. The dimensions are the most that each format's header can say,
// except for AVIF, where it is the encoder's limit.
var table = []formatInfo{
	{format: JPEG, name: "JPEG", begins: with(0, "\xff\xd8\xff"), loader: vips.JPEG, mediaType: "image/jpeg", extension: ".jpg", maxDimension: 65500, streams: true},
	{format: PNG, name: "PNG", begins: with(0, "\x89PNG"), loader: vips.PNG, mediaType: "image/png", extension: ".png", maxDimension: 1<<31 - 1, streams: true},
	{format: WebP, name: "WebP", begins: with(8, "WEBP"), loader: vips.WebP, mediaType: "image/webp", extension: ".webp", maxDimension: 16383, animates: true},
	{format: GIF, name: "GIF", begins: with(0, "GIF"), loader: vips.GIF, mediaType: "image/gif", extension: ".gif", maxDimension: 65535, animates: true},
	{format: TIFF, name: "TIFF", begins: with(0, "II*\x00", "MM\x00*", "II+\x00", "MM\x00+"), loader: vips.TIFF, mediaType: "image/tiff", extension: ".tif"},
	{format: AVIF, name: "AVIF", begins: isobmff.IsAVIF, loader: vips.AVIF, mediaType: "image/avif", extension: ".avif", maxDimension: 16384},
	{format: HEIC, name: "HEIC", begins: isobmff.IsHEIC, loader: vips.HEIC, mediaType: "image/heic", extension: ".heic", remedy: RemedyDecodeHEIC},
}

// with returns a function that reports whether a file has one of the signatures at an offset.
func with(at int, signatures ...string) func(head []byte) bool {
	return func(head []byte) bool {
		return slices.ContainsFunc(signatures, func(s string) bool { return bytes.HasPrefix(head[at:], []byte(s)) })
	}
}

var formats = func() map[Format]formatInfo {
	all := map[Format]formatInfo{}
	for _, info := range table {
		all[info.format] = info
	}
	return all
}()

// Formats are those that are read, HEIC even where it is not built in.
func Formats() []Format {
	var all []Format
	for _, info := range table {
		all = append(all, info.format)
	}
	return all
}

// OutputFormats are the values that [Spec.Formats] takes.
func OutputFormats() []Format { return []Format{AsSource, JPEG, PNG, WebP, AVIF} }

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

// How many bytes tell the format: some of the first, for its signature, and more to find out what else a file may be.
const (
	signatureLength = 12
	sniffLength     = 256
)

// detect finds the format by the first bytes of a file, whatever its name says.
func detect(head []byte) (Format, error) {
	if len(head) >= signatureLength {
		for _, info := range table {
			switch {
			case !info.begins(head):
			case !vips.Has(info.loader):
				return "", &Rejection{Class: ClassUnsupported, Reason: info.name + " is not decoded by this build", Remedy: info.remedy}
			default:
				return info.format, nil
			}
		}
	}
	if len(head) == 0 {
		return "", rejection.Unsupportedf("the object is empty; %s resized", readFormats())
	}
	if name := foreign(head); name != "" {
		return "", rejection.Unsupportedf("%s is not resized; %s", name, readFormats())
	}
	return "", rejection.Unsupportedf("not an image: no known signature in its first bytes; %s resized", readFormats())
}

// readFormats names the formats that this build reads, as the beginning of a sentence: "JPEG, PNG and WebP are".
func readFormats() string {
	var names []string
	for _, info := range table {
		if vips.Has(info.loader) {
			names = append(names, info.name)
		}
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last] + " are"
}

// signatures are of files that people upload and that are not resized, to call them by their names: the bytes that a
// file has at an offset.
var signatures = []struct {
	name  string
	at    int
	bytes string
}{
	{"JPEG 2000", 0, "\x00\x00\x00\x0cjP  "}, {"JPEG 2000", 0, "\xff\x4f\xff\x51"}, {"OpenEXR", 0, "\x76\x2f\x31\x01"},
	{"ICO", 0, "\x00\x00\x01\x00"}, {"ICO", 0, "\x00\x00\x02\x00"}, {"XCF", 0, "gimp xcf "}, {"PostScript", 0, "%!PS"},
	{"PPM", 0, "P1"}, {"PPM", 0, "P2"}, {"PPM", 0, "P3"}, {"PPM", 0, "P4"}, {"PPM", 0, "P5"}, {"PPM", 0, "P6"}, {"PPM", 0, "P7"},
	{"PPM", 0, "PF"}, {"PPM", 0, "Pf"}, {"Radiance HDR", 0, "#?RADIANCE"}, {"Radiance HDR", 0, "#?RGBE"}, {"FITS", 0, "SIMPLE  ="},
	{"libvips's own format", 0, "\xb6\xa6\xf2\x08"}, {"libvips's own format", 0, "\x08\xf2\xa6\xb6"},
	{"a camera's raw file", 4, "ftypcrx "}, {"a camera's raw file", 0, "FUJIFILMCCD-RAW"},
	{"a sequence of HEIC pictures", 4, "ftyphevc"}, {"a sequence of HEIC pictures", 4, "ftyphevx"},
	{"a movie", 4, "ftyp"}, {"a movie", 4, "moov"}, {"a movie", 0, "\x1a\x45\xdf\xa3"}, {"a movie", 8, "AVI "},
	{"an archive", 0, "PK\x03\x04"}, {"a gzip file", 0, "\x1f\x8b"},
	{"BMP", 0, "BM"}, {"JXL", 0, "\xff\x0a"}, {"JXL", 4, "JXL "}, {"PSD", 0, "8BPS"},
}

// foreign names the format of a file that begins with head and is not resized, or returns "" if it is not known.
func foreign(head []byte) string {
	for _, s := range signatures {
		if len(head) >= s.at && bytes.HasPrefix(head[s.at:], []byte(s.bytes)) {
			return s.name
		}
	}
	text := bytes.ToLower(bytes.TrimLeft(head, "\ufeff \t\r\n"))
	switch {
	case bytes.HasPrefix(text, []byte("<!doctype html")), bytes.HasPrefix(text, []byte("<html")):
		return "a web page" // an error page, most often
	case bytes.HasPrefix(text, []byte("<")) && bytes.Contains(text, []byte("<svg")):
		return "SVG"
	case bytes.Contains(head, []byte("%PDF")):
		return "PDF"
	default:
		return ""
	}
}
