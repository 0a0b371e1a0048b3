package resizetest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
)

// ManyScans is a whole progressive JPEG of 64 × 64 grey pixels, whose every bit of every coefficient has a scan of its own: 1 and 63
// for each of the bits. All are of a few bytes.
func ManyScans(bits int) []byte {
	file := append([]byte("\xff\xd8\xff\xdb\x00\x43\x00"), bytes.Repeat([]byte{1}, 64)...)
	file = append(file, "\xff\xc2\x00\x0b\x08\x00\x40\x00\x40\x01\x01\x11\x00"...)
	table := func(class, symbol byte) { // with a single code, of one bit
		file = append(file, 0xff, 0xc4, 0, 20, class<<4, 1)
		file = append(append(file, make([]byte, 15)...), symbol)
	}
	table(0, 0)    // no difference
	table(1, 0x60) // 64 blocks are at their end, and more by the six bits behind it
	scan := func(coefficient, high, low int, data ...byte) {
		file = append(file, 0xff, 0xda, 0, 8, 1, 1, 0, byte(coefficient), byte(coefficient), byte(high<<4|low))
		file = append(file, data...)
	}
	scan(0, 0, 0, make([]byte, 8)...)
	for coefficient := 1; coefficient < 64; coefficient++ {
		for low := bits - 1; low >= 0; low-- {
			high := low + 1
			if low == bits-1 {
				high = 0
			}
			scan(coefficient, high, low, 0x01)
		}
	}
	return append(file, 0xff, 0xd9)
}

// ManyElements is SwappedProfile with a multi-process element tag (ICC.1:2010, 10.14) of so many elements, all of which are the one
// matrix that changes nothing.
func ManyElements(n int) []byte {
	profile := SwappedProfile(0)
	count := binary.BigEndian.Uint32(profile[128:])
	table, data := bytes.Clone(profile[132:132+12*count]), profile[132+12*count:]
	for at := 4; at < len(table); at += 12 {
		binary.BigEndian.PutUint32(table[at:], binary.BigEndian.Uint32(table[at:])+12)
	}
	matrix := []byte("matf\x00\x00\x00\x00\x00\x03\x00\x03")
	for i := range 12 {
		matrix = binary.BigEndian.AppendUint32(matrix, map[bool]uint32{true: 0x3f800000}[i < 9 && i%4 == 0])
	}
	elements := binary.BigEndian.AppendUint32([]byte("mpet\x00\x00\x00\x00\x00\x03\x00\x03"), uint32(n))
	for range n {
		elements = binary.BigEndian.AppendUint32(elements, uint32(16+8*n))
		elements = binary.BigEndian.AppendUint32(elements, uint32(len(matrix)))
	}
	elements = append(elements, matrix...)
	out := binary.BigEndian.AppendUint32(bytes.Clone(profile[:128]), count+1)
	out = append(append(out, table...), "D2B0"...)
	out = binary.BigEndian.AppendUint32(out, uint32(len(profile)+12))
	out = binary.BigEndian.AppendUint32(out, uint32(len(elements)))
	out = append(append(out, data...), elements...)
	binary.BigEndian.PutUint32(out, uint32(len(out)))
	return out
}

// WithProfile is a PNG with an ICC profile (PNG, 11.3.2.3).
func WithProfile(png, profile []byte) ([]byte, error) {
	body := bytes.NewBufferString("iCCPprofile\x00\x00")
	compressed := zlib.NewWriter(body)
	if _, err := compressed.Write(profile); err != nil {
		return nil, err
	}
	if err := compressed.Close(); err != nil {
		return nil, err
	}
	const header = 8 + 25 // the signature and IHDR
	out := binary.BigEndian.AppendUint32(bytes.Clone(png[:header]), uint32(body.Len()-4))
	out = append(out, body.Bytes()...)
	out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body.Bytes()))
	return append(out, png[header:]...), nil
}
