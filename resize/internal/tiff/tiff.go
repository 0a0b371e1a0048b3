// Package tiff reads the directories of TIFF files (revision 6.0, and BigTIFF) without decoding a pixel.
//
//   - [Read] checks that all of a file is there, and that its first page is of a kind that is decoded.
//   - [Page.Plain] gives the file a directory that leads the decoder to the first page, and to nothing else.
//   - [Page.JPEGs] are those that it may consist of.
//
// Libraries that were weighed: golang.org/x/image/tiff decodes the first page, and exports no directories;
// github.com/google/tiff follows a list of pages that leads back into itself for ever, which is what has to be prevented.
package tiff

import (
	"bytes"
	"encoding/binary"
	"math"

	"s3resizer/resize/internal/rejection"
)

var errDamaged = rejection.Corruptf("the tiff is damaged or cut short")

// Read follows the directories of a TIFF (revision 6.0, section 2, and BigTIFF) from the first page to the last, of which there
// may be maxPages, and returns the first one. It keeps the file.
//
// It returns a [*rejection.Rejection] for a file of which a part is missing: everything that a directory points to must lie
// within the file, and so must every strip and tile. It also does for one that libvips would follow for ever, or would take
// for a picture though it is the preview in a camera's raw file, and for kinds that libvips does not decode.
func Read(file []byte, maxPages int) (*Page, error) {
	if len(file) < 16 {
		return nil, errDamaged
	}
	if bytes.HasPrefix(file[8:], []byte("CR")) { // Canon's
		return nil, errRaw
	}
	t := &reader{file: file, order: binary.LittleEndian, count: 2, entry: 12, word: 4}
	if file[0] == 'M' {
		t.order = binary.BigEndian
	}
	if t.order.Uint16(file[2:]) == 43 { // BigTIFF
		t.count, t.entry, t.word = 8, 20, 8
	}
	var first *Page
	seen := map[uint64]bool{}
	looked := uint64(0) // at so many strips and tiles
	for at := t.number(t.word, t.word); at != 0; {
		if seen[at] {
			return nil, rejection.Corruptf("the list of the tiff's pages leads back into itself")
		}
		if seen[at] = true; len(seen) > maxPages {
			return nil, rejection.TooLargef("more than %d pages; that is the limit, though only the first is resized", maxPages)
		}
		fields, next, whole := t.directory(at)
		page := &Page{reader: t, fields: fields}
		if !whole {
			return nil, errDamaged
		}
		if first == nil {
			first = page
			if err := page.readable(); err != nil {
				return nil, err
			}
		}
		if d := page.parts(); len(seen) > 1 {
			looked += min(d.all, d.offsets.count)
		}
		if looked > uint64(len(file)) {
			return nil, rejection.Corruptf("the tiff has more strips or tiles than bytes")
		}
		if err := page.complete(len(seen)); err != nil {
			return nil, err
		}
		at = next
	}
	if first == nil {
		return nil, errDamaged
	}
	return first, nil
}

// reader reads a TIFF. The count of a directory's entries, an entry, and an offset have so many bytes each.
type reader struct {
	file  []byte
	order interface {
		binary.ByteOrder
		binary.AppendByteOrder
	}
	count, entry, word uint64
}

// number reads a number of width bytes, which the caller knows to be within the file.
func (t *reader) number(at, width uint64) uint64 {
	switch width {
	case 1:
		return uint64(t.file[at])
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

// mostEntries is how many fields libtiff reads of a directory, of a BigTIFF too.
const mostEntries = 65535

// directory reads the directory at an offset. It returns those of its fields that say how pixels are stored, the offset of the
// next directory, and whether its entries are there. Of a field that is there twice, the first counts.
func (t *reader) directory(at uint64) (found map[uint16]field, next uint64, whole bool) {
	if !t.within(at, t.count) {
		return nil, 0, false
	}
	entries := t.number(at, t.count)
	at += t.count
	if entries > mostEntries || !t.within(at, entries*t.entry) {
		return nil, 0, false
	}
	found = map[uint16]field{}
	for ; entries > 0; entries-- {
		tag, f := uint16(t.number(at, 2)), field{kind: t.number(at+2, 2), count: t.number(at+4, t.word), at: at + 4 + t.word}
		if times(f.count, sizes[f.kind]) > t.word {
			f.at = t.number(f.at, t.word)
		}
		if _, known := found[tag]; !known && kept[tag] {
			found[tag] = f
		}
		at += t.entry
	}
	if !t.within(at, t.word) { // the file ends here, and so do its pages
		return found, 0, true
	}
	return found, t.number(at, t.word), true
}

// field is a field of a directory: its type, how many values it has, and where in the file they stand.
type field struct{ kind, count, at uint64 }

// sizes are the bytes that a value of each field type has (section 2; TIFF Technical Note 1; BigTIFF).
var sizes = map[uint64]uint64{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}

// whole reports whether all values of a field are within the file.
func (t *reader) whole(f field) bool { return t.within(f.at, times(f.count, sizes[f.kind])) }

// value returns the value of a field with that index, if it is there, and a number that is not negative.
func (t *reader) value(f field, i uint64) (uint64, bool) {
	size := sizes[f.kind]
	if i >= f.count || !t.within(f.at, times(i+1, size)) {
		return 0, false
	}
	switch f.kind {
	case 1, 3, 4, 13, 16, 18: // BYTE, SHORT, LONG, IFD, LONG8, IFD8
		return t.number(f.at+i*size, size), true
	case 6, 8, 9, 17: // the same, with a sign
		n := t.number(f.at+i*size, size)
		return n, n>>(8*size-1) == 0
	default:
		return 0, false
	}
}

// times returns the product of two numbers, or one that is larger than any file.
func times(a, b uint64) uint64 {
	if b > 0 && a > math.MaxInt64/b {
		return math.MaxInt64
	}
	return a * b
}
