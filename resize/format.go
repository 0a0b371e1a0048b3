package resize

import (
	"bytes"
	"slices"
	"strings"

	"s3resizer/resize/internal/isobmff"
	"s3resizer/resize/internal/rejection"
	"s3resizer/resize/internal/vips"
)

// Format is a file format, by the name that it has in settings and reports.
type Format string

// The formats that are read (HEIC only by a build that has a decoder for it). All but TIFF and HEIC are written, too.
const (
	JPEG Format = "jpeg"
	PNG  Format = "png"
	WebP Format = "webp"
	AVIF Format = "avif"
	GIF  Format = "gif"
	TIFF Format = "tiff"
	HEIC Format = "heic"

	// AsSource stands for the format of the source in a [Spec]. If browsers don't show that format (TIFF, HEIC), it stands
	// for JPEG or, if the source has alpha, for PNG.
	AsSource Format = "source"
)

// formatInfo is what has to be known of a format, but for three things: what is looked at before decoding (container.go),
// how it is encoded (encode.go), and how much memory it takes (memory.go).
type formatInfo struct {
	format       Format
	name         string                 // in messages
	begins       func(head []byte) bool // reports whether a file with these first bytes, at least signatureLength, is one
	loader       vips.Loader
	mediaType    string
	extension    string
	maxDimension int    // of a rendition, in pixels a side; 0 if the format is never written
	streams      bool   // libvips decodes it row by row from a reader that can't seek
	animates     bool   // all frames are read and written
	remedy       Remedy // for a libvips that has no loader of it
}

// table has a row for each format, in the order in which messages name them. The maximum dimension is the largest that a
// header of the format can hold; for AVIF it is the encoder's limit.
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

// Formats returns the formats that are read, with HEIC even if this build can't read it.
func Formats() []Format {
	var all []Format
	for _, info := range table {
		all = append(all, info.format)
	}
	return all
}

// OutputFormats returns the values that [Spec.Formats] may have.
func OutputFormats() []Format { return []Format{AsSource, JPEG, PNG, WebP, AVIF} }

// MediaType returns the value of a Content-Type header for the format.
func (f Format) MediaType() string { return formats[f].mediaType }

// Extension returns the usual suffix of a file name, with its dot.
func (f Format) Extension() string { return formats[f].extension }

// Appended returns what is appended to the name of a source when something in the format f is made of it: nothing where that
// is the source's own format, else the extension.
func (f Format) Appended(source Format) string {
	if f == source {
		return ""
	}
	return f.Extension()
}

func (f Format) maxDimension() int { return formats[f].maxDimension }

// Outputs returns the formats of the renditions for those that are wanted: each only once, and the one that [AsSource] stands
// for in its place.
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

// How many of a file's first bytes it takes to know its format, and to name a format that is not resized.
const (
	signatureLength = 12
	sniffLength     = 256
)

// detect returns the format of a file by its first bytes, or a [*Rejection].
func detect(head []byte) (Format, error) {
	if len(head) >= signatureLength {
		for _, info := range table {
			switch {
			case !info.begins(head):
			case (info.format == AVIF || info.format == HEIC) && isobmff.Undecoded(head) != "":
				return "", rejection.Unsupportedf("a HEIF with %s is not resized; with HEVC or AV1 in it, it may be", isobmff.Undecoded(head))
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

// readFormats returns the names of the formats that this build reads, as the beginning of a sentence: "JPEG, PNG and WebP are".
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

// signatures are the bytes, at an offset, by which files are known that people upload and that are not resized. Messages call
// them by their names.
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

// foreign returns the name of the format of a file that is not resized, by its first bytes, or "" if it is not known.
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
