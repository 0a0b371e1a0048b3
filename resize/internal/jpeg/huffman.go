package jpeg

// huffman is a table of codes of up to 16 bits (T.81, annex C).
type huffman struct {
	fast    [256]uint16 // by the next 8 bits: the length of the code and its symbol; 0 if the code is longer
	end     [17]int     // by length: one more than the last code of that length
	first   [17]int     // by length: symbols[first+c] is the symbol of code c
	symbols []byte
}

// find returns the length and the symbol of the code that the 16 bits of window begin with. The length is 0 if there is none.
func (t *huffman) find(window int) (length, symbol int) {
	for length := 1; length <= 16; length++ {
		if code := window >> (16 - length); code < t.end[length] {
			return length, int(t.symbols[t.first[length]+code])
		}
	}
	return 0, 0
}

// huffmanTables reads Huffman tables (T.81, B.2.4.2).
func (s *scanner) huffmanTables(body []byte) error {
	for len(body) > 0 {
		if len(body) < 17 {
			return errSegment
		}
		class, slot, total := body[0]>>4, body[0]&15, 0
		for _, count := range body[1:17] {
			total += int(count)
		}
		if class > 1 || slot > 3 || total > 256 || len(body) < 17+total {
			return errSegment
		}
		table := newHuffman(body[1:17], body[17:17+total])
		if class == 0 {
			s.dcTables[slot] = table
		} else {
			s.acTables[slot] = table
		}
		body = body[17+total:]
	}
	return nil
}

// newHuffman makes a table. It returns nil if there are more codes than their lengths leave room for.
func newHuffman(counts, symbols []byte) *huffman {
	t := &huffman{symbols: symbols}
	code, index := 0, 0
	for length := 1; length <= 16; length++ {
		t.first[length] = index - code
		for range counts[length-1] {
			if length <= 8 {
				from := code << (8 - length)
				for i := range 1 << (8 - length) {
					if from+i < len(t.fast) {
						t.fast[from+i] = uint16(length)<<8 | uint16(symbols[index])
					}
				}
			}
			code, index = code+1, index+1
		}
		if code >= 1<<length && counts[length-1] > 0 { // a code may not consist of ones alone
			return nil
		}
		t.end[length] = code
		if counts[length-1] == 0 {
			t.end[length] = 0
		}
		code <<= 1
	}
	return t
}

// useStandardTables sets the tables of T.81, annex K.3, which frames of Motion JPEG leave out.
func (s *scanner) useStandardTables() {
	for slot, tables := range standardTables {
		s.dcTables[slot] = newHuffman([]byte(tables.dcCounts), []byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b"))
		s.acTables[slot] = newHuffman([]byte(tables.acCounts), []byte(tables.acSymbols))
	}
}

// standardTables are those for luma and for chroma.
var standardTables = [2]struct{ dcCounts, acCounts, acSymbols string }{
	{
		dcCounts: "\x00\x01\x05\x01\x01\x01\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00",
		acCounts: "\x00\x02\x01\x03\x03\x02\x04\x03\x05\x05\x04\x04\x00\x00\x01\x7d",
		acSymbols: "\x01\x02\x03\x00\x04\x11\x05\x12\x21\x31\x41\x06\x13\x51\x61\x07\x22\x71\x14\x32\x81\x91\xa1\x08\x23\x42\xb1" +
			"\xc1\x15\x52\xd1\xf0\x24\x33\x62\x72\x82\x09\x0a\x16\x17\x18\x19\x1a\x25\x26\x27\x28\x29\x2a\x34\x35\x36\x37" +
			"\x38\x39\x3a\x43\x44\x45\x46\x47\x48\x49\x4a\x53\x54\x55\x56\x57\x58\x59\x5a\x63\x64\x65\x66\x67\x68\x69\x6a" +
			"\x73\x74\x75\x76\x77\x78\x79\x7a\x83\x84\x85\x86\x87\x88\x89\x8a\x92\x93\x94\x95\x96\x97\x98\x99\x9a\xa2\xa3" +
			"\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xc2\xc3\xc4\xc5\xc6\xc7\xc8\xc9\xca\xd2\xd3" +
			"\xd4\xd5\xd6\xd7\xd8\xd9\xda\xe1\xe2\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa",
	},
	{
		dcCounts: "\x00\x03\x01\x01\x01\x01\x01\x01\x01\x01\x01\x00\x00\x00\x00\x00",
		acCounts: "\x00\x02\x01\x02\x04\x04\x03\x04\x07\x05\x04\x04\x00\x01\x02\x77",
		acSymbols: "\x00\x01\x02\x03\x11\x04\x05\x21\x31\x06\x12\x41\x51\x07\x61\x71\x13\x22\x32\x81\x08\x14\x42\x91\xa1\xb1\xc1" +
			"\x09\x23\x33\x52\xf0\x15\x62\x72\xd1\x0a\x16\x24\x34\xe1\x25\xf1\x17\x18\x19\x1a\x26\x27\x28\x29\x2a\x35\x36" +
			"\x37\x38\x39\x3a\x43\x44\x45\x46\x47\x48\x49\x4a\x53\x54\x55\x56\x57\x58\x59\x5a\x63\x64\x65\x66\x67\x68\x69" +
			"\x6a\x73\x74\x75\x76\x77\x78\x79\x7a\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x92\x93\x94\x95\x96\x97\x98\x99\x9a" +
			"\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xc2\xc3\xc4\xc5\xc6\xc7\xc8\xc9\xca" +
			"\xd2\xd3\xd4\xd5\xd6\xd7\xd8\xd9\xda\xe2\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa",
	},
}
