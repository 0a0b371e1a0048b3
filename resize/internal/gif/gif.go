// Package gif counts the frames of a GIF (GIF89a) while it is still being read, and notices where it ends. [Walk] is all of
// it.
//
// Weighed: Go's image/gif decodes every frame to find the next, which is what a limit on their number is to prevent.
package gif

// Walk is how far a file was looked at. The zero value is at its beginning.
type Walk struct {
	Frames int
	Ended  bool // the trailer has come

	at     int  // of the first byte that was not looked at yet
	blocks bool // it begins a block of data
}

// On goes on with what there is of a GIF by now (GIF89a, sections 15 to 27). One that lacks nothing but the trailer is cut
// short too: nobody knows how many frames it had.
func (w *Walk) On(file []byte) {
	const (
		extension = 0x21
		image     = 0x2c
		trailer   = 0x3b
		padding   = 0 // which the standard doesn't have, but some files do
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
