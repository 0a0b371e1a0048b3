package isobmff

import (
	"bytes"

	"s3resizer/resize/internal/credit"
)

// Blocks returns what a file says of itself: its items of EXIF and of XMP (ISO/IEC 23008-12, A.2.1 and A.3).
func Blocks(file []byte) (b credit.Blocks) {
	meta := box(file, "meta", 4)
	list := fields{box(meta, "iinf", 0)}
	version := list.next(4) >> 24
	list.next(idWidth(version > 0))
	for content := range boxes(list.rest, "infe", 0) {
		f := fields{content}
		version := f.next(4) >> 24
		id := f.next(idWidth(version > 2))
		f.next(2) // protection
		switch kind := f.next(4); {
		case version < 2: // which has no kinds
		case kind == 'E'<<24|'x'<<16|'i'<<8|'f' && b.EXIF == nil:
			if block := data(file, meta, id); len(block) > 4 {
				at := fields{block}
				if offset := at.next(4); offset < uint64(len(at.rest)) {
					b.EXIF = at.rest[offset:]
				}
			}
		case kind == 'm'<<24|'i'<<16|'m'<<8|'e' && b.XMP == nil:
			_, kind, _ := bytes.Cut(f.rest, []byte{0}) // behind the item's name
			if bytes.HasPrefix(kind, []byte("application/rdf+xml\x00")) {
				b.XMP = data(file, meta, id)
			}
		}
	}
	return b
}
