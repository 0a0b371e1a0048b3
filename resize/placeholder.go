package resize

import (
	"fmt"
	"image"
	"math"

	"go.n16f.net/thumbhash"
)

const (
	// hashedSide is the longer side, in pixels, of the picture that the ThumbHash is made of. A ThumbHash has at most seven
	// cosines a side. So many samples show even the highest of them to within 1 %, and its time grows with their square.
	hashedSide = 48
	// lookedAt is about how many pixels are looked at. Of a larger picture, columns and rows are left out, so that it takes
	// no longer.
	lookedAt = 1 << 15
)

func (p *pixels) placeholder(background Color) (hash []byte, dominant Color, err error) {
	raw, err := p.image.Raw()
	if err != nil {
		return nil, Color{}, err
	}
	look := newLook(raw.Width, raw.Height/p.frames)
	look.all(raw.Samples, raw.Bands, p.weighted)
	return thumbhash.EncodeImage(look.small()), look.dominant(background), nil
}

// look is what one pass over the pixels of a picture finds: sums for a small picture, and a histogram. A pixel counts by its
// alpha.
type look struct {
	width, height int // of the picture
	w, h          int // of the small one
	cells         []sum
	bins          []sum // a histogram, by the upper four bits of each channel
}

// sum adds up pixels: their colors times their alpha, their alpha, and how many they are.
type sum struct {
	r, g, b  uint64
	alpha, n uint32
}

func newLook(width, height int) *look {
	scale := min(1, hashedSide/float64(max(width, height)))
	w, h := max(1, int(math.Round(float64(width)*scale))), max(1, int(math.Round(float64(height)*scale)))
	return &look{width, height, w, h, make([]sum, w*h), make([]sum, 1<<12)}
}

// all looks at the pixels, which are grey or RGB, with or without alpha. weighted says that colors are weighted by alpha.
func (l *look) all(data []byte, bands int, weighted bool) {
	step := int(math.Ceil(math.Sqrt(float64(l.width*l.height) / lookedAt)))
	across, down := min(step, max(1, l.width/hashedSide)), min(step, max(1, l.height/hashedSide)) // so that some pixels of every cell are looked at
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

// straight returns the sample that weighting by alpha has made weighted of.
func straight(weighted, alpha uint32) uint32 {
	if alpha == 0 {
		return 0
	}
	return min(255, (255*weighted+alpha/2)/alpha)
}

// color returns the mean color of what is visible.
func (s *sum) color() Color {
	alpha := uint64(max(1, s.alpha))
	mean := func(sum uint64) uint8 { return uint8((sum + alpha/2) / alpha) }
	return Color{mean(s.r), mean(s.g), mean(s.b)}
}

// small returns the picture at hashedSide. Its samples are not weighted by alpha, though those of an image.RGBA should be: the
// package thumbhash takes them as they are, and wants them like that.
func (l *look) small() *image.RGBA {
	small := image.NewRGBA(image.Rect(0, 0, l.w, l.h))
	for i, cell := range l.cells {
		c := cell.color()
		copy(small.Pix[4*i:], []byte{c.R, c.G, c.B, uint8((cell.alpha + cell.n/2) / cell.n)})
	}
	return small
}

// dominant returns the mean color of the fullest of 16 × 16 × 16 bins, or background if nothing is visible. (sharp's stats()
// returns the middle of that bin.)
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

// grey reports whether the color is a shade of grey.
func (c Color) grey() bool { return c.R == c.G && c.G == c.B }

// String returns the color as in CSS: "#rrggbb".
func (c Color) String() string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }
