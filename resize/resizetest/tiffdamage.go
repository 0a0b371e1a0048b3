package resizetest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
)

// DamagedTIFFs returns what becomes of a TIFF, with what was done to it, if it is cut at each place of its structure, and if a
// bit is flipped at each: in the header, in the directory and each of its fields, in what they point to, in the first, a middle
// and the last strip or tile; and if a part of these is lost.
func DamagedTIFFs(file []byte) iter.Seq2[string, []byte] {
	s := structure(file)
	return func(yield func(string, []byte) bool) {
		for _, at := range s.cuts {
			if at < len(file) && !yield(fmt.Sprintf("cut at %d", at), bytes.Clone(file[:at])) {
				return
			}
		}
		for _, at := range s.flips {
			data, bit := bytes.Clone(file), at*5%8
			data[at] ^= 1 << bit
			if !yield(fmt.Sprintf("bit %d of byte %d, %s", bit, at, s.names[at]), data) {
				return
			}
		}
		for _, p := range s.parts {
			data := bytes.Clone(file)
			middle := p[0] + p[1]/2
			clear(data[middle:min(middle+24, p[0]+p[1])])
			if !yield(fmt.Sprintf("zeros at %d", middle), data) {
				return
			}
			data = bytes.Clone(file)
			copy(data[middle:min(middle+24, p[0]+p[1])], junk(24))
			if !yield(fmt.Sprintf("noise at %d", middle), data) {
				return
			}
		}
	}
}

// tiffStructure is where a TIFF can be cut, and which of its bytes and parts matter.
type tiffStructure struct {
	cuts, flips []int
	parts       [][2]int // strips or tiles: where they are, and how long
	names       map[int]string
}

// structure reads the first directory of a whole TIFF, classic or big.
func structure(file []byte) (s tiffStructure) {
	var order binary.ByteOrder = binary.LittleEndian
	if file[0] == 'M' {
		order = binary.BigEndian
	}
	count, entry, word := 2, 12, 4
	if order.Uint16(file[2:]) == 43 {
		count, entry, word = 8, 20, 8
	}
	number := func(at, width int) int {
		switch width {
		case 2:
			return int(order.Uint16(file[at:]))
		case 4:
			return int(order.Uint32(file[at:]))
		default:
			return int(order.Uint64(file[at:]))
		}
	}
	s.names = map[int]string{}
	piece := func(at, length int, name string) {
		s.cuts = append(s.cuts, at, at+length/2, at+length-1)
		for i := range min(length, 24) {
			s.flips = append(s.flips, at+i)
			s.names[at+i] = fmt.Sprintf("%s+%d", name, i)
		}
	}
	piece(0, 2*word, "header")
	at := number(word, word)
	entries := number(at, count)
	piece(at, count, "entries")
	var starts, lengths []int
	for i := range entries {
		field := at + count + i*entry
		name := fmt.Sprint("field ", number(field, 2))
		piece(field, entry, name)
		width := map[int]int{3: 2, 4: 4, 5: 8, 16: 8}[number(field+2, 2)]
		n, values := number(field+4, word), field+4+word
		if length := max(width, 1) * n; length > word {
			values = number(values, word)
			piece(values, length, name+" values")
		}
		for i := range n {
			switch number(field, 2) {
			case 273, 324:
				starts = append(starts, number(values+i*width, width))
			case 279, 325:
				lengths = append(lengths, number(values+i*width, width))
			}
		}
	}
	piece(at+count+entries*entry, word, "next")
	for _, i := range slices.Compact([]int{0, len(starts) / 2, len(starts) - 1}) {
		s.parts = append(s.parts, [2]int{starts[i], lengths[i]})
		s.cuts = append(s.cuts, starts[i], starts[i]+1, starts[i]+lengths[i]/2, starts[i]+lengths[i]-1)
		for _, byte := range []int{0, 1, lengths[i] / 3, lengths[i] * 2 / 3, lengths[i] - 2, lengths[i] - 1} {
			s.flips = append(s.flips, starts[i]+max(byte, 0))
		}
	}
	for _, list := range []*[]int{&s.cuts, &s.flips} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return s
}
