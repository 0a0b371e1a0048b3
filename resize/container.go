package resize

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// A file's outer structure is walked here before libvips sees it. libvips keeps every comment, decompresses every text,
// counts the frames of a WebP in time that grows with their square, and follows a TIFF's directories wherever they lead;
// a few hundred kilobytes can cost it seconds, or hundreds of megabytes. The walk takes neither, and learns on its way
// what the decoder will have to hold.

// layout is what a file's outer structure says of how the picture is stored.
type layout struct {
	coefficients int64 // bytes that a JPEG's decoder holds until the last scan is read; 0: it goes row by row
	interlaced   bool  // a PNG in Adam7's order
	lossless     bool  // a WebP
	rows         int   // of a TIFF that are decoded at once; 0 for those that are read one by one
}

// maxHeader is what may stand in front of the pixels of a format that streams, in bytes, not counting what is left out
// of it. An ICC profile for print is some 2 MB; a JPEG's can't be more than 16.
const maxHeader = 8 << 20

// header copies a file's beginning, without what is of no use.
type header struct {
	from *bufio.Reader
	to   *bytes.Buffer
}

// keep copies n bytes, and returns them.
func (h *header) keep(n int) ([]byte, error) {
	if h.to.Len()+n > maxHeader {
		return nil, &Rejection{ClassTooLarge, fmt.Sprintf("more than %d MiB of metadata, such as a color profile, stand before its pixels; that is the limit", maxHeader>>20)}
	}
	at := h.to.Len()
	_, err := io.CopyN(h.to, h.from, int64(n))
	return h.to.Bytes()[at:], err
}

func (h *header) skip(n int) error {
	_, err := h.from.Discard(n)
	return err
}

// copyHeader copies what stands before the pixels. Where the structure is broken it stops: the decoder knows better
// what can be made of the rest.
func copyHeader(format Format, from *bufio.Reader, to *bytes.Buffer) (layout, error) {
	h := &header{from, to}
	copying := h.jpeg
	if format == PNG {
		copying = h.png
	}
	found, err := copying()
	if rejection := (*Rejection)(nil); errors.As(err, &rejection) {
		return layout{}, err
	}
	return found, nil // the decoder, or who reads the input, will meet any other error again
}

// jpeg copies up to the first scan. Of the application segments, JFIF's, Adobe's, EXIF and ICC profiles have a say in the
// pixels. All others are left out: comments, XMP, thumbnails, and the MPF index of a phone's further pictures, for which
// libvips would read the whole file in search of an HDR gain map.
func (h *header) jpeg() (layout, error) {
	var found layout
	var frame []byte // ITU-T T.81, B.2.2
	if _, err := h.keep(2); err != nil {
		return found, err
	}
	for {
		lead, err := h.from.Peek(4) // 0xff, marker, length with itself
		if err != nil {
			return found, err
		}
		marker, length := lead[1], int(lead[2])<<8+int(lead[3])
		switch {
		case lead[0] != 0xff || marker == 0xff || marker == 0: // garbage, or a fill byte
			_, err = h.keep(1)
		case marker == 0x01 || marker >= 0xd0 && marker <= 0xd8: // without a length
			_, err = h.keep(2)
		case marker == 0xd9 || length < 2: // the end, or nonsense
			return found, nil
		case marker == 0xfe || marker > 0xe0 && marker <= 0xef && !h.wanted(marker):
			err = h.skip(2 + length)
		case marker == 0xda:
			scan, err := h.keep(2 + length)
			if err == nil && len(scan) > 4 && len(frame) > 9 {
				found.coefficients = coefficients(frame, int(scan[4]))
			}
			return found, err
		default:
			var segment []byte
			segment, err = h.keep(2 + length)
			if marker >= 0xc0 && marker <= 0xcf && !slices.Contains([]byte{0xc4, 0xc8, 0xcc}, marker) {
				frame = bytes.Clone(segment)
			}
		}
		if err != nil {
			return found, err
		}
	}
}

// wanted tells whether the application segment to come is one that libvips makes use of.
func (h *header) wanted(marker byte) bool {
	name := map[byte]string{0xe1: "Exif\x00", 0xe2: "ICC_PROFILE\x00", 0xee: "Adobe"}[marker]
	start, _ := h.from.Peek(4 + len(name))
	return name != "" && len(start) > 4 && string(start[4:]) == name
}

// coefficients is how many bytes of them a decoder holds for the frame whose first scan has so many components: none if
// that scan is all there is, else two for each sample of every component, in whole blocks of 8 × 8.
func coefficients(frame []byte, inFirstScan int) int64 {
	height, width, components := int64(frame[5])<<8+int64(frame[6]), int64(frame[7])<<8+int64(frame[8]), int(frame[9])
	progressive := frame[1]&3 == 2
	if !progressive && inFirstScan >= components || len(frame) < 10+3*components {
		return 0
	}
	var blocks, h, v int64
	var sampling [][2]int64
	for i := range components {
		factors := frame[10+3*i+1]
		sampling = append(sampling, [2]int64{int64(factors >> 4), int64(factors & 15)})
		h, v = max(h, sampling[i][0]), max(v, sampling[i][1])
	}
	if h == 0 || v == 0 {
		return 0
	}
	for _, s := range sampling {
		blocks += s[0] * ((width + 8*h - 1) / (8 * h)) * s[1] * ((height + 8*v - 1) / (8 * v))
	}
	return blocks * 64 * 2
}

// png copies up to the first chunk of pixels, without texts and all that is not known to have a say in them.
func (h *header) png() (layout, error) {
	var found layout
	if _, err := h.keep(8); err != nil {
		return found, err
	}
	for {
		lead, err := h.from.Peek(8) // length, type
		if err != nil {
			return found, err
		}
		size, kind := binary.BigEndian.Uint32(lead), string(lead[4:])
		if kind == "IDAT" || size > 1<<31-1-12 {
			return found, nil
		}
		whole := 8 + int(size) + 4
		ancillary := kind[0]&0x20 != 0
		if ancillary && !slices.Contains([]string{"tRNS", "gAMA", "cHRM", "sRGB", "iCCP", "cICP", "sBIT", "eXIf"}, kind) {
			err = h.skip(whole)
		} else {
			var chunk []byte
			chunk, err = h.keep(whole)
			if kind == "IHDR" && size == 13 && err == nil {
				found.interlaced = chunk[8+12] != 0
			}
		}
		if err != nil {
			return found, err
		}
	}
}

// frameCount counts the frames in a file that is still being read.
type frameCount struct {
	frames   int
	lossless bool // a WebP with such a frame
	at       int  // of the first byte that was not looked at yet
	blocks   bool // it begins one of GIF's blocks of data
}

// gif goes on with what there is of a GIF by now (GIF89a, appendix A).
func (c *frameCount) gif(file []byte) {
	table := func(flags byte) int { return int(flags>>7) * 3 << (flags&7 + 1) }
	for c.at < len(file) {
		left := file[c.at:]
		switch {
		case c.at == 0:
			if len(left) < 13 {
				return
			}
			c.at = 13 + table(left[10])
		case c.blocks:
			c.at += 1 + int(left[0])
			c.blocks = left[0] != 0
		case left[0] == '!':
			c.at += 2
			c.blocks = true
		case left[0] == ',':
			if len(left) < 10 {
				return
			}
			c.frames++
			c.at += 10 + table(left[9]) + 1
			c.blocks = true
		default: // the end, or broken
			return
		}
	}
}

// webp goes on with what there is of a WebP by now (RFC 9649, section 2).
func (c *frameCount) webp(file []byte) {
	c.at = max(c.at, 12)
	for c.at+8 <= len(file) {
		switch string(file[c.at : c.at+4]) {
		case "ANMF":
			c.frames++
		case "VP8L":
			c.lossless = true
		}
		size := int(binary.LittleEndian.Uint32(file[c.at+4:]))
		c.at += 8 + size + size%2
	}
}

// tiffLayout follows the directories of a TIFF (revision 6.0, section 2, and BigTIFF) from the first to the last.
func tiffLayout(file []byte, maxPages int) (layout, error) {
	var found layout
	if len(file) < 16 {
		return found, nil
	}
	t := pages{file: file, order: binary.LittleEndian, count: 2, entry: 12, offset: 4}
	if file[0] == 'M' {
		t.order = binary.BigEndian
	}
	at := uint64(4)
	if t.order.Uint16(file[2:]) == 43 {
		t.count, t.entry, t.offset, at = 8, 20, 8, 8
	}
	seen := map[uint64]bool{}
	for next, ok := t.number(at, t.offset); ok && next != 0; {
		page := next
		if seen[page] {
			return found, &Rejection{ClassCorrupt, "the list of the tiff's pages leads back into itself"}
		}
		if seen[page] = true; len(seen) > maxPages {
			return found, &Rejection{ClassTooLarge, fmt.Sprintf("more than %d pages; that is the limit, though only the first is resized", maxPages)}
		}
		entries, known := t.number(page, t.count)
		if !known || entries > uint64(len(file)) {
			break
		}
		first := page + t.count
		if len(seen) == 1 {
			found.rows = t.rowsAtOnce(first, entries)
		}
		next, ok = t.number(first+entries*t.entry, t.offset)
	}
	return found, nil
}

// pages reads the numbers of a TIFF: how many bytes there are in the count of a directory's entries, in an entry, and in
// an offset.
type pages struct {
	file                 []byte
	order                binary.ByteOrder
	count, entry, offset uint64
}

func (t *pages) number(at, width uint64) (value uint64, ok bool) {
	if at > uint64(len(t.file)) || uint64(len(t.file))-at < width {
		return 0, false
	}
	switch width {
	case 2:
		return uint64(t.order.Uint16(t.file[at:])), true
	case 4:
		return uint64(t.order.Uint32(t.file[at:])), true
	default:
		return t.order.Uint64(t.file[at:]), true
	}
}

// rowsAtOnce looks through the entries of a directory. Of strips, libvips decodes row by row all but small ones, unless
// each channel has strips of its own; tiles are decoded whole.
func (t *pages) rowsAtOnce(at, entries uint64) int {
	strip, tile, apart := uint64(math.MaxInt32), uint64(0), false // a file that names no strips is one
	for range entries {
		switch tag, value := t.tag(at); tag {
		case 278: // RowsPerStrip
			strip = value
		case 284: // PlanarConfiguration
			apart = value == 2
		case 323: // TileLength
			tile = value
		}
		at += t.entry
	}
	if tile == 0 && apart {
		tile = strip
	}
	return int(min(tile, math.MaxInt32))
}

// tag reads an entry with one number: tag, type, count, value.
func (t *pages) tag(at uint64) (tag, value uint64) {
	tag, _ = t.number(at, 2)
	kind, _ := t.number(at+2, 2)
	width := uint64(4)
	if kind == 3 {
		width = 2
	}
	value, _ = t.number(at+t.entry-t.offset, width)
	return tag, value
}
