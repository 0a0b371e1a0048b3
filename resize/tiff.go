package resize

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

	"s3resizer/resize/internal/rejection"
)

// readTIFF follows the directories of a TIFF (revision 6.0, section 2, and BigTIFF) from the first page to the last, and
// tells of the first one what the decoder will hold. It rejects what libvips would follow for ever, or show without its
// color profile, or take for a picture though it is a camera's preview of one: all that a directory points to has to be
// within the file, but for strips and tiles, which libtiff looks after.
func readTIFF(file []byte, maxPages int) (layout, error) {
	damaged := rejection.Corruptf("the tiff is damaged or cut short")
	if len(file) < 16 {
		return layout{}, damaged
	}
	if bytes.HasPrefix(file[8:], []byte("CR")) { // Canon's
		return layout{}, errRaw
	}
	t := tiffFile{file: file, order: binary.LittleEndian, count: 2, entry: 12, word: 4}
	if file[0] == 'M' {
		t.order = binary.BigEndian
	}
	at := t.number(4, 4)
	if t.order.Uint16(file[2:]) == 43 { // BigTIFF
		t.count, t.entry, t.word = 8, 20, 8
		at = t.number(8, 8)
	}
	var found layout
	seen := map[uint64]bool{}
	for page := at; page != 0; {
		if seen[page] {
			return layout{}, rejection.Corruptf("the list of the tiff's pages leads back into itself")
		}
		if seen[page] = true; len(seen) > maxPages {
			return layout{}, rejection.TooLargef("more than %d pages; that is the limit, though only the first is resized", maxPages)
		}
		fields, next, whole := t.directory(page)
		if len(seen) == 1 {
			if err := fields.readable(); err != nil {
				return layout{}, err
			}
			found.rows = fields.rowsAtOnce()
		}
		if !whole {
			return layout{}, damaged
		}
		page = next
	}
	return found, nil
}

// tiffFile is a TIFF, and how many bytes there are in the count of a directory's entries, in an entry, and in an offset.
type tiffFile struct {
	file               []byte
	order              binary.ByteOrder
	count, entry, word uint64
}

// number reads a number of so many bytes, which the caller knows to be within the file.
func (t *tiffFile) number(at, width uint64) uint64 {
	switch width {
	case 2:
		return uint64(t.order.Uint16(t.file[at:]))
	case 4:
		return uint64(t.order.Uint32(t.file[at:]))
	default:
		return t.order.Uint64(t.file[at:])
	}
}

// within tells whether so many bytes from there on are part of the file.
func (t *tiffFile) within(at, length uint64) bool {
	size := uint64(len(t.file))
	return at <= size && length <= size-at
}

// directory reads one: its fields of one number, where the next one is, and whether all that it points to is there.
func (t *tiffFile) directory(at uint64) (fields tiffFields, next uint64, whole bool) {
	if !t.within(at, t.count) {
		return nil, 0, false
	}
	entries := t.number(at, t.count)
	at += t.count
	if entries > uint64(len(t.file)) || !t.within(at, entries*t.entry+t.word) {
		return nil, 0, false
	}
	fields, whole = tiffFields{}, true
	for ; entries > 0; entries-- {
		tag, kind, count, value := uint16(t.number(at, 2)), t.number(at+2, 2), t.number(at+4, t.word), at+4+t.word
		switch size := tiffSizes[kind]; {
		case count > uint64(len(t.file)) || count*size > t.word && !t.within(t.number(value, t.word), count*size):
			whole = false
		case count == 1 && (kind == 3 || kind == 4): // SHORT, LONG
			fields[tag] = t.number(value, size)
		}
		at += t.entry
	}
	return fields, t.number(at, t.word), whole
}

// tiffSizes are the lengths of a value of each field type, in bytes (section 2; TIFF Technical Note 1; BigTIFF).
var tiffSizes = map[uint64]uint64{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}

// tiffFields are a directory's fields of one number, by their tags (section 8).
type tiffFields map[uint16]uint64

const (
	tiffSubfile      = 254 // NewSubfileType
	tiffCompression  = 259
	tiffPhotometric  = 262
	tiffRowsPerStrip = 278
	tiffPlanar       = 284
	tiffTileLength   = 323
)

// tiffCompressions are those that are read: none, the two of fax, LZW, JPEG old and new, deflate by both its numbers,
// PackBits.
var tiffCompressions = []uint64{1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946}

var errRaw = rejection.Unsupportedf("a camera's raw file is not resized; what the camera makes of it, as JPEG, is")

// readable refuses the first picture of a file if it is a preview, as in most cameras' raw files, or of the samples of a
// sensor, or can't be read.
func (f tiffFields) readable() error {
	if p := f[tiffPhotometric]; f[tiffSubfile]&1 != 0 || p == 32803 || p == 34892 { // DNG's
		return errRaw
	}
	if c, ok := f[tiffCompression]; ok && !slices.Contains(tiffCompressions, c) {
		return rejection.Unsupportedf("a TIFF with compression %d is not read; none, LZW, deflate, JPEG, PackBits and fax are", c)
	}
	return nil
}

// rowsAtOnce is how many rows are decoded at once; 0 for those that are read one by one. Of strips, libvips decodes row by
// row all but small ones, unless each channel has strips of its own; tiles are decoded whole.
func (f tiffFields) rowsAtOnce() int {
	rows := f[tiffTileLength]
	if rows == 0 && f[tiffPlanar] == 2 {
		var known bool
		if rows, known = f[tiffRowsPerStrip]; !known {
			rows = math.MaxInt32 // the picture is one strip
		}
	}
	return int(min(rows, math.MaxInt32))
}
