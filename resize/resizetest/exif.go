package resizetest

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// entry is one field of an image file directory, as TIFF, EXIF and MPF have them (TIFF 6.0, section 2).
type entry struct {
	tag, kind uint16
	values    any // of the kind: []byte, []uint16, []uint32
}

// The kinds of values.
const (
	kindASCII     = 2
	kindShort     = 3
	kindLong      = 4
	kindRational  = 5
	kindUndefined = 7
)

func short(tag uint16, values ...uint16) entry { return entry{tag, kindShort, values} }
func long(tag uint16, values ...uint32) entry  { return entry{tag, kindLong, values} }

// rational is a field of fractions with the denominator 10000.
func rational(tag uint16, values ...uint32) entry {
	var pairs []uint32
	for _, v := range values {
		pairs = append(pairs, v, 10000)
	}
	return entry{tag, kindRational, pairs}
}

// header is the header of a TIFF file, right before its first directory.
func header(order binary.AppendByteOrder) []byte {
	mark := "II"
	if order == binary.AppendByteOrder(binary.BigEndian) {
		mark = "MM"
	}
	return order.AppendUint32(order.AppendUint16([]byte(mark), 42), 8)
}

// directory encodes a directory that begins at the offset at, after which there is none.
func directory(order binary.AppendByteOrder, at int, entries []entry) []byte {
	slices.SortFunc(entries, func(a, b entry) int { return int(a.tag) - int(b.tag) })
	var fields, values []byte
	valuesAt := at + 2 + 12*len(entries) + 4
	for _, e := range entries {
		data, err := binary.Append(nil, order.(binary.ByteOrder), e.values)
		if err != nil {
			panic(err) // values of a fixed size: a mistake in this package
		}
		count := len(data) / map[uint16]int{kindASCII: 1, kindShort: 2, kindLong: 4, kindRational: 8, kindUndefined: 1}[e.kind]
		fields = order.AppendUint16(order.AppendUint16(fields, e.tag), e.kind)
		fields = order.AppendUint32(fields, uint32(count))
		if len(data) <= 4 {
			fields = append(fields, data...)
			fields = append(fields, make([]byte, 4-len(data))...)
			continue
		}
		fields = order.AppendUint32(fields, uint32(valuesAt+len(values)))
		values = append(values, data...)
		if len(values)%2 == 1 {
			values = append(values, 0)
		}
	}
	out := order.AppendUint16(nil, uint16(len(entries)))
	out = order.AppendUint32(append(out, fields...), 0)
	return append(out, values...)
}

// exif is an EXIF block with an orientation, a maker, and a note of the given length.
func exif(order binary.AppendByteOrder, orientation uint16, note int) []byte {
	return append(header(order), directory(order, 8, []entry{
		short(0x0112, orientation),
		{0x010f, kindASCII, []byte("Nobody\x00")},
		{0x927c, kindUndefined, bytes.Repeat([]byte("note"), note/4+2)},
	})...)
}

// EXIF is an EXIF block that says how the picture is turned.
func EXIF(orientation uint16) []byte { return exif(binary.BigEndian, orientation, 0) }

// longOrientation is an EXIF block in which the orientation is a number of 32 bits. Browsers ignore it.
func longOrientation() []byte {
	return bytes.Replace(EXIF(6), []byte("\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"), []byte("\x01\x12\x00\x04\x00\x00\x00\x01\x00\x00\x00\x06"), 1)
}
