package jpeg

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"slices"
)

// Tuned returns a JPEG with the Huffman tables that suit it best in place of the standard ones, and every coefficient as it
// was. The picture must be as encoders write it, sequential and in one scan without restart markers; any other is an error.
//
// An encoder can do the same, by keeping all coefficients and going over them twice. That adds twice the time of encoding.
// Going over the codes that were written adds half as much, and the result is the same.
func Tuned(file []byte) ([]byte, error) {
	s := &scanner{maxPixels: math.MaxUint32, bitReader: bitReader{data: file, at: 2}}
	out := append(make([]byte, 0, len(file)), 0xff, markerSOI)
	for {
		marker, err := s.marker()
		if err != nil {
			return nil, err
		}
		parameters, err := s.segment()
		if err != nil {
			return nil, err
		}
		if marker == markerSOS {
			return s.recode(out, parameters)
		}
		if err := s.setting(marker, parameters); err != nil {
			return nil, err
		}
		if marker != markerDHT {
			out = appendSegment(out, marker, parameters)
		}
	}
}

func appendSegment(out []byte, marker byte, parameters []byte) []byte {
	out = append(out, 0xff, marker)
	out = binary.BigEndian.AppendUint16(out, uint16(2+len(parameters)))
	return append(out, parameters...)
}

// recode appends the new tables, the scan with the given header, and the end marker.
func (s *scanner) recode(out, header []byte) ([]byte, error) {
	in, err := s.scanHeader(header)
	if err != nil {
		return nil, err
	}
	if s.progressive || s.restarts > 0 || len(in) != len(s.components) {
		return nil, errors.New("not a sequential picture in one scan without restart markers")
	}
	var counts [2 * slots][256]int
	codes, err := s.codes(in, &counts)
	if err != nil {
		return nil, err
	}
	var words [2 * slots][256]codeword
	var definitions []byte
	bits := 0
	for table := range counts {
		lengths, symbols := optimalLengths(&counts[table])
		if len(symbols) == 0 {
			continue
		}
		definitions = append(definitions, byte(table/slots)<<4|byte(table%slots))
		definitions = append(append(definitions, lengths[:]...), symbols...)
		words[table] = codewords(lengths, symbols)
		for symbol, n := range counts[table] {
			bits += n * int(words[table][symbol].length)
		}
	}
	out = appendSegment(out, markerDHT, definitions)
	out = appendSegment(out, markerSOS, header)
	out = appendCodes(out, codes, &words, bits)
	return append(out, 0xff, markerEOI), nil
}

// slots is how many Huffman tables there can be of each class. Here, tables for DC coefficients are numbered from 0 on, those
// for AC coefficients from slots on.
const slots = 4

// scanCode is one code of a scan and the extra bits that follow it. From the top, it holds the number of the table (3 bits),
// the symbol (8 bits) and the extra bits (16 bits).
type scanCode uint32

func newCode(table, symbol int) scanCode { return scanCode(table<<24 | symbol<<16) }

func (c scanCode) table() uint32  { return uint32(c) >> 24 % (2 * slots) }
func (c scanCode) symbol() uint32 { return uint32(c) >> 16 & 0xff }
func (c scanCode) extra() uint32  { return uint32(c) & 0xffff }

// size is the number of extra bits. A DC symbol is that number; an AC symbol has it in its low 4 bits, below a run (T.81,
// F.1.2).
func (c scanCode) size() uint32 { return uint32(c) >> 16 & 15 }
func (c scanCode) run() uint32  { return uint32(c) >> 20 & 15 }

// codes reads the data of a sequential scan of all components, and counts how often each table has each symbol.
func (s *scanner) codes(in []*component, counts *[2 * slots][256]int) ([]scanCode, error) {
	data, err := s.unstuffed()
	if err != nil {
		return nil, err
	}
	end := 8 * uint(len(data))
	data = append(data, make([]byte, longestBlock)...)
	var lookups [2 * slots]*lookup
	for _, c := range in {
		if lookups[c.dcSlot] == nil {
			lookups[c.dcSlot] = newLookup(c.dcSlot, c.dc)
		}
		if lookups[slots+c.acSlot] == nil {
			lookups[slots+c.acSlot] = newLookup(slots+c.acSlot, c.ac)
		}
	}
	codes := make([]scanCode, 0, 2*len(data))
	at := uint(0)
	across, down := s.units(in)
	for range across * down {
		for _, c := range in {
			for range s.blocksInMCU(c, in) {
				codes = slices.Grow(codes, 64)
				block := (*[64]scanCode)(codes[len(codes) : len(codes)+64])
				n, length := blockCodes(block, data[at/8:], at%8, lookups[c.dcSlot], lookups[slots+c.acSlot], counts)
				codes, at = codes[:len(codes)+n], at+length
				if n == 0 || at > end {
					return nil, errors.New("its codes and its data don't agree")
				}
			}
		}
	}
	if end-at > 7 {
		return nil, errLeft
	}
	return codes, nil
}

// unstuffed returns the data of a scan up to the end marker, without the zeros stuffed after bytes of ones.
func (s *scanner) unstuffed() ([]byte, error) {
	data := make([]byte, 0, len(s.data)-s.at+longestBlock)
	for rest := s.data[s.at:]; ; {
		i := bytes.IndexByte(rest, 0xff)
		if i < 0 || i+1 == len(rest) || rest[i+1] != 0 && rest[i+1] != markerEOI {
			return nil, errors.New("its data does not go on to the end of the picture")
		}
		if rest[i+1] == markerEOI {
			return append(data, rest[:i]...), nil
		}
		data, rest = append(data, rest[:i+1]...), rest[i+2:]
	}
}

// longestBlock is more bytes than a block can have: 64 codes of 16 bits, with 15 extra bits each.
const longestBlock = 256

// longestCode is how many bits a code can have, with its extra bits: 16 and 15.
const longestCode = 31

// blockCodes reads the codes of the block (T.81, F.2.2) that begins at the bit start of data. It returns how many there are,
// 0 if they make no sense, and their length in bits.
func blockCodes(codes *[64]scanCode, data []byte, start uint, dc, ac *lookup, counts *[2 * slots][256]int) (n int, length uint) {
	at, table := start, dc
	window, left := uint64(0), uint32(0) // the bits from at on, and how many of them are valid
	for k := uint32(0); k < 64; k++ {
		if left < longestCode {
			window, left = binary.BigEndian.Uint64(data[at/8:])<<(at%8), 57 // or up to 7 more
		}
		entry := table.fast[window>>(64-fastBits)]
		if entry == 0 {
			entry = table.find(int(window >> 48))
		}
		c, bits := scanCode(entry&^0xffff), entry&0xff
		size, run := c.size(), c.run()
		codes[n&63] = c | scanCode(window>>((64-bits)&63))&(1<<size-1)
		counts[c.table()][c.symbol()]++
		n, at, window, left = n+1, at+uint(bits), window<<(bits&63), left-bits
		if bits == 0 {
			return 0, 0
		}
		if k += run; size == 0 && run < 15 && table == ac {
			break
		}
		if k > 63 {
			return 0, 0
		}
		table = ac
	}
	return n, at - start
}

// lookup finds the code that some bits begin with. An entry is a scanCode whose extra bits are zero, and in their place the
// length of the code with its extra bits; it is 0 if there is no such code.
type lookup struct {
	fast  [1 << fastBits]uint32 // by the first bits; 0 if the code is longer
	table int
	all   *huffman
}

const fastBits = 12

func newLookup(table int, all *huffman) *lookup {
	l := &lookup{table: table, all: all}
	for i := 0; i < len(l.fast); {
		entry, next := l.find(i<<(16-fastBits)), i+1
		if length := entry&0xff - scanCode(entry).size(); length <= fastBits && entry != 0 {
			for next = i + 1<<(fastBits-length); i < next; i++ {
				l.fast[i] = entry
			}
		}
		i = next
	}
	return l
}

// find returns the entry for a code that the 16 bits of window begin with.
func (l *lookup) find(window int) uint32 {
	length, symbol := l.all.find(window)
	if length == 0 || symbol > 15 && l.table < slots {
		return 0
	}
	c := newCode(l.table, symbol)
	return uint32(c) | uint32(length) + c.size()
}

// optimalLengths finds the best lengths of codes for symbols that occur as often as count says: Huffman's, but none longer
// than 16 bits and none of ones alone (T.81, K.2). It returns how many codes there are of each length, from 1 on, and the
// symbols in the order of their codes.
func optimalLengths(count *[256]int) (lengths [16]byte, symbols []byte) {
	const none = -1
	type tree struct{ count, first, last int } // its symbols are a chain, from first to last
	var trees []tree
	for symbol, n := range count {
		if n > 0 {
			trees = append(trees, tree{n, symbol, symbol})
		}
	}
	trees = append(trees, tree{1, 256, 256}) // takes the code of ones, one of the longest, so that no symbol gets it
	rarestLast := func(a, b tree) int { return cmp.Or(b.count-a.count, a.first-b.first) }
	slices.SortFunc(trees, rarestLast)
	var size, next [257]int
	for i := range next {
		next[i] = none
	}
	for len(trees) > 1 {
		a, b := trees[len(trees)-1], trees[len(trees)-2]
		next[a.last] = b.first
		for symbol := a.first; symbol != none; symbol = next[symbol] {
			size[symbol]++
		}
		both := tree{a.count + b.count, a.first, b.last}
		at, _ := slices.BinarySearchFunc(trees[:len(trees)-2], both, rarestLast)
		trees = slices.Insert(trees[:len(trees)-2], at, both)
	}
	var of [258]int // how many codes there are of each length
	for _, n := range size {
		of[n]++
	}
	longest := slices.Max(size[:])
	for n := longest; n > 16; n-- {
		for of[n] > 0 { // two of this length: one moves up, the other makes a pair with a shorter one
			shorter := n - 2
			for of[shorter] == 0 {
				shorter--
			}
			of[n] -= 2
			of[n-1]++
			of[shorter+1] += 2
			of[shorter]--
		}
	}
	last := 16
	for of[last] == 0 {
		last--
	}
	of[last]-- // the code of ones
	for n := range lengths {
		lengths[n] = byte(of[n+1])
	}
	for n := 1; n <= longest; n++ {
		for symbol, length := range size[:256] {
			if length == n {
				symbols = append(symbols, byte(symbol))
			}
		}
	}
	return lengths, symbols
}

// codeword is what is written for a symbol: its code, shifted to make room for the extra bits, and the length of both.
type codeword struct{ bits, length uint32 }

// codewords assigns the codes (T.81, C.2).
func codewords(lengths [16]byte, symbols []byte) (words [256]codeword) {
	bits := uint32(0)
	for n, count := range lengths {
		for range count {
			extra := newCode(0, int(symbols[0])).size()
			words[symbols[0]] = codeword{bits << extra, uint32(n+1) + extra}
			symbols = symbols[1:]
			bits++
		}
		bits <<= 1
	}
	return words
}

// appendCodes appends entropy-coded data, which will have the given number of bits. The last byte is filled up with ones, and a
// zero is stuffed after each byte of ones (T.81, F.1.2.3).
func appendCodes(out []byte, codes []scanCode, words *[2 * slots][256]codeword, bits int) []byte {
	data := make([]byte, bits/8+8)
	at, acc, n := 0, uint64(0), uint32(0) // the low n bits of acc, fewer than 32, are to be written next
	for _, c := range codes {
		word := words[c.table()][c.symbol()]
		acc, n = acc<<(word.length&63)|uint64(word.bits|c.extra()), n+word.length
		if n >= 32 {
			n -= 32
			binary.BigEndian.PutUint32(data[at:], uint32(acc>>(n&63)))
			at += 4
		}
	}
	binary.BigEndian.PutUint64(data[at:], acc<<((64-n)&63)|math.MaxUint64>>n)
	at += int(n+7) / 8
	return stuffed(out, data[:at])
}

// stuffed appends data to out, with a zero after each byte of ones.
func stuffed(out, data []byte) []byte {
	for {
		i := bytes.IndexByte(data, 0xff)
		if i < 0 {
			return append(out, data...)
		}
		out, data = append(append(out, data[:i+1]...), 0), data[i+1:]
	}
}
