// Package isobmff reads the boxes of an ISO base media file (ISO/IEC 14496-12) that an AVIF or HEIC is (ISO/IEC 23008-12), as
// far as they have to be known before it is decoded.
//
// [IsAVIF] and [IsHEIC] tell the formats, [Check] refuses files that would lead a decoder astray, and [Profile] makes an ICC
// profile of the code points of CICP.
//
// Weighed: github.com/abema/go-mp4 knows the boxes of movies, by reflection, and not the item references that this is about;
// golang.org/x/image has nothing of the kind. Two kinds of box are read here, in fewer lines than a library's would take.
package isobmff

import (
	"encoding/binary"
	"iter"
	"slices"
)

// IsAVIF reports whether a file that begins with head, of 12 bytes or more, is an AVIF.
func IsAVIF(head []byte) bool { return isPicture(head) && hasBrand(head, "avif", "avis") }

// IsHEIC reports whether a file that begins with head, of 12 bytes or more, is a HEIC.
func IsHEIC(head []byte) bool { return isPicture(head) && !IsAVIF(head) }

// isPicture reports whether the major brand is one of pictures; by that, movies and sequences in HEVC are not.
func isPicture(head []byte) bool {
	major := string(head[8:12])
	return string(head[4:8]) == "ftyp" && slices.Contains([]string{"heic", "heix", "heim", "heis", "mif1", "msf1", "avif", "avis"}, major)
}

// hasBrand reports whether one of the brands is in the ftyp box that an ISO media file begins with (ISO/IEC 14496-12, 4.3):
// size, "ftyp", major brand, minor version, compatible brands, four bytes each.
func hasBrand(head []byte, brands ...string) bool {
	if slices.Contains(brands, string(head[8:12])) {
		return true
	}
	end := min(int64(binary.BigEndian.Uint32(head)), int64(len(head)))
	for i := int64(16); i+4 <= end; i += 4 {
		if slices.Contains(brands, string(head[i:i+4])) {
			return true
		}
	}
	return false
}

// box returns what is in the first box of a name, but for the first skip bytes, or nil.
func box(file []byte, name string, skip int) []byte {
	for content := range boxes(file, name, skip) {
		return content
	}
	return nil
}

// boxes are what is in the boxes of a name (ISO/IEC 14496-12, 4.2), but for the first skip bytes.
func boxes(file []byte, name string, skip int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(file) >= 8 {
			header, size := 8, uint64(binary.BigEndian.Uint32(file))
			switch {
			case size == 0: // the last one
				size = uint64(len(file))
			case size == 1 && len(file) >= 16:
				header, size = 16, binary.BigEndian.Uint64(file[8:])
			}
			if size < uint64(header) || size > uint64(len(file)) {
				return
			}
			if string(file[4:8]) == name && !yield(file[min(uint64(header+skip), size):size]) {
				return
			}
			file = file[size:]
		}
	}
}
