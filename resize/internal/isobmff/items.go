package isobmff

import (
	"encoding/binary"
	"iter"
)

// primary returns the number of the picture that a file shows (ISO/IEC 14496-12, 8.11.4).
func primary(meta []byte) uint64 {
	f := fields{box(meta, "pitm", 0)}
	return f.next(idWidth(f.next(4)>>24 > 0))
}

// idWidth is how many bytes a picture's number takes.
func idWidth(wide bool) int {
	if wide {
		return 4
	}
	return 2
}

// properties iterates over the names and contents of what is said of a picture (ISO/IEC 23008-12, 9.3).
func properties(meta []byte, id uint64) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		described := box(meta, "iprp", 0)
		type property struct {
			name    string
			content []byte
		}
		var all []property
		for header, whole := range allBoxes(box(described, "ipco", 0)) {
			all = append(all, property{string(whole[4:8]), whole[header:]})
		}
		f := fields{box(described, "ipma", 0)}
		version := f.next(4)
		for range f.next(4) {
			item, mask := f.next(idWidth(version>>24 > 0)), uint64(0x7f)
			width := 1
			if version&1 != 0 {
				width, mask = 2, 0x7fff
			}
			for range f.next(1) {
				index := f.next(width) & mask // without the bit that says whether it may be ignored
				if item != id || index < 1 || index > uint64(len(all)) {
					continue
				}
				if p := all[index-1]; !yield(p.name, p.content) {
					return
				}
			}
			if len(f.rest) == 0 {
				return
			}
		}
	}
}

// extent is a piece of an item's data, in the file or, if it is inside, in the box idat of the same meta.
type extent struct {
	item       uint64
	first      bool // of its item
	inside     bool
	at, length uint64 // in bytes
}

// extents iterates over all pieces of all items (ISO/IEC 14496-12, 8.11.3), but those that are made of other items.
func extents(meta []byte) iter.Seq[extent] {
	return func(yield func(extent) bool) {
		f := fields{box(meta, "iloc", 0)}
		version := f.next(4) >> 24
		sizes := f.next(2)
		width := func(shift int) int { return int(sizes >> shift & 15) }
		empty := width(12)+width(8) == 0 && (version == 0 || width(0) == 0) // an extent takes no bytes, and says nothing
		for count := f.next(idWidth(version > 1)); count > 0 && len(f.rest) > 0; count-- {
			item := f.next(idWidth(version > 1))
			method := uint64(0)
			if version > 0 {
				method = f.next(2) & 15
			}
			f.next(2) // of this file
			base := f.next(width(4))
			for n := range f.next(2) {
				if version > 0 {
					f.next(width(0))
				}
				e := extent{item: item, first: n == 0, inside: method == 1, at: base + f.next(width(12)), length: f.next(width(8))}
				if method < 2 && !yield(e) {
					return
				}
				if len(f.rest) == 0 || empty {
					break
				}
			}
		}
	}
}

// data returns the beginning of a picture's coded data, or nil.
func data(file, meta []byte, id uint64) []byte {
	for e := range extents(meta) {
		if e.item != id || !e.first {
			continue
		}
		from := file
		if e.inside {
			from = box(meta, "idat", 0)
		}
		if e.at <= uint64(len(from)) {
			return from[e.at:][:min(e.length, uint64(len(from))-e.at)]
		}
	}
	return nil
}

// maxRepeated is how often the bytes of a file may be data of its items, all in all. Each of them is once, in what programs
// write.
const maxRepeated = 4

// repeats reports whether the items have far more data than there is in the file: libheif copies that of each of them.
func repeats(file, meta []byte) bool {
	all := uint64(0)
	for e := range extents(meta) {
		if all += min(e.length, uint64(len(file))); all > maxRepeated*uint64(len(file)) {
			return true
		}
	}
	return false
}

// fields reads numbers one after the other. Past the end, they are 0.
type fields struct{ rest []byte }

// next returns the number in the next bytes, 8 at most.
func (f *fields) next(bytes int) uint64 {
	var padded [8]byte
	if bytes > len(f.rest) || bytes > 8 {
		f.rest = nil
		return 0
	}
	copy(padded[8-bytes:], f.rest[:bytes])
	f.rest = f.rest[bytes:]
	return binary.BigEndian.Uint64(padded[:])
}
