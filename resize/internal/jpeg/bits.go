package jpeg

import "encoding/binary"

// bitReader reads entropy-coded data up to the next marker.
type bitReader struct {
	data  []byte
	at    int    // where the next byte is that is not in acc
	acc   uint64 // its low n bits are to be read next
	n     int
	end   bool // no more bytes: a marker is next, or the end of the file
	short bool // more bits were wanted than there are
}

// marker finds the next marker (T.81, B.1.1.2), whatever bytes are in front of it.
func (b *bitReader) marker() (byte, error) {
	b.acc, b.n, b.end = 0, 0, false
	for ; b.at+1 < len(b.data); b.at++ {
		if code := b.data[b.at+1]; b.data[b.at] == 0xff && code != 0 && code != 0xff {
			b.at += 2
			return code, nil
		}
	}
	return 0, errEnd
}

// peek returns the next marker without moving.
func (b *bitReader) peek() (byte, error) {
	ahead := *b
	return ahead.marker()
}

// fill makes at least 49 bits ready, or all that there are.
func (b *bitReader) fill() {
	for b.n <= 48 && !b.end {
		if b.n <= 32 && b.at+4 <= len(b.data) {
			if word := binary.BigEndian.Uint32(b.data[b.at:]); !hasOnes(word) {
				b.acc, b.n, b.at = b.acc<<32|uint64(word), b.n+32, b.at+4
				continue
			}
		}
		if b.at == len(b.data) {
			b.end = true
			return
		}
		value, next := b.data[b.at], b.at+1
		if value == 0xff { // a zero is stuffed after it (T.81, F.1.2.3), and more bytes of ones may stand between
			for next < len(b.data) && b.data[next] == 0xff {
				next++
			}
			if next == len(b.data) || b.data[next] != 0 {
				b.end = true
				return
			}
			next++
		}
		b.acc, b.n, b.at = b.acc<<8|uint64(value), b.n+8, next
	}
}

// hasOnes reports whether one of the bytes of word is 0xff: Alan Mycroft's test for a zero byte, on its complement.
func hasOnes(word uint32) bool { return (^word-0x01010101)&word&0x80808080 != 0 }

// take reads up to 16 bits as a number. It reports whether there were as many.
func (b *bitReader) take(count int) (int, bool) {
	if !b.skip(count) {
		return 0, false
	}
	return int(b.acc >> b.n & (1<<count - 1)), true
}

func (b *bitReader) skip(count int) bool {
	if b.n < count {
		if b.fill(); b.n < count {
			b.short = true
			return false
		}
	}
	b.n -= count
	return true
}

// symbol reads a Huffman code and returns what it stands for: less than 0 if there is no such code, or only a part of it.
func (b *bitReader) symbol(table *huffman) int {
	if b.n < 16 {
		b.fill()
	}
	var window int // the next 16 bits, zeros where there are no more
	if b.n >= 16 {
		window = int(b.acc >> (b.n - 16) & 0xffff)
	} else {
		window = int(b.acc << (16 - b.n) & 0xffff)
	}
	if entry := table.fast[window>>8]; entry != 0 && int(entry>>8) <= b.n {
		b.n -= int(entry >> 8)
		return int(entry & 0xff)
	}
	if length, symbol := table.find(window); length > 0 && length <= b.n {
		b.n -= length
		return symbol
	}
	b.short = b.n < 16
	return -1
}
