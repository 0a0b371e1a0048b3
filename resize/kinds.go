package resize

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
)

// unread says why a picture of a known format is not to be read, though there may be nothing wrong with it, or returns
// "": libvips would call it damaged, or read something else than the picture. The header has been read.
func (in *input) unread(format Format) string {
	switch format {
	case JPEG:
		return unreadJPEG(in.head.Bytes())
	case TIFF:
		return unreadTIFF(in.file)
	default:
		return ""
	}
}

// unreadJPEG looks at the frame header (ISO 10918-1, B.2.2), if head reaches that far.
func unreadJPEG(head []byte) string {
	for at := 2; at+4 < len(head); {
		marker := head[at+1]
		switch {
		case head[at] != 0xff:
			return ""
		case marker == 0xff: // a fill byte
			at++
			continue
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc:
			if bits := head[at+4]; bits != 8 {
				return fmt.Sprintf("a JPEG of %d bits a sample is not read; 8 are", bits)
			}
			if process := marker & 0xf; process&3 == 3 || process > 4 && process < 9 || process > 12 {
				return "a lossless or hierarchical JPEG is not read; a sequential or progressive one is"
			}
			return ""
		}
		at += 2 + int(binary.BigEndian.Uint16(head[at+2:]))
	}
	return ""
}

// Fields of a TIFF's directory (TIFF 6.0, section 8), and the compressions that are read: none, the two of fax, LZW,
// JPEG old and new, deflate by both its numbers, PackBits.
const (
	tiffSubfile     = 254
	tiffCompression = 259
	tiffPhotometric = 262
)

var tiffCompressions = []uint32{1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946}

// unreadTIFF looks at the first picture. The raw files of most cameras are TIFFs that begin with a small preview.
func unreadTIFF(file []byte) string {
	const raw = "a camera's raw file is not resized; what the camera makes of it, as JPEG, is"
	if len(file) > 10 && bytes.HasPrefix(file[8:], []byte("CR")) {
		return raw // Canon's
	}
	fields := firstDirectory(file)
	if p := fields[tiffPhotometric]; fields[tiffSubfile]&1 != 0 || p == 32803 || p == 34892 { // a preview, or DNG's samples of the sensor
		return raw
	}
	if c, ok := fields[tiffCompression]; ok && !slices.Contains(tiffCompressions, c) {
		return fmt.Sprintf("a TIFF with compression %d is not read; none, LZW, deflate, JPEG, PackBits and fax are", c)
	}
	return ""
}

// firstDirectory gives the fields of one number; none of a BigTIFF, which cameras don't write.
func firstDirectory(file []byte) map[uint16]uint32 {
	order := binary.ByteOrder(binary.LittleEndian)
	if bytes.HasPrefix(file, []byte("MM")) {
		order = binary.BigEndian
	}
	if len(file) < 8 || order.Uint16(file[2:]) != 42 {
		return nil
	}
	fields := map[uint16]uint32{}
	at := int64(order.Uint32(file[4:]))
	if at+2 > int64(len(file)) {
		return nil
	}
	count := int64(order.Uint16(file[at:]))
	for field := file[at+2:]; count > 0 && len(field) >= 12; field, count = field[12:], count-1 {
		switch kind := order.Uint16(field[2:]); {
		case order.Uint32(field[4:]) != 1:
		case kind == 3: // SHORT
			fields[order.Uint16(field)] = uint32(order.Uint16(field[8:]))
		case kind == 4: // LONG
			fields[order.Uint16(field)] = order.Uint32(field[8:])
		}
	}
	return fields
}
