package isobmff

import (
	"encoding/binary"
	"iter"
	"slices"
)

// Tiles iterates over the tiles that the picture of an AVIF is a grid of, and those of its alpha: each as a file of its own, the
// same data once. A file that is nil stands for a tile that is not all there. Of a picture that is none of tiles, there are none.
func Tiles(file []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		meta := box(file, "meta", 4)
		parts := map[uint32][]uint32{}
		for references := range boxes(meta, "iref", 0) {
			readReferences(references, parts)
		}
		seen := map[string]bool{}
		var walk func(id uint32, steps int) bool
		walk = func(id uint32, steps int) bool {
			for _, part := range parts[id] {
				if len(parts[part]) > 0 && steps < maxSteps && !walk(part, steps+1) {
					return false
				}
				if itemType(meta, uint64(part)) != "av01" {
					continue
				}
				data, whole := allData(file, meta, uint64(part))
				if !whole || len(data) == 0 {
					return yield(nil)
				}
				if seen[string(data)] {
					continue
				}
				seen[string(data)] = true
				if !yield(alone(meta, uint64(part), data)) {
					return false
				}
			}
			return true
		}
		if id := primary(meta); itemType(meta, id) == "grid" {
			walk(uint32(id), 0)
		}
	}
}

// allData returns a picture's coded data, and whether all of it is there.
func allData(file, meta []byte, id uint64) (data []byte, whole bool) {
	for e := range extents(meta) {
		if e.item != id {
			continue
		}
		from := file
		if e.inside {
			from = box(meta, "idat", 0)
		}
		size := uint64(len(from))
		if e.at > size || e.length > size-e.at {
			return nil, false
		}
		if e.length == 0 { // up to the end
			e.length = size - e.at
		}
		data = append(data, from[e.at:][:e.length]...)
	}
	return data, true
}

// itemType returns of what type an item is (ISO/IEC 14496-12, 8.11.6), or "".
func itemType(meta []byte, id uint64) string {
	list := fields{box(meta, "iinf", 0)}
	list.next(idWidth(list.next(4)>>24 > 0))
	for content := range boxes(list.rest, "infe", 0) {
		f := fields{content}
		version := f.next(4) >> 24
		if item := f.next(idWidth(version > 2)); item != id || version < 2 {
			continue
		}
		if f.next(2); len(f.rest) >= 4 {
			return string(f.rest[:4])
		}
	}
	return ""
}

// alone returns a file that shows nothing but one coded picture, with the properties that it has.
func alone(meta []byte, id uint64, data []byte) []byte {
	boxOf := func(name string, content ...[]byte) []byte {
		body := slices.Concat(content...)
		return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(body)+8)), name...), body...)
	}
	var described []byte
	links := []byte{0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0} // of one item, number 1; how many follow
	for name, content := range properties(meta, id) {
		if name == "auxC" || links[10] == 0x7f { // an alpha by itself is a picture
			continue
		}
		described = append(described, boxOf(name, content)...)
		links[10]++
		links = append(links, links[10])
	}
	head := func(at uint32) []byte {
		location := binary.BigEndian.AppendUint32([]byte{0, 0, 0, 0, 0x44, 0, 0, 1, 0, 1, 0, 0, 0, 1}, at)
		return append(boxOf("ftyp", []byte("avif\x00\x00\x00\x00avifmif1")), boxOf("meta", make([]byte, 4),
			boxOf("hdlr", []byte("\x00\x00\x00\x00\x00\x00\x00\x00pict\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")),
			boxOf("pitm", []byte{0, 0, 0, 0, 0, 1}),
			boxOf("iloc", binary.BigEndian.AppendUint32(location, uint32(len(data)))),
			boxOf("iinf", []byte{0, 0, 0, 0, 0, 1}, boxOf("infe", []byte("\x02\x00\x00\x00\x00\x01\x00\x00av01\x00"))),
			boxOf("iprp", boxOf("ipco", described), boxOf("ipma", links)))...)
	}
	start := head(0)
	return append(head(uint32(len(start)+8)), boxOf("mdat", data)...)
}
