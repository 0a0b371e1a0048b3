package isobmff

import (
	"encoding/binary"
	"iter"
	"slices"

	"s3resizer/resize/internal/rejection"
)

// mostTiles is how many different tiles a picture may have. One of 150 megapixels in tiles of 256 × 256 has 2,289.
const mostTiles = 4096

// Tiles iterates over the different tiles that the picture of an AVIF is a grid of, and those of its alpha: each as a file of its
// own, or a [*rejection.Rejection] if a tile is not all there, or if there are too many. Of a picture that is none of tiles, there
// are none.
func Tiles(file []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		meta := box(file, "meta", 4)
		types := itemTypes(meta)
		if id := primary(meta); types[id] == "grid" {
			seen := map[string]bool{} // one may be there many times
			for _, tile := range tilesOf(meta, uint32(id), types) {
				data, whole := allData(file, meta, tile)
				if !whole || len(data) == 0 {
					yield(nil, rejection.Corruptf("the avif is cut short: one of its tiles goes beyond its end"))
					return
				}
				if seen[string(data)] {
					continue
				}
				seen[string(data)] = true
				if !yield(alone(meta, tile, data), nil) {
					return
				}
			}
			if len(types) > mostTiles {
				yield(nil, rejection.Unsupportedf("an AVIF of %d tiles is not read; of %d it is", len(types), mostTiles))
			}
		}
	}
}

// tilesOf returns the coded pictures that one is made of, and its alpha, if they are no more than mostTiles.
func tilesOf(meta []byte, id uint32, types map[uint64]string) (tiles []uint64) {
	if len(types) > mostTiles {
		return nil
	}
	parts := map[uint32][]uint32{}
	for references := range boxes(meta, "iref", 0) {
		readReferences(references, parts)
	}
	seen := map[uint32]bool{id: true}
	for next := []uint32{id}; len(next) > 0; next = next[1:] {
		for _, part := range parts[next[0]] {
			if seen[part] {
				continue
			}
			seen[part] = true
			next = append(next, part)
			if types[uint64(part)] == "av01" {
				tiles = append(tiles, uint64(part))
			}
		}
	}
	return tiles
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

// itemTypes returns of what type each item is (ISO/IEC 14496-12, 8.11.6).
func itemTypes(meta []byte) map[uint64]string {
	types := map[uint64]string{}
	list := fields{box(meta, "iinf", 0)}
	list.next(idWidth(list.next(4)>>24 > 0))
	for content := range boxes(list.rest, "infe", 0) {
		f := fields{content}
		version := f.next(4) >> 24
		id := f.next(idWidth(version > 2))
		if f.next(2); version >= 2 && len(f.rest) >= 4 {
			types[id] = string(f.rest[:4])
		}
	}
	return types
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
