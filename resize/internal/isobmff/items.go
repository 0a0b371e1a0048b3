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

// data returns the beginning of a picture's coded data, or nil (ISO/IEC 14496-12, 8.11.3).
func data(file, meta []byte, id uint64) []byte {
	f := fields{box(meta, "iloc", 0)}
	version := f.next(4) >> 24
	sizes := f.next(2)
	width := func(shift int) int { return int(sizes >> shift & 15) }
	count := f.next(idWidth(version > 1))
	for ; count > 0 && len(f.rest) > 0; count-- {
		item := f.next(idWidth(version > 1))
		method := uint64(0)
		if version > 0 {
			method = f.next(2) & 15
		}
		f.next(2) // of this file
		base := f.next(width(4))
		for extent := range f.next(2) {
			if version > 0 {
				f.next(width(0))
			}
			at, length := base+f.next(width(12)), f.next(width(8))
			from := file
			if method == 1 {
				from = box(meta, "idat", 0)
			}
			if item == id && extent == 0 && method < 2 && at <= uint64(len(from)) {
				return from[at:][:min(length, uint64(len(from))-at)]
			}
			if len(f.rest) == 0 {
				return nil
			}
		}
	}
	return nil
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
