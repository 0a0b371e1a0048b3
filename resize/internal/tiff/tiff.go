// Package tiff reads the directories of TIFF files (revision 6.0, and BigTIFF) without decoding a pixel: see [Read].
//
// Libraries that were weighed: golang.org/x/image/tiff decodes the first page, and exports no directories;
// github.com/google/tiff follows a list of pages that leads back into itself for ever, which is what has to be prevented.
package tiff

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

	"s3resizer/resize/internal/rejection"
)

// Layout says how the first page is stored.
type Layout struct {
	Rows int // how many rows are decoded at once; 0 if they are decoded one by one
}

// Read follows the directories of a TIFF (revision 6.0, section 2, and BigTIFF) from the first page to the last, of which there
// may be maxPages, and returns the layout of the first one.
//
// It returns a [*rejection.Rejection] for a file that libvips would follow for ever, would show without its color profile, or
// would take for a picture though it is the preview in a camera's raw file. Everything that a directory points to must lie
// within the file, except strips and tiles, which libtiff checks itself.
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

// reader reads a TIFF. The count of a directory's entries, an entry, and an offset have so many bytes each.
type reader struct {
	file               []byte
	order              binary.ByteOrder
	count, entry, word uint64
}

// number reads a number of width bytes, which the caller knows to be within the file.
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

// within reports whether length bytes from at on are part of the file.
func (t *reader) within(at, length uint64) bool {
	size := uint64(len(t.file))
	return at <= size && length <= size-at
}

// directory reads the directory at an offset. It returns those of its fields that are a single number, the offset of the next
// directory, and whether everything that it points to is there.
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

// sizes are the bytes that a value of each field type has (section 2; TIFF Technical Note 1; BigTIFF).
var sizes = map[uint64]uint64{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}

// fields are the fields of a directory that are a single number, by their tags (section 8).
type fields map[uint16]uint64

const (
	tagSubfile      = 254 // NewSubfileType
	tagCompression  = 259
	tagPhotometric  = 262
	tagRowsPerStrip = 278
	tagPlanar       = 284
	tagTileLength   = 323
)

// compressions are those that are read: none, fax in three kinds (2, 3, 4), LZW, JPEG old and new, deflate by both of
// its numbers, PackBits.
var compressions = []uint64{1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946}

var errRaw = rejection.Unsupportedf("a camera's raw file is not resized; what the camera makes of it, as JPEG, is")

// readable returns a [*rejection.Rejection] if the first picture of a file is a preview, as in most cameras' raw files, if it
// consists of the samples of a sensor, or if its compression is not one that is read.
func (f fields) readable() error {
	if p := f[tagPhotometric]; f[tagSubfile]&1 != 0 || p == 32803 || p == 34892 { // DNG's
		return errRaw
	}
	if c, ok := f[tagCompression]; ok && !slices.Contains(compressions, c) {
		return rejection.Unsupportedf("a TIFF with compression %d is not read; none, LZW, deflate, JPEG, PackBits and fax are", c)
	}
	return nil
}

// rowsAtOnce returns how many rows are decoded at once; 0 if they are decoded one by one. Tiles are decoded whole. Strips are
// decoded row by row, unless they are small, or each channel has strips of its own.
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
