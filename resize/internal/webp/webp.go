// Package webp counts the frames of a WebP (RFC 9649) while it is still being read, and notices lossless ones. [Walk] is all
// of it.
//
// Weighed: golang.org/x/image/riff reads the same chunks, from a reader that it waits for; here a file is looked at each time
// that some of it has come. golang.org/x/image/webp decodes, and no animations.
package webp

import "encoding/binary"

// Walk is how far a file was looked at. The zero value is at its beginning.
type Walk struct {
	Frames   int  // of an animation
	Lossless bool // one of them is, or the picture

	at int // of the first byte that was not looked at yet
}

// On goes on with what there is of a WebP by now (RFC 9649, section 2).
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
