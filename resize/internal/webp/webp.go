// Package webp counts the frames of a WebP (RFC 9649) while the file is still being read, and notices lossless ones: see
// [Walk]; and frames without pixels: see [Lacking]. [Blocks] is what it says of itself.
//
// Libraries that were weighed: golang.org/x/image/riff reads the same chunks, but waits for its reader; here the file is
// looked at whenever some more of it has come. golang.org/x/image/webp decodes pixels, and no animations.
package webp

import (
	"encoding/binary"
	"iter"

	"s3resizer/resize/internal/credit"
)

// Walk is a walk through a file that is still growing. The zero value stands at its beginning.
type Walk struct {
	Frames   int  // of an animation; 0 for a still picture
	Lossless bool // the picture is, or one of its frames

	at int // where the first byte is that was not looked at yet
}

// On walks on through what there is of the file by now, from its first byte (RFC 9649, section 2).
func (w *Walk) On(file []byte) {
	w.at = max(w.at, 12)
	for w.at+8 <= len(file) {
		switch string(file[w.at : w.at+4]) {
		case "ANMF":
			w.Frames++
		case "VP8L":
			w.Lossless = true
		}
		size := int(binary.LittleEndian.Uint32(file[w.at+4:]))
		w.at += 8 + size + size%2
	}
}

// Lacking reports whether a frame of an animation has no pixels. libwebp leaves such a one out.
func Lacking(file []byte) bool {
	for name, content := range chunks(file[min(len(file), 12):]) {
		if name != "ANMF" {
			continue
		}
		pixels := false
		for inside := range chunks(content[min(len(content), 16):]) {
			pixels = pixels || inside == "VP8 " || inside == "VP8L"
		}
		if !pixels {
			return true
		}
	}
	return false
}

// Blocks returns what a file says of itself (RFC 9649, 2.7.1.5).
func Blocks(file []byte) (b credit.Blocks) {
	for name, content := range chunks(file[min(len(file), 12):]) {
		switch name {
		case "EXIF":
			b.EXIF = content
		case "XMP ":
			b.XMP = content
		}
	}
	return b
}

// chunks iterates over the names and contents of the chunks that are whole.
func chunks(data []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for len(data) >= 8 {
			size := int(binary.LittleEndian.Uint32(data[4:]))
			if size > len(data)-8 || !yield(string(data[:4]), data[8:8+size]) {
				return
			}
			data = data[min(len(data), 8+size+size%2):]
		}
	}
}
