package resize

import "encoding/binary"

// frameWalk counts the frames of an animation in a file that is still being read.
type frameWalk struct {
	count    int
	lossless bool // a WebP with such a frame
	ended    bool // a GIF, whose trailer has come
	at       int  // of the first byte that was not looked at yet
	blocks   bool // it begins one of GIF's blocks of data
}

// gif goes on with what there is of a GIF by now (GIF89a, sections 15 to 27). One that lacks nothing but the trailer is cut
// short too: nobody knows how many frames it had.
func (w *frameWalk) gif(file []byte) {
	const (
		extension = 0x21
		image     = 0x2c
		trailer   = 0x3b
		padding   = 0 // which the standard doesn't have, but some files do
	)
	colorTable := func(flags byte) int { return int(flags>>7) * 3 << (flags&7 + 1) }
	for w.at < len(file) && !w.ended {
		left := file[w.at:]
		switch {
		case w.at == 0:
			if len(left) < 13 {
				return
			}
			w.at = 13 + colorTable(left[10])
		case w.blocks:
			w.at += 1 + int(left[0])
			w.blocks = left[0] != 0
		case left[0] == extension:
			w.at += 2
			w.blocks = true
		case left[0] == image:
			if len(left) < 10 {
				return
			}
			w.count++
			w.at += 10 + colorTable(left[9]) + 1 // and the LZW code size
			w.blocks = true
		case left[0] == padding:
			w.at++
		case left[0] == trailer:
			w.ended = true
		default: // broken
			return
		}
	}
}

// webp goes on with what there is of a WebP by now (RFC 9649, section 2).
func (w *frameWalk) webp(file []byte) {
	w.at = max(w.at, 12)
	for w.at+8 <= len(file) {
		switch string(file[w.at : w.at+4]) {
		case "ANMF":
			w.count++
		case "VP8L":
			w.lossless = true
		}
		size := int(binary.LittleEndian.Uint32(file[w.at+4:]))
		w.at += 8 + size + size%2
	}
}
