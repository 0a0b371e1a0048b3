package resizetest

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// Number is one of those in a file that say how it is built: a count, an offset, a length, a dimension.
type Number struct {
	At, Width int // in bytes
	Little    bool
}

// Get reads the number.
func (n Number) Get(file []byte) (value uint64) {
	for i := range n.Width {
		shift := 8 * (n.Width - 1 - i)
		if n.Little {
			shift = 8 * i
		}
		value |= uint64(file[n.At+i]) << shift
	}
	return value
}

// Set writes the number, as much of it as there is room for.
func (n Number) Set(file []byte, value uint64) {
	for i := range n.Width {
		shift := 8 * (n.Width - 1 - i)
		if n.Little {
			shift = 8 * i
		}
		file[n.At+i] = byte(value >> shift)
	}
}

// Structure returns the numbers of a whole file of any of the formats, in the order in which they are found.
func Structure(file []byte) []Number {
	s := structureOf{file: file}
	switch {
	case bytes.HasPrefix(file, []byte(pngSignature)):
		s.png()
	case bytes.HasPrefix(file, []byte("\xff\xd8")):
		s.jpeg()
	case bytes.HasPrefix(file, []byte("GIF")):
		s.gif()
	case bytes.HasPrefix(file, []byte("RIFF")):
		s.webp()
	case bytes.HasPrefix(file, []byte("II*\x00")), bytes.HasPrefix(file, []byte("MM\x00*")):
		s.tiff()
	case bytes.HasPrefix(file[4:], []byte("ftyp")):
		s.boxes(0, len(file))
	}
	return s.found
}

// Restructured returns the file with some of its numbers changed. An edit takes four bytes: which number, and how.
func Restructured(file, edits []byte) []byte {
	numbers := Structure(file)
	changed := bytes.Clone(file)
	for edit := range slices.Chunk(edits, 4) {
		if len(edit) < 4 || len(numbers) == 0 {
			break
		}
		n := numbers[int(binary.BigEndian.Uint16(edit))%len(numbers)]
		value, by := n.Get(changed), uint64(edit[3])
		switch edit[2] % 8 {
		case 0:
			value = by
		case 1:
			value += by
		case 2:
			value -= by
		case 3:
			value *= by
		case 4:
			value = 1<<(by%64) - 1
		case 5:
			value = 1 << (by % 64)
		case 6:
			value = uint64(len(file)) - by
		case 7:
			value = numbers[int(by)%len(numbers)].Get(changed)
		}
		n.Set(changed, value)
	}
	return changed
}

type structureOf struct {
	file  []byte
	found []Number
}

// big and little add numbers that stand one after the other, if they are there, and return where the next would be.
func (s *structureOf) big(at int, widths ...int) int    { return s.add(at, false, widths) }
func (s *structureOf) little(at int, widths ...int) int { return s.add(at, true, widths) }

func (s *structureOf) add(at int, little bool, widths []int) int {
	for _, width := range widths {
		if at+width <= len(s.file) {
			s.found = append(s.found, Number{at, width, little})
		}
		at += width
	}
	return at
}

// last is the number that was added last.
func (s *structureOf) last() int { return int(s.found[len(s.found)-1].Get(s.file)) }

func (s *structureOf) png() {
	for at := len(pngSignature); at+12 <= len(s.file); {
		s.big(at, 4)
		length := s.last()
		switch string(s.file[at+4 : at+8]) {
		case "IHDR":
			s.big(at+8, 4, 4, 1, 1, 1, 1, 1)
		case "PLTE", "IDAT", "IEND":
		default:
			s.big(at+8, 4, 4)
		}
		at += 12 + length
	}
}

func (s *structureOf) jpeg() {
	for at := 2; at+4 <= len(s.file); {
		marker := s.file[at+1]
		if s.file[at] != 0xff || marker == 0 || marker == 0xff || marker >= 0xd0 && marker <= 0xd9 { // coded data, or fill bytes
			at++
			continue
		}
		s.big(at+2, 2)
		end := at + 2 + s.last()
		switch {
		case marker >= 0xc0 && marker <= 0xc2: // the frame: bits, height, width, components
			for next := s.big(at+4, 1, 2, 2, 1); next < end; {
				next = s.big(next, 1, 1, 1)
			}
		case marker == 0xc4, marker == 0xda, marker == 0xdd: // the counts of codes; the scan's components and bits; the restart interval
			for next := at + 4; next < min(end, at+4+17); {
				next = s.big(next, 1)
			}
		}
		at = end
	}
}

func (s *structureOf) gif() {
	s.little(6, 2, 2, 1, 1, 1)
	table := func(flags byte) int { return int(flags>>7) * 3 << (flags&7 + 1) }
	for at := 13 + table(s.file[10]); at+10 < len(s.file); {
		switch s.file[at] {
		case 0x2c: // a frame, and the size of its codes
			at = s.little(s.little(at+1, 2, 2, 2, 2, 1)+table(s.file[at+9]), 1)
		case 0x21:
			at += 2
		default:
			return
		}
		for at < len(s.file) {
			s.little(at, 1)
			if at += 1 + s.last(); s.last() == 0 {
				break
			}
		}
	}
}

func (s *structureOf) webp() {
	s.little(4, 4)
	for at := 12; at+8 <= len(s.file); {
		s.little(at+4, 4)
		length := s.last()
		switch string(s.file[at : at+4]) {
		case "VP8X":
			s.little(at+8, 1, 3, 3, 3)
		case "ANIM":
			s.little(at+8, 4, 2)
		case "ANMF":
			s.little(at+8, 3, 3, 3, 3, 3, 1)
			s.little(at+8+16+4, 4) // the chunk in it
		case "VP8 ":
			s.little(at+8, 3, 3, 2, 2)
		case "VP8L":
			s.little(at+8, 1, 4)
		}
		at += 8 + length + length%2
	}
}

func (s *structureOf) tiff() {
	little := s.file[0] == 'I'
	s.add(4, little, []int{4})
	for at, pages := s.last(), 0; at > 0 && at+2 <= len(s.file) && pages < 3; pages++ {
		s.add(at, little, []int{2})
		entries := s.last()
		at += 2
		for range entries {
			s.add(at, little, []int{2, 2, 4})
			count := s.last()
			s.add(at+8, little, []int{4})
			if value := s.last(); count > 1 {
				s.add(value, little, []int{4, 4}) // the first of those that stand elsewhere
			}
			at += 12
		}
		s.add(at, little, []int{4})
		at = s.last()
	}
}

func (s *structureOf) boxes(at, end int) {
	for at+8 <= end {
		s.big(at, 4)
		next, inside := at+s.last(), at+8
		if next <= inside || next > end {
			return
		}
		switch name := string(s.file[at+4 : at+8]); name {
		case "meta":
			s.boxes(inside+4, next)
		case "iprp", "ipco", "dinf":
			s.boxes(inside, next)
		case "iinf":
			s.boxes(s.big(inside+4, 2), next)
		case "iref":
			s.boxes(inside+4, next)
		case "mdat", "ftyp", "hdlr", "colr":
		default: // iloc, ispe, ipma, pitm, infe, references
			for n := inside; n+2 <= min(next, inside+200); n += 2 {
				s.big(n, 2)
			}
		}
		at = next
	}
}
