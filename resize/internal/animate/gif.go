// Package animate writes animations as GIFs. A frame is what has changed since the one before: the pixels that look the same are
// neither looked at for colors nor coded again, which is most of the time and most of the bytes of a recording of a screen. And
// nothing is dithered: dots that are elsewhere in each frame are change, and are what made a GIF larger than the one that it was
// made from.
//
// libvips's encoder, which writes the stills, was weighed: it looks for 256 colors of every frame anew, whatever has changed.
package animate

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/gif"

	"s3resizer/resize/internal/vips"
)

const (
	// leastChange is by how much a color must change to be drawn anew: by 8 of 255 in one channel, by 4 or 5 in all of them. With
	// 4, a film has a quarter more bytes; with 12, it loses 2 dB instead of 1.
	leastChange = 8
	// leastSame is how many pixels in a row must be the same in a frame of which much has changed for them to be left out: a few
	// of them only break the row that LZW could have had a code for.
	leastSame = 16
	// most is the longest delay that a GIF can have, in hundredths of a second.
	most = 1<<16 - 1
)

// A pixel is 0xRRGGBB, or clear. It has the mark, too, if it is to be drawn.
const (
	clear = 1 << 24
	drawn = 1 << 25
)

// animator makes one frame after the other.
type animator struct {
	width, height int
	effort        int
	shown         []uint32 // what is on the screen, in the colors that it had before a palette was chosen
	now, next     []uint32
	changed       []uint32 // the pixels of now that are drawn
	searches      int      // for a palette
	full          int      // how many of them have found that few colors are not enough
	colors        *palette // of the last frame that was not a small one
	out           gif.GIF
}

// GIF encodes an animation, with an effort from 1 to 10 for the colors. There are as many frames as in raw, with their delays to a
// hundredth of a second. What has an alpha below 128 is transparent, the rest is opaque.
func GIF(raw vips.Raw, effort int) ([]byte, error) {
	a := &animator{width: raw.Width, height: raw.Height / raw.Frames, effort: effort}
	pixels := a.width * a.height
	a.shown, a.now, a.next, a.changed = make([]uint32, pixels), make([]uint32, pixels), make([]uint32, pixels), make([]uint32, 0, pixels)
	for i := range a.shown {
		a.shown[i] = clear
	}
	unpack(a.next, raw.Rows(0, a.height))
	for i := range raw.Frames {
		a.now, a.next = a.next, a.now
		unpack(a.next, raw.Rows(min(i+1, raw.Frames-1)*a.height, a.height))
		if err := a.draw(); err != nil {
			return nil, fmt.Errorf("frame %d: %w", i+1, err)
		}
		delay := 0
		if i < len(raw.Delays) {
			delay = min(most, (raw.Delays[i]+5)/10)
		}
		a.out.Delay = append(a.out.Delay, delay)
	}
	a.shareTable()
	a.out.Config.Width, a.out.Config.Height = a.width, a.height
	if a.out.LoopCount = max(0, raw.Loop-1); raw.Loop == 1 { // the file has the number of repeats, or nothing
		a.out.LoopCount = -1
	}
	var data pieces
	if err := gif.EncodeAll(&data, &a.out); err != nil {
		return nil, err
	}
	return bytes.Join(data, nil), nil
}

// pieces are what is written, without the room that a growing buffer has, which for an animation is much.
type pieces [][]byte

func (p *pieces) Write(data []byte) (int, error) {
	*p = append(*p, bytes.Clone(data))
	return len(data), nil
}

func unpack(pixels []uint32, raw vips.Raw) {
	for i := range pixels {
		s := raw.Samples[i*raw.Bands:][:raw.Bands]
		switch {
		case raw.Bands%2 == 0 && s[raw.Bands-1] < 128:
			pixels[i] = clear
		case raw.Bands < 3:
			pixels[i] = uint32(s[0]) * 0x010101
		default:
			pixels[i] = uint32(s[0])<<16 | uint32(s[1])<<8 | uint32(s[2])
		}
	}
}

// draw adds the frame that makes now of what is shown.
func (a *animator) draw() error {
	changes, gone, n := a.compare()
	area := changes.Union(gone)
	if area.Empty() { // one transparent pixel, for the time that it takes
		a.add(image.NewPaletted(image.Rect(0, 0, 1, 1), color.Palette{color.NRGBA{}}), gif.DisposalNone)
		return nil
	}
	if 5*n > 2*area.Dx()*area.Dy() {
		a.join(area)
	}
	a.changed = a.changed[:0]
	for _, row := range a.rows(area, a.now) {
		for _, c := range row {
			if c&drawn != 0 {
				a.changed = append(a.changed, c&^drawn)
			}
		}
	}
	colors, indexes, err := a.choose(a.changed)
	if err != nil {
		return err
	}
	frame := image.NewPaletted(area, colors.table)
	shown := a.rows(area, a.shown)
	for y, row := range a.rows(area, a.now) {
		to := frame.Pix[y*frame.Stride:]
		for x, c := range row {
			if to[x] = colors.clear(); c&drawn != 0 {
				to[x], indexes = indexes[0], indexes[1:]
				shown[y][x] = c &^ drawn
			}
		}
	}
	if gone.Empty() {
		a.add(frame, gif.DisposalNone)
		return nil
	}
	a.add(frame, gif.DisposalBackground)
	for _, row := range shown {
		for x := range row {
			row[x] = clear
		}
	}
	return nil
}

// compare marks the n pixels of now that have to be drawn, and returns where those are, and where those that are clear in the next
// frame: a GIF clears the whole area of a frame, or nothing.
func (a *animator) compare() (changes, gone image.Rectangle, n int) {
	for y := range a.height {
		first, last, firstGone, lastGone := a.width, 0, a.width, 0
		for x := range a.width {
			p := y*a.width + x
			c := a.now[p]
			if c == clear {
				continue
			}
			if was := a.shown[p]; c != was && (was == clear || distance(c, was) > leastChange*leastChange) {
				a.now[p] |= drawn
				first, last = min(first, x), x+1
				n++
			}
			if a.next[p] == clear {
				firstGone, lastGone = min(firstGone, x), x+1
			}
		}
		changes = changes.Union(image.Rectangle{image.Pt(first, y), image.Pt(last, y+1)})
		gone = gone.Union(image.Rectangle{image.Pt(firstGone, y), image.Pt(lastGone, y+1)})
	}
	return changes, gone, n
}

// join marks those pixels of the area, too, that are few in a row between two that are marked.
func (a *animator) join(area image.Rectangle) {
	for _, row := range a.rows(area, a.now) {
		same := leastSame
		for x, c := range row {
			switch {
			case c&drawn != 0:
				for before := x - same; same < leastSame && before < x; before++ {
					row[before] |= drawn
				}
				same = 0
			case c == clear:
				same = leastSame
			default:
				same++
			}
		}
	}
}

// rows are the rows of an area.
func (a *animator) rows(area image.Rectangle, of []uint32) [][]uint32 {
	rows := make([][]uint32, area.Dy())
	for i := range rows {
		row := of[(area.Min.Y+i)*a.width:]
		rows[i] = row[area.Min.X:area.Max.X]
	}
	return rows
}

func (a *animator) add(frame *image.Paletted, disposal byte) {
	a.out.Image, a.out.Disposal = append(a.out.Image, frame), append(a.out.Disposal, disposal)
}

// choose returns a palette for some pixels, and their places in it.
func (a *animator) choose(pixels []uint32) (*palette, []uint8, error) {
	if a.colors != nil {
		if indexes := a.colors.fit(pixels); indexes != nil {
			return a.colors, indexes, nil
		}
	}
	depths := []int{4, 5, 6, 8}
	if a.full >= mostFull {
		depths = depths[3:]
	}
	colors, indexes, err := newPalette(pixels, depths, max(leastSample, mostSample>>(a.searches/searches)), a.effort)
	a.searches++
	if len(colors.colors) >= 1<<6 {
		a.full++
	}
	if a.colors == nil || len(colors.colors) > fewColors || 2*len(pixels) > len(a.now) {
		a.colors = colors
	}
	return colors, indexes, err
}

// shareTable makes the palette of most frames that of the file. Those of the others get only the colors that they use.
func (a *animator) shareTable() {
	frames := map[*color.Color]int{}
	var shared color.Palette
	for _, f := range a.out.Image {
		key := &f.Palette[0]
		if frames[key]++; len(f.Palette) > 1 && (shared == nil || frames[key] > frames[&shared[0]]) {
			shared = f.Palette
		}
	}
	if shared != nil {
		a.out.Config.ColorModel = shared
	}
	for _, f := range a.out.Image {
		if shared == nil || &f.Palette[0] == &shared[0] {
			continue
		}
		var used color.Palette
		var places [256]int // in used, from 1
		for i, c := range f.Pix {
			if places[c] == 0 {
				used = append(used, f.Palette[c])
				places[c] = len(used)
			}
			f.Pix[i] = byte(places[c] - 1)
		}
		f.Palette = used
	}
}
