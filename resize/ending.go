package resize

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// checkEnding rejects a file, held whole, that ends before its format says so, where libvips doesn't: it shows what frames
// of an animation there are, and does without a color profile.
func checkEnding(format Format, file []byte) error {
	whole := true
	switch format {
	case GIF:
		whole = endsGIF(file)
	case TIFF:
		whole = endsTIFF(file)
	}
	if !whole {
		return &Rejection{ClassCorrupt, fmt.Sprintf("the %s is damaged or cut short", format)}
	}
	return nil
}

// endsGIF tells whether the blocks of a GIF follow one another up to the trailer (GIF89a, sections 15 to 27). One that
// lacks nothing but the trailer is cut short too: nobody knows how many frames it had.
func endsGIF(file []byte) bool {
	const (
		extension = 0x21
		image     = 0x2c
		trailer   = 0x3b
		padding   = 0 // which the standard doesn't have, but some files do
	)
	at := 13
	if len(file) >= at {
		at += colorTable(file[10])
	}
	for at < len(file) {
		switch file[at] {
		case trailer:
			return true
		case padding:
			at++
			continue
		case extension:
			at += 2
		case image:
			if at += 10; at > len(file) {
				return false
			}
			at += colorTable(file[at-1]) + 1 // and the LZW code size
		default:
			return false
		}
		for at < len(file) && file[at] != 0 { // sub-blocks
			at += 1 + int(file[at])
		}
		at++
	}
	return false
}

// colorTable is the length of the color table that the flags in front of it tell of, in bytes.
func colorTable(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

// endsTIFF tells whether everything that the directories of a TIFF or BigTIFF point to is within the file (TIFF 6.0,
// section 2), but for strips and tiles, which libtiff looks after.
func endsTIFF(file []byte) bool {
	if len(file) < 16 {
		return false
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if file[0] == 'M' {
		order = binary.BigEndian
	}
	t := tiff{file: file, order: order, big: order.Uint16(file[2:]) == 43}
	at := t.offset(4)
	if t.big {
		at = t.offset(8)
	}
	for range maxDirectories {
		if at == 0 {
			return true
		}
		next, whole := t.directory(at)
		if !whole {
			return false
		}
		at = next
	}
	return true // of more pages, or in a circle; the first is what is read
}

const maxDirectories = 1000

type tiff struct {
	file  []byte
	order binary.ByteOrder
	big   bool
}

// offset reads an offset, which the caller knows to be within the file.
func (t tiff) offset(at uint64) uint64 {
	if t.big {
		return t.order.Uint64(t.file[at:])
	}
	return uint64(t.order.Uint32(t.file[at:]))
}

// directory checks a directory, and returns where the next one is.
func (t tiff) directory(at uint64) (next uint64, whole bool) {
	size := uint64(len(t.file))
	head, entry, word := uint64(2), uint64(12), uint64(4)
	if t.big {
		head, entry, word = 8, 20, 8
	}
	if at > size || size-at < head {
		return 0, false
	}
	entries := uint64(t.order.Uint16(t.file[at:]))
	if t.big {
		entries = t.order.Uint64(t.file[at:])
	}
	at += head
	if entries > (size-at)/entry || size-at-entries*entry < word {
		return 0, false
	}
	for ; entries > 0; entries-- {
		count := t.offset(at + 4)
		length := count * sizeOf(t.order.Uint16(t.file[at+2:]))
		if where := t.offset(at + 4 + word); count > size || length > word && (where > size || length > size-where) {
			return 0, false
		}
		at += entry
	}
	return t.offset(at), true
}

// sizeOf is the length of a value of a field type, in bytes; 0 if it is unknown.
func sizeOf(fieldType uint16) uint64 {
	sizes := [...]uint64{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
	if int(fieldType) >= len(sizes) {
		return 0
	}
	return sizes[fieldType]
}

// pngEnd reads a PNG and notices whether its chunks follow one another up to the last one, IEND (PNG, section 5.3).
type pngEnd struct {
	r     io.Reader
	skip  uint64  // bytes to the next chunk
	head  [8]byte // of a chunk: its length and type
	known int     // bytes of head
	last  bool    // it is IEND
}

func newPNGEnd(r io.Reader) *pngEnd { return &pngEnd{r: r, skip: 8} }

func (e *pngEnd) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	for rest := p[:n]; len(rest) > 0 && !e.ended(); {
		if e.skip > 0 {
			step := min(e.skip, uint64(len(rest)))
			e.skip, rest = e.skip-step, rest[step:]
			continue
		}
		step := copy(e.head[e.known:], rest)
		rest = rest[step:]
		if e.known += step; e.known == len(e.head) {
			e.last = string(e.head[4:]) == "IEND"
			e.skip, e.known = uint64(binary.BigEndian.Uint32(e.head[:]))+4, 0 // and its checksum
		}
	}
	return n, err
}

func (e *pngEnd) ended() bool { return e.last && e.skip == 0 }

// reached reads on, behind the last row, and tells whether the end is there.
func (e *pngEnd) reached() bool {
	buffer := make([]byte, 4096)
	for !e.ended() {
		if _, err := e.Read(buffer); err != nil {
			return e.ended()
		}
	}
	return true
}

// jpegEnd reads a JPEG and notices whether its reader, libjpeg, wants all of the picture's data. Damaged data often makes
// more blocks than the whole did; libjpeg, having enough of them, ends early without a warning.
//
// It gives the last byte before the end marker by itself. Whoever asks for it has used what was before it, but for what it
// keeps in advance: libjpeg, up to 8 bytes.
type jpegEnd struct {
	r       io.Reader
	header  int    // bytes in which a marker means nothing: it may be a thumbnail's
	last    byte   // that was read
	rest    []byte // from the last byte before the marker on
	found   bool   // the marker
	reached bool   // the reader has asked for rest
}

var endOfImage = []byte{0xff, markerEOI}

func (e *jpegEnd) Read(p []byte) (int, error) {
	if e.found {
		e.reached = true
		if len(e.rest) > 0 {
			n := copy(p, e.rest)
			e.rest = e.rest[n:]
			return n, nil
		}
		return e.r.Read(p)
	}
	n, err := io.ReadFull(e.r, p) // nothing but the end is a short read: see buffered_read in native.c
	if n == 0 {
		return 0, err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	from := min(e.header, n)
	at := bytes.Index(p[from:n], endOfImage)
	split := e.last == 0xff && p[0] == markerEOI && from == 0
	e.header, e.last = e.header-from, p[n-1]
	switch {
	case split || at >= 0 && from+at < 2:
		e.found, e.reached = true, true
	case at >= 0:
		e.found = true
		keep := from + at - 1
		e.rest = bytes.Clone(p[keep:n])
		n = keep
	}
	return n, err
}

// jpegHeaderLength is how many bytes there are before the data of the first scan, or as many as head has: the marker
// segments up to the scan header (ITU-T T.81, B.2.1).
func jpegHeaderLength(head []byte) int {
	for at := 2; at+4 <= len(head); {
		if head[at] != 0xff || head[at+1] == 0xff { // bytes between segments; fill bytes
			at++
			continue
		}
		marker := head[at+1]
		if marker < markerSOF0 || marker >= markerRST0 && marker <= markerEOI { // no parameters
			at += 2
			continue
		}
		at += 2 + int(head[at+2])<<8 + int(head[at+3])
		if marker == markerSOS {
			return min(at, len(head))
		}
	}
	return len(head)
}
