// Package gif looks at a GIF (GIF89a) before it is decoded.
//
//   - [Walk] counts the frames while the file is still being read, and notices its end.
//   - [Walk.Mend] finds out whether all pixels are there, and lets libvips show what browsers show.
//
// Go's image/gif was weighed: it decodes every frame on its way to the next, and a limit on their number is there to prevent
// just that.
package gif

// Walk is a walk through a file that is still growing. The zero value stands at its beginning.
type Walk struct {
	Frames int

	ended   bool    // the trailer has come
	at      int     // where the first byte is that was not looked at yet
	blocks  bool    // that byte begins a block of data
	label   byte    // of the extension or image that those blocks are of
	control int     // where the graphic control extension of the next frame is, or 0
	frames  []frame // all of them
}

// frame says where in the file a frame is.
type frame struct {
	descriptor int
	control    int // its graphic control extension, or 0
	data       int // the LZW code size, and the blocks after it
}

// The bytes with which blocks begin.
const (
	extension      = 0x21
	graphicControl = 0xf9 // behind the former
	image          = 0x2c
	trailer        = 0x3b
	padding        = 0 // not in the standard, but in some files
)

// tableSize returns how many bytes the color table takes that the flags of a screen or a frame announce.
func tableSize(flags byte) int { return int(flags>>7) * 3 << (flags&7 + 1) }

// On walks on through what there is of the file by now, from its first byte (GIF89a, sections 15 to 27), until there are more
// frames than most.
func (w *Walk) On(file []byte, most int) {
	for w.at < len(file) && !w.ended && w.Frames <= most {
		left := file[w.at:]
		switch {
		case w.at == 0:
			if len(left) < 13 {
				return
			}
			w.at = 13 + tableSize(left[10])
		case w.blocks:
			w.at += 1 + int(left[0])
			w.blocks = left[0] != 0
		case left[0] == extension:
			if len(left) < 2 {
				return
			}
			if w.label = left[1]; w.label == graphicControl {
				w.control = w.at
			}
			w.at += 2
			w.blocks = true
		case left[0] == image:
			if len(left) < 10 {
				return
			}
			data := w.at + 10 + tableSize(left[9])
			w.frames = append(w.frames, frame{w.at, w.control, data})
			w.Frames++
			w.at, w.control, w.label = data+1, 0, image
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

// Screen returns the dimensions of the file's screen, in pixels.
func Screen(file []byte) (width, height int) { return le16(file[6:]), le16(file[8:]) }

// whole reports whether all frames are there that the file announces. Some encoders leave the trailer out. Without it, nobody
// knows how many frames there were; but a file that was cut ends in the middle of one, or of what announces the next, in all
// places but a few.
func (w *Walk) whole(file []byte) bool {
	complete := !w.blocks && w.at == len(file) || w.blocks && w.label != image // the pixels of the last frame
	return w.Frames > 0 && (w.ended || w.control == 0 && complete)
}
