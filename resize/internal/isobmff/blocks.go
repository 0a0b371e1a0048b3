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
	var exif, xmp uint64 // the first of each
	for content := range boxes(list.rest, "infe", 0) {
		f := fields{content}
		version := f.next(4) >> 24
		id := f.next(idWidth(version > 2))
		f.next(2) // protection
		kind := string(f.rest[:min(4, len(f.rest))])
		f.next(4)
		switch {
		case version < 2: // which has no kinds
		case kind == "Exif" && exif == 0:
			exif = id
		case kind == "mime" && xmp == 0:
			if _, media, _ := bytes.Cut(f.rest, []byte{0}); bytes.HasPrefix(media, []byte("application/rdf+xml\x00")) { // behind the item's name
				xmp = id
			}
		}
	}
	if exif != 0 {
		at := fields{data(file, meta, exif)}
		if offset := at.next(4); offset < uint64(len(at.rest)) {
			b.EXIF = at.rest[offset:]
		}
	}
	if xmp != 0 {
		b.XMP = data(file, meta, xmp)
	}
	return b
}
