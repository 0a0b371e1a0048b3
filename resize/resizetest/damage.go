package resizetest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
)

// Damages returns what becomes of a JPEG, WebP or AVIF, with what was done to it, if it is cut at each place where a part of it
// begins, or a byte before, and if a bit is flipped at each and in what follows; and if a stretch of its data is lost or noise.
func Damages(file []byte) iter.Seq2[string, []byte] {
	parts := map[byte]func([]byte) damageable{0xff: jpegParts, 'R': webpParts, 0: avifParts}[file[0]](file)
	return func(yield func(string, []byte) bool) {
		for _, at := range parts.places() {
			for _, end := range []int{at - 1, at} {
				if end > 12 && end < len(file) && !yield(fmt.Sprintf("cut at %d", end), bytes.Clone(file[:end])) {
					return
				}
			}
			if at >= len(file) {
				continue
			}
			data, bit := bytes.Clone(file), at*5%8
			data[at] ^= 1 << bit
			if !yield(fmt.Sprintf("bit %d of byte %d", bit, at), data) {
				return
			}
		}
		for _, d := range parts.data {
			for _, from := range []int{d[0] + (d[1]-d[0])/3, d[0] + (d[1]-d[0])*2/3} {
				to := min(from+24, d[1])
				zeros, noise := bytes.Clone(file), bytes.Clone(file)
				clear(zeros[from:to])
				copy(noise[from:to], junk(24))
				if !yield(fmt.Sprintf("zeros at %d", from), zeros) || !yield(fmt.Sprintf("noise at %d", from), noise) ||
					!yield(fmt.Sprintf("%d bytes lost at %d", to-from, from), slices.Delete(bytes.Clone(file), from, to)) {
					return
				}
			}
		}
	}
}

// damageable is where the parts of a file begin, with their lengths and names, and where its coded data is.
type damageable struct {
	parts []int
	data  [][2]int // from and to
}

// places are the parts, and some places in the coded data: its first bytes, its last one, and one in every sixth of it.
func (d damageable) places() []int {
	all := slices.Clone(d.parts)
	for _, data := range d.data {
		length := data[1] - data[0]
		for i := range min(length, 8) {
			all = append(all, data[0]+i)
		}
		for i := range 6 {
			all = append(all, data[0]+length*i/6)
		}
		all = append(all, data[1]-1, data[1])
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// jpegParts are the segments: their markers, lengths and first bytes. Coded data is what stands between two of them, a restart
// interval or a scan.
func jpegParts(file []byte) (d damageable) {
	for at := 2; at+4 <= len(file); {
		marker := file[at+1]
		d.parts = append(d.parts, at, at+1)
		if marker == 0xd9 {
			break
		}
		data := at + 2
		if marker < 0xd0 || marker > 0xd7 { // has a length
			for i := 2; i < 12; i++ {
				d.parts = append(d.parts, at+i)
			}
			data += int(binary.BigEndian.Uint16(file[at+2:]))
		}
		at = data
		if marker == 0xda || marker >= 0xd0 && marker <= 0xd7 {
			for at+1 < len(file) && (file[at] != 0xff || file[at+1] == 0) {
				at++
			}
			if intervals := len(d.data); at > data && (intervals < 12 || intervals%40 == 0) { // there may be hundreds of intervals
				d.data = append(d.data, [2]int{data, at})
			}
		}
	}
	return d
}

// webpParts are the chunks, those in frames too (RFC 9649, 2.3).
func webpParts(file []byte) (d damageable) {
	var walk func(from, to int)
	walk = func(from, to int) {
		for at := from; at+8 <= to; {
			size := int(binary.LittleEndian.Uint32(file[at+4:]))
			d.parts = append(d.parts, at, at+4, at+5, at+8, at+8+size)
			switch string(file[at : at+4]) {
			case "ANMF":
				for i := range 16 {
					d.parts = append(d.parts, at+8+i)
				}
				walk(at+8+16, at+8+size)
			case "VP8 ", "VP8L", "ALPH":
				d.data = append(d.data, [2]int{at + 8, at + 8 + size})
			default:
				for i := range min(size, 12) {
					d.parts = append(d.parts, at+8+i)
				}
			}
			at += 8 + size + size%2
		}
	}
	d.parts = []int{4, 5, 8}
	walk(12, len(file))
	return d
}

// avifParts are the boxes, and the data of the items (ISO/IEC 14496-12). Data is a box's content that is none of boxes.
func avifParts(file []byte) (d damageable) {
	within := map[string]int{"meta": 4, "iprp": 0, "ipco": 0, "moov": 0, "trak": 0, "mdia": 0, "minf": 0, "stbl": 0, "dinf": 0, "iinf": 6, "iref": 4}
	var walk func(from, to int)
	walk = func(from, to int) {
		for at := from; at+8 <= to; {
			size := int(binary.BigEndian.Uint32(file[at:]))
			if size < 8 || at+size > to {
				return
			}
			d.parts = append(d.parts, at, at+3, at+4, at+8, at+size)
			name := string(file[at+4 : at+8])
			if before, ok := within[name]; ok {
				walk(at+8+before, at+size)
			} else if name == "mdat" {
				d.data = append(d.data, [2]int{at + 8, at + size})
			} else {
				for i := range min(size-8, 24) {
					d.parts = append(d.parts, at+8+i)
				}
			}
			at += size
		}
	}
	walk(0, len(file))
	return d
}
