// Package credit reads whose a picture is and who made it, and writes it as EXIF (CIPA DC-008).
//
// Its one idea: a file may say so in three ways, EXIF, IPTC and XMP, and beside it whatever else, such as where the picture
// was taken. So nothing is passed on: two texts are read, and a block with these alone is made anew.
//
// Libraries that were weighed: github.com/bep/imagemeta reads all three, but as the fields of whole files, of which a JPEG is not
// held here; it passes over the XMP of PNGs, loses its way behind a Photoshop resource of odd length, and reads a table of
// all that IPTC has when the program starts. Those for XMP alone read everything into types of their own.
package credit

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"s3resizer/resize/internal/exif"
)

// Blocks are those that a file may have, or nil.
type Blocks struct{ EXIF, IPTC, XMP []byte }

// MaxBlock is the most bytes of a block that is looked at. A JPEG's is no longer.
const MaxBlock = 64 << 10

// Credit is what a file says of who has to do with it. The zero value says nothing.
type Credit struct {
	Copyright string // the notice
	Creator   string // one, or several with "; " between them
}

// Read returns of each text the first that is there, in the order of the Metadata Working Group's guidelines: EXIF's, IPTC's,
// XMP's.
func Read(b Blocks) (c Credit) {
	ownEXIF := Credit{parts(exif.Text(b.EXIF, exif.Copyright)), parts(exif.Text(b.EXIF, exif.Artist))}
	for _, said := range []Credit{ownEXIF, readIPTC(bounded(b.IPTC)), readXMP(bounded(b.XMP))} {
		if c.Copyright == "" {
			c.Copyright = clean(said.Copyright)
		}
		if c.Creator == "" {
			c.Creator = clean(said.Creator)
		}
	}
	return c
}

func bounded(block []byte) []byte { return block[:min(len(block), MaxBlock)] }

// parts writes the two parts that EXIF's copyright may have, the photographer's and the editor's, as one.
func parts(text []byte) string {
	return joined(strings.Split(string(bounded(text)), "\x00"))
}

func joined(texts []string) string { return strings.Join(given(texts), "; ") }

// given leaves out what is blank.
func given(texts []string) []string {
	return slices.DeleteFunc(texts, func(s string) bool { return strings.TrimSpace(s) == "" })
}

// maxText is how many bytes of a text are kept. IPTC allows 128 for a copyright.
const maxText = 1000

// clean makes of what a file says a text of one line, in UTF-8. What is not in UTF-8 is taken for Latin-1: cameras write © so.
func clean(text string) string {
	if !utf8.ValidString(text) {
		var latin strings.Builder
		for _, c := range []byte(text) {
			latin.WriteRune(rune(c))
		}
		text = latin.String()
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r):
			return -1
		default:
			return r
		}
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	for len(text) > maxText {
		_, last := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-last]
	}
	return text
}

const name = "Exif\x00\x00"

// EXIF returns a block with both texts, its name before it, or nil if there are none. It says besides that the colors are
// sRGB: libvips would say that they are not known.
func (c Credit) EXIF() []byte {
	if c == (Credit{}) {
		return nil
	}
	type text struct {
		tag  uint16
		says string
	}
	texts := slices.DeleteFunc([]text{{exif.Artist, c.Creator}, {exif.Copyright, c.Copyright}}, func(t text) bool { return t.says == "" })
	const ascii, long = 2, 4
	start := 8 + 2 + 12*(len(texts)+1) + 4 // of what does not stand in the directory
	order := binary.BigEndian
	block := order.AppendUint16([]byte(name+"MM\x00*\x00\x00\x00\x08"), uint16(len(texts)+1))
	entry := func(tag, kind uint16, count, value int) {
		block = order.AppendUint16(order.AppendUint16(block, tag), kind)
		block = order.AppendUint32(order.AppendUint32(block, uint32(count)), uint32(value))
	}
	values := []byte("\x00\x01\xa0\x01\x00\x03\x00\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00") // a directory with one number, 1
	for _, text := range texts {
		says := append([]byte(text.says), make([]byte, max(1, 5-len(text.says)))...) // shorter ones would stand in the entry
		entry(text.tag, ascii, len(says), start+len(values))
		values = append(values, says...)
		values = append(values, make([]byte, len(says)%2)...)
	}
	entry(0x8769, long, 1, start)
	return append(order.AppendUint32(block, 0), values...)
}

// InJPEG returns a JPEG with an EXIF block behind its JFIF header, or as it is if there is no block.
func InJPEG(file, block []byte) []byte {
	if block == nil {
		return file
	}
	at := 2
	if bytes.HasPrefix(file[at:], []byte{0xff, 0xe0}) {
		at += 2 + int(binary.BigEndian.Uint16(file[at+2:]))
	}
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(2+len(block)))
	return slices.Concat(file[:at], segment, block, file[at:])
}
