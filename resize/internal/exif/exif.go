// Package exif reads of EXIF (CIPA DC-008) what the pixels need, [Orientation], and texts of the picture's own directory.
//
// libvips reads the orientation too, but takes a number of any type. Browsers don't, so such a picture would be shown in one way
// as it was uploaded and in another when it is resized. Libraries that were weighed, such as github.com/rwcarlsen/goexif, read
// all fields, from whole files.
package exif

import (
	"bytes"
	"encoding/binary"
)

// Orientation returns how a picture with this block is turned, 1 to 8, or 0 if the block does not say so as the standard has
// it (4.6.4, tag 0x0112): as one number of 16 bits.
func Orientation(block []byte) int {
	f, order, _ := find(block, 0x0112)
	const short = 3
	if f == nil || order.Uint16(f[2:]) != short || order.Uint32(f[4:]) != 1 || order.Uint16(f[8:]) > 8 {
		return 0
	}
	return int(order.Uint16(f[8:]))
}

// The tags of texts (4.6.4).
const (
	Artist    = 0x013b
	Copyright = 0x8298
)

// Text returns what the block has as a text, in whatever encoding, or nil.
func Text(block []byte, tag uint16) []byte {
	f, order, block := find(block, tag)
	const ascii, utf8 = 2, 129 // the other one is of EXIF 3.0
	if f == nil || order.Uint16(f[2:]) != ascii && order.Uint16(f[2:]) != utf8 {
		return nil
	}
	length, at := uint64(order.Uint32(f[4:])), uint64(order.Uint32(f[8:]))
	if length <= 4 {
		return f[8 : 8+length]
	}
	if at+length > uint64(len(block)) {
		return nil
	}
	return block[at : at+length]
}

// find returns the entry of a field in the first directory, 12 bytes, or nil; the order of its bytes; and the block without a
// name before it, from whose beginning offsets count.
func find(block []byte, tag uint16) (entry []byte, order binary.ByteOrder, whole []byte) {
	block = bytes.TrimPrefix(block, []byte("Exif\x00\x00"))
	if len(block) < 8 {
		return nil, nil, block
	}
	order = binary.LittleEndian
	if block[0] == 'M' {
		order = binary.BigEndian
	}
	at := uint64(order.Uint32(block[4:]))
	if at+2 > uint64(len(block)) {
		return nil, order, block
	}
	count, entries := order.Uint16(block[at:]), block[at+2:]
	for ; count > 0 && len(entries) >= 12; count-- {
		if order.Uint16(entries) == tag {
			return entries[:12], order, block
		}
		entries = entries[12:]
	}
	return nil, order, block
}
