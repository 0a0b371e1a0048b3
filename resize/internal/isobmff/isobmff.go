// Package isobmff reads the boxes of AVIF and HEIC files (ISO/IEC 23008-12), which are ISO base media files (ISO/IEC
// 14496-12), without decoding a pixel.
//
//   - [IsAVIF] and [IsHEIC] recognize the formats.
//   - [Check] refuses files that would lead a decoder astray.
//   - [Tiles] hands out the tiles of a grid, each as a file of its own.
//   - [Undecoded] names codecs that are not decoded.
//   - [Frames] counts those of a sequence.
//   - [ReadColors] reads what the samples of an AVIF mean: the code points of CICP, in the boxes or in the coded data.
//
// Libraries that were weighed: github.com/abema/go-mp4 knows the boxes of movies, but not the item references that [Check] is
// about; golang.org/x/image has nothing of the kind. Only a few kinds of box are read here, which takes less code than a
// library would.
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

// isPicture reports whether the major brand is one of pictures. Movies and sequences in HEVC have others.
func isPicture(head []byte) bool {
	major := string(head[8:12])
	return string(head[4:8]) == "ftyp" && slices.Contains([]string{"heic", "heix", "heim", "heis", "mif1", "msf1", "avif", "avis"}, major)
}

// hasBrand reports whether one of the brands is in the ftyp box, with which every such file begins (ISO/IEC 14496-12, 4.3):
// size, "ftyp", major brand, minor version and compatible brands, four bytes each.
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

// Frames returns how many samples the first track of a sequence has (ISO/IEC 14496-12, 8.7.3), or 0 for a file without.
func Frames(file []byte) int {
	for _, name := range []string{"moov", "trak", "mdia", "minf", "stbl"} {
		file = box(file, name, 0)
	}
	if sizes := box(file, "stsz", 4); len(sizes) >= 8 {
		return int(binary.BigEndian.Uint32(sizes[4:]))
	}
	return 0
}

// box returns the content of the first box with a name, without its first skip bytes, or nil.
func box(file []byte, name string, skip int) []byte {
	for content := range boxes(file, name, skip) {
		return content
	}
	return nil
}

// boxes iterates over the contents of the boxes with a name, without the first skip bytes of each.
func boxes(file []byte, name string, skip int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for header, whole := range allBoxes(file) {
			if string(whole[4:8]) == name && !yield(whole[min(header+skip, len(whole)):]) {
				return
			}
		}
	}
}

// allBoxes iterates over boxes (ISO/IEC 14496-12, 4.2): the length of each one's header, and the whole of it.
func allBoxes(file []byte) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		for len(file) >= 8 {
			header, size := 8, uint64(binary.BigEndian.Uint32(file))
			switch {
			case size == 0: // the last one
				size = uint64(len(file))
			case size == 1 && len(file) >= 16:
				header, size = 16, binary.BigEndian.Uint64(file[8:])
			}
			if size < uint64(header) || size > uint64(len(file)) || !yield(header, file[:size]) {
				return
			}
			file = file[size:]
		}
	}
}
