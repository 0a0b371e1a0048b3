package resize

import (
	"fmt"
	"image"
	"math"

	"go.n16f.net/thumbhash"
)

const (
	// hashedSide is the longer side of the picture that the ThumbHash is made of, in pixels. A ThumbHash has seven
	// cosines a side at most, of which these many samples show the highest to 1 %; its time grows with their square.
	hashedSide = 48
	// lookedAt is about how many pixels are looked at, every so many of a row and every so many rows, so that it takes no
	// longer where the smallest size is large.
	lookedAt = 1 << 15
)

// placeholder finds what a page can show until it has one of the renditions: the ThumbHash and the dominant color of p,
// the smallest picture in memory. background stands for the color of a picture in which nothing is visible.
func placeholder(p *pixels, background Color) (hash []byte, dominant Color, err error) {
	raw, err := p.image.Raw()
	if err != nil {
		return nil, Color{}, err
	}
	look := newLook(raw.Width, raw.Height/p.frames)
	look.all(raw.Samples, raw.Bands, p.weighted)
	return thumbhash.EncodeImage(look.small()), look.dominant(background), nil
}

// look is one look at a picture: sums for a small picture, and a histogram. Each pixel counts as much as it is visible,
// by its alpha.
type look struct {
	width, height int // of the picture
	w, h          int // of the small one
	cells         []sum
	bins          []sum // by the upper four bits of each channel
}

// sum is of pixels: their colors times their alpha, their alpha, and how many they are.
type sum struct {
	r, g, b  uint64
	alpha, n uint32
}

func newLook(width, height int) *look {
	scale := min(1, hashedSide/float64(max(width, height)))
	w, h := max(1, int(math.Round(float64(width)*scale))), max(1, int(math.Round(float64(height)*scale)))
	return &look{width, height, w, h, make([]sum, w*h), make([]sum, 1<<12)}
}

// all looks at the pixels: grey or RGB samples, with or without alpha, by which weighted ones are weighted already.
func (l *look) all(data []byte, bands int, weighted bool) {
	step := int(math.Ceil(math.Sqrt(float64(l.width*l.height) / lookedAt)))
	across, down := min(step, max(1, l.width/hashedSide)), min(step, max(1, l.height/hashedSide)) // some of every cell
	hasAlpha, grey := bands == 2 || bands == 4, bands < 3
	for y := 0; y < l.height; y += down {
		row := l.cells[y*l.h/l.height*l.w:]
		for x := 0; x < l.width; x += across {
			at := (y*l.width + x) * bands
			samples := data[at : at+bands]
			r, g, b, alpha := uint32(samples[0]), uint32(samples[0]), uint32(samples[0]), uint32(255)
			if !grey {
				g, b = uint32(samples[1]), uint32(samples[2])
			}
			if hasAlpha {
				if alpha = uint32(samples[bands-1]); weighted {
					r, g, b = straight(r, alpha), straight(g, alpha), straight(b, alpha)
				}
			}
			row[x*l.w/l.width].add(r, g, b, alpha)
			l.bins[r>>4<<8|g>>4<<4|b>>4].add(r, g, b, alpha)
		}
	}
}

func (s *sum) add(r, g, b, alpha uint32) {
	s.r, s.g, s.b = s.r+uint64(r*alpha), s.g+uint64(g*alpha), s.b+uint64(b*alpha)
	s.alpha, s.n = s.alpha+alpha, s.n+1
}

// straight is the sample of which alpha left weighted.
func straight(weighted, alpha uint32) uint32 {
	if alpha == 0 {
		return 0
	}
	return min(255, (255*weighted+alpha/2)/alpha)
}

// color is the mean color of what is visible.
func (s *sum) color() Color {
	alpha := uint64(max(1, s.alpha))
	mean := func(sum uint64) uint8 { return uint8((sum + alpha/2) / alpha) }
	return Color{mean(s.r), mean(s.g), mean(s.b)}
}

// small is the picture at hashedSide. Its samples are straight, as ThumbHash wants them, though image.RGBA's are
// otherwise not: that package takes them as they are.
func (l *look) small() *image.RGBA {
	small := image.NewRGBA(image.Rect(0, 0, l.w, l.h))
	for i, cell := range l.cells {
		c := cell.color()
		copy(small.Pix[4*i:], []byte{c.R, c.G, c.B, uint8((cell.alpha + cell.n/2) / cell.n)})
	}
	return small
}

// dominant is the mean color of the fullest of 16 × 16 × 16 bins, as in sharp's stats(), which gives the middle of that
// bin; of nothing visible, the background.
func (l *look) dominant(background Color) Color {
	fullest := sum{}
	for _, bin := range l.bins {
		if bin.alpha > fullest.alpha {
			fullest = bin
		}
	}
	if fullest.alpha == 0 {
		return background
	}
	return fullest.color()
}

// String is the color as in CSS: "#rrggbb".
func (c Color) String() string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }
