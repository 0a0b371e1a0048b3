// Package gif counts the frames of a GIF (GIF89a) while the file is still being read, and notices its end: see [Walk].
//
// Go's image/gif was weighed: it decodes every frame on its way to the next, and a limit on their number is there to prevent
// just that.
package gif

// Walk is a walk through a file that is still growing. The zero value stands at its beginning.
type Walk struct {
	Frames int
	Ended  bool // the trailer has come

	at     int  // where the first byte is that was not looked at yet
	blocks bool // that byte begins a block of data
}

// On walks on through what there is of the file by now, from its first byte (GIF89a, sections 15 to 27). A file that lacks
// only its trailer has not Ended: nobody knows how many frames it had.
func (w *Walk) On(file []byte) {
	const (
		extension = 0x21
		image     = 0x2c
		trailer   = 0x3b
		padding   = 0 // not in the standard, but in some files
	)
	colorTable := func(flags byte) int { return int(flags>>7) * 3 << (flags&7 + 1) }
	for w.at < len(file) && !w.Ended {
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
			w.Frames++
			w.at += 10 + colorTable(left[9]) + 1 // and the LZW code size
			w.blocks = true
		case left[0] == padding:
			w.at++
		case left[0] == trailer:
			w.Ended = true
		default: // broken
			return
		}
	}
}
