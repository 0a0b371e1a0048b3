// Package tiff reads the directories of a TIFF (revision 6.0, and BigTIFF), as far as they have to be known before it is
// decoded. [Read] is all of it.
//
// Weighed: golang.org/x/image/tiff decodes the first page, and fails on what libtiff reads; github.com/google/tiff and the
// readers of EXIF allocate what a directory says it has, and follow a list of pages that leads back into itself.
package tiff

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

	"s3resizer/resize/internal/rejection"
)

// Layout is what the first page says of how it is stored.
type Layout struct {
	Rows int // that are decoded at once; 0 for those that are read one by one
}

// Read follows the directories of a TIFF (revision 6.0, section 2, and BigTIFF) from the first page to the last, and
// tells of the first one what the decoder will hold. It rejects what libvips would follow for ever, or show without its
// color profile, or take for a picture though it is a camera's preview of one: all that a directory points to has to be
// within the file, but for strips and tiles, which libtiff looks after.
func Read(file []byte, maxPages int) (Layout, error) {
	damaged := rejection.Corruptf("the tiff is damaged or cut short")
	if len(file) < 16 {
		return Layout{}, damaged
	}
	if bytes.HasPrefix(file[8:], []byte("CR")) { // Canon's
		return Layout{}, errRaw
	}
	t := reader{file: file, order: binary.LittleEndian, count: 2, entry: 12, word: 4}
	if file[0] == 'M' {
		t.order = binary.BigEndian
	}
	at := t.number(4, 4)
	if t.order.Uint16(file[2:]) == 43 { // BigTIFF
		t.count, t.entry, t.word = 8, 20, 8
		at = t.number(8, 8)
	}
	var found Layout
	seen := map[uint64]bool{}
	for page := at; page != 0; {
		if seen[page] {
			return Layout{}, rejection.Corruptf("the list of the tiff's pages leads back into itself")
		}
		if seen[page] = true; len(seen) > maxPages {
			return Layout{}, rejection.TooLargef("more than %d pages; that is the limit, though only the first is resized", maxPages)
		}
		tags, next, whole := t.directory(page)
		if len(seen) == 1 {
			if err := tags.readable(); err != nil {
				return Layout{}, err
			}
			found.Rows = tags.rowsAtOnce()
		}
		if !whole {
			return Layout{}, damaged
		}
		page = next
	}
	return found, nil
}

// reader is a TIFF, and how many bytes there are in the count of a directory's entries, in an entry, and in an offset.
type reader struct {
	file               []byte
	order              binary.ByteOrder
	count, entry, word uint64
}

// number reads a number of so many bytes, which the caller knows to be within the file.
func (t *reader) number(at, width uint64) uint64 {
	switch width {
	case 2:
		return uint64(t.order.Uint16(t.file[at:]))
	case 4:
		return uint64(t.order.Uint32(t.file[at:]))
	default:
		return t.order.Uint64(t.file[at:])
	}
}

// within reports whether so many bytes from there on are part of the file.
func (t *reader) within(at, length uint64) bool {
	size := uint64(len(t.file))
	return at <= size && length <= size-at
}

// directory reads one: its fields of one number, where the next one is, and whether all that it points to is there.
func (t *reader) directory(at uint64) (found fields, next uint64, whole bool) {
	if !t.within(at, t.count) {
		return nil, 0, false
	}
	entries := t.number(at, t.count)
	at += t.count
	if entries > uint64(len(t.file)) || !t.within(at, entries*t.entry+t.word) {
		return nil, 0, false
	}
	found, whole = fields{}, true
	for ; entries > 0; entries-- {
		tag, kind, count, value := uint16(t.number(at, 2)), t.number(at+2, 2), t.number(at+4, t.word), at+4+t.word
		switch size := sizes[kind]; {
		case count > uint64(len(t.file)) || count*size > t.word && !t.within(t.number(value, t.word), count*size):
			whole = false
		case count == 1 && (kind == 3 || kind == 4): // SHORT, LONG
			found[tag] = t.number(value, size)
		}
		at += t.entry
	}
	return found, t.number(at, t.word), whole
}

// sizes are the lengths of a value of each field type, in bytes (section 2; TIFF Technical Note 1; BigTIFF).
var sizes = map[uint64]uint64{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}

// fields are a directory's fields of one number, by their tags (section 8).
type fields map[uint16]uint64

const (
	tagSubfile      = 254 // NewSubfileType
	tagCompression  = 259
	tagPhotometric  = 262
	tagRowsPerStrip = 278
	tagPlanar       = 284
	tagTileLength   = 323
)

// compressions are those that are read: none, the two of fax, LZW, JPEG old and new, deflate by both its numbers,
// PackBits.
var compressions = []uint64{1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946}

var errRaw = rejection.Unsupportedf("a camera's raw file is not resized; what the camera makes of it, as JPEG, is")

// readable refuses the first picture of a file if it is a preview, as in most cameras' raw files, or of the samples of a
// sensor, or can't be read.
func (f fields) readable() error {
	if p := f[tagPhotometric]; f[tagSubfile]&1 != 0 || p == 32803 || p == 34892 { // DNG's
		return errRaw
	}
	if c, ok := f[tagCompression]; ok && !slices.Contains(compressions, c) {
		return rejection.Unsupportedf("a TIFF with compression %d is not read; none, LZW, deflate, JPEG, PackBits and fax are", c)
	}
	return nil
}

// rowsAtOnce is how many rows are decoded at once; 0 for those that are read one by one. Of strips, libvips decodes row by
// row all but small ones, unless each channel has strips of its own; tiles are decoded whole.
func (f fields) rowsAtOnce() int {
	rows := f[tagTileLength]
	if rows == 0 && f[tagPlanar] == 2 {
		var known bool
		if rows, known = f[tagRowsPerStrip]; !known {
			rows = math.MaxInt32 // the picture is one strip
		}
	}
	return int(min(rows, math.MaxInt32))
}
