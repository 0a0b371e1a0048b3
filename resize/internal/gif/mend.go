package gif

import (
	"encoding/binary"

	"s3resizer/resize/internal/rejection"
)

// blank is a frame of one transparent pixel: its graphic control extension, its descriptor, and its data.
const blank = "\x21\xf9\x04\x01\x00\x00\x00\x00" + "\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00" + "\x02\x02\x44\x01\x00"

// Mend returns the file, once it was walked to its end, as libvips has to have it to show what browsers show. hidden is how
// many frames at the end are there for libvips alone. The error is a [*rejection.Rejection]: a frame has not all of its
// pixels, or is not all there.
//
// In browsers, what no frame has drawn yet is transparent, and so is what a frame leaves behind that is disposed of "to the
// background". libvips has an alpha channel only if some frame has a transparent color, and takes the background's color
// unless the frame that is disposed of has one. So such a frame gets one, which it does not use; and if there is none in the
// file, a blank frame at its end has one. (A frame that uses all 256 colors is left as it is: it is disposed of in the
// background's color.)
func (w *Walk) Mend(file []byte) (mended []byte, hidden int, err error) {
	if !w.whole(file) {
		return nil, 0, rejection.Corruptf("the gif is damaged or cut short")
	}
	var screen rect
	screen.right, screen.bottom = Screen(file)
	transparent := false
	for i, f := range w.frames {
		area := f.area(file)
		pixels, used := decoded(file[f.data:], area.pixels())
		if pixels < area.pixels() {
			return nil, 0, rejection.Corruptf("the gif is damaged or cut short: frame %d of %d has %d of its %d pixels", i+1, w.Frames, pixels, area.pixels())
		}
		if i+1 < len(w.frames) && f.disposal(file) == toBackground && !f.transparent(file) && !w.frames[i+1].covers(file, area) {
			f.makeTransparent(file, used)
		}
		transparent = transparent || f.transparent(file)
	}
	first := w.frames[0].area(file) // it makes the screen larger, if it has to
	screen.right, screen.bottom = max(screen.right, first.right), max(screen.bottom, first.bottom)
	if w.ended && (transparent || w.frames[0].covers(file, screen)) {
		return file, 0, nil
	}
	file = file[:w.frames[len(w.frames)-1].end(file)] // without half of a comment, or zeros, at which libvips stops
	if !transparent && !w.frames[0].covers(file, screen) {
		file, hidden = append(file, blank...), 1
	}
	return append(file, trailer), hidden, nil
}

// toBackground is the disposal that clears what a frame has drawn.
const toBackground = 2

// controls returns the flags, delay and transparent color of a frame, or nil if it has none.
func (f frame) controls(file []byte) []byte {
	if f.control == 0 || file[f.control+2] < 4 {
		return nil
	}
	return file[f.control+3 : f.control+7]
}

func (f frame) disposal(file []byte) byte {
	if c := f.controls(file); c != nil {
		return c[0] >> 2 & 7
	}
	return 0
}

func (f frame) transparent(file []byte) bool {
	c := f.controls(file)
	return c != nil && c[0]&1 != 0
}

// makeTransparent gives a frame a transparent color that it does not use.
func (f frame) makeTransparent(file []byte, used [256]bool) {
	for color, is := range used {
		if !is {
			c := f.controls(file)
			c[0], c[3] = c[0]|1, byte(color)
			return
		}
	}
}

// covers reports whether a frame draws every pixel of an area.
func (f frame) covers(file []byte, area rect) bool {
	own := f.area(file)
	return !f.transparent(file) && own.left <= area.left && own.top <= area.top && own.right >= area.right && own.bottom >= area.bottom
}

// end returns where the frame's data end.
func (f frame) end(file []byte) int {
	at := f.data + 1
	for at < len(file) && file[at] != 0 {
		at += 1 + int(file[at])
	}
	return at + 1
}

// rect is an area of the screen, in pixels; right and bottom are just outside.
type rect struct{ left, top, right, bottom int }

func (r rect) pixels() int { return (r.right - r.left) * (r.bottom - r.top) }

func (f frame) area(file []byte) rect {
	d := file[f.descriptor+1:]
	left, top := le16(d), le16(d[2:])
	return rect{left, top, left + le16(d[4:]), top + le16(d[6:])}
}

func le16(b []byte) int { return int(binary.LittleEndian.Uint16(b)) }
