// Package exif reads of EXIF (CIPA DC-008) what the pixels need: [Orientation].
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
	block = bytes.TrimPrefix(block, []byte("Exif\x00\x00"))
	if len(block) < 8 {
		return 0
	}
	var order binary.ByteOrder = binary.LittleEndian
	if block[0] == 'M' {
		order = binary.BigEndian
	}
	at := uint64(order.Uint32(block[4:]))
	if at+2 > uint64(len(block)) {
		return 0
	}
	count, entries := order.Uint16(block[at:]), block[at+2:]
	for ; count > 0 && len(entries) >= 12; count-- {
		if order.Uint16(entries) == 0x0112 {
			const short = 3
			if value := order.Uint16(entries[8:]); order.Uint16(entries[2:]) == short && order.Uint32(entries[4:]) == 1 && value <= 8 {
				return int(value)
			}
			return 0
		}
		entries = entries[12:]
	}
	return 0
}
