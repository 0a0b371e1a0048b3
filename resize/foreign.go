package resize

import "bytes"

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
