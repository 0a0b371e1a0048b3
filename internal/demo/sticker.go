package demo

import (
	"fmt"
	"image"
	"math"
)

type sticker struct {
	view
	size           float64 // the artwork's side in picture heights
	bright, second rgb
	gores          float64 // coloured panels of the balloon
	paints         paints
}

// paints are the artwork's fixed colours in linear light, converted once.
type paints struct{ shadow, band, rope, wicker, rim rgb }

// Sticker draws a cut-out: a balloon in flat colours with a white rim, its soft
// shadow and translucent clouds, on a transparent ground. Edges are
// anti-aliased in alpha, which is not premultiplied. It fills the shorter side
// of width × height pixels, both of which must be positive.
func Sticker(seed uint64, width, height int) *image.NRGBA {
	if width <= 0 || height <= 0 {
		panic(fmt.Sprintf("photos: sticker of %d×%d pixels", width, height))
	}
	random := newRNG(seed, 1<<20)
	pairs := [...][2]uint32{{0xe8452c, 0xffc53d}, {0x1f6fd6, 0xf7f3e8}, {0x12a594, 0xffe08a}, {0x8e4ec6, 0xff9f7a}}
	pair := pairs[random.next()%uint64(len(pairs))]
	s := &sticker{view: newView(width, height), bright: hex(pair[0]), second: hex(pair[1]), gores: float64(7 + 2*(random.next()%2))}
	s.paints = paints{shadow: hex(0x10182a), band: hex(0x2a3350), rope: hex(0x4a3728), wicker: hex(0xa9713d), rim: hex(0x7c4d26)}
	s.size = min(1, float64(width)/float64(height))

	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	inParallel(height, func() func(int) {
		return func(y int) {
			for x := range width {
				s.pixelAt(x, y, img.Pix[y*img.Stride+4*x:])
			}
		}
	})
	return img
}

// pixelAt averages four samples, weighing colours by their alpha.
func (s *sticker) pixelAt(x, y int, dst []byte) {
	var sum rgb
	var alpha float64
	soft := s.pixel / s.size
	for k := range 4 {
		du, dv := (float64(k&1)-0.5)*s.pixel/2, (float64(k>>1)-0.5)*s.pixel/2
		c, a := s.at((s.u(x)+du)/s.size, (s.v(y)+dv-0.5)/s.size, soft)
		sum, alpha = sum.add(c.scale(a)), alpha+a
	}
	if alpha < 4*0.5/255 {
		return
	}
	sum = sum.scale(1 / alpha)
	dst[0] = level(255 * displayOf(sum.r))
	dst[1] = level(255 * displayOf(sum.g))
	dst[2] = level(255 * displayOf(sum.b))
	dst[3] = level(255 * alpha / 4)
}

// at is colour and alpha at a point; the artwork spans [-0.5, 0.5] both ways.
func (s *sticker) at(x, y, soft float64) (rgb, float64) {
	var c rgb
	var alpha float64
	over := func(top rgb, a float64) {
		a = clamp01(a)
		if total := a + alpha*(1-a); total > 0 {
			c = c.mix(top, a/total)
			alpha = total
		}
	}
	inside := func(distance float64) float64 { return 0.5 - distance/soft }

	over(s.paints.shadow, 0.42*smooth(0.05, -0.02, outline(x-0.012, y-0.022)))
	over(rgb{0.78, 0.9, 1}, 0.55*clamp01(inside(cloud(x+0.26, y-0.2))))
	over(rgb{1, 1, 1}, inside(outline(x, y)-0.02))

	envelope := balloon(x, y)
	if a := inside(envelope); a > 0 {
		// Gores are as wide as their share of the balloon's turn towards us.
		across := math.Asin(max(-1, min(1, x/girth(y))))/math.Pi + 0.5
		_, part := math.Modf(across * s.gores / 2)
		panel := s.bright
		if part >= 0.5 {
			panel = s.second
		}
		if y > 0.02 && y < 0.05 {
			panel = s.paints.band
		}
		over(panel, a)
		over(rgb{1, 1, 1}, 0.35*clamp01(inside(length(x+0.1, 1.2*(y+0.24))-0.055)))
	}
	over(s.paints.rope, inside(math.Abs(math.Abs(x)-0.04)-0.004)*clamp01(inside(math.Abs(y-0.285)-0.045)))
	over(s.paints.wicker, inside(basket(x, y)))
	over(s.paints.rim, clamp01(inside(basket(x, y)))*clamp01(inside(math.Abs(y-0.315)-0.012)))
	over(rgb{1, 1, 1}, 0.72*clamp01(inside(cloud(x-0.24, y-0.3))))
	return c, alpha
}

// length is math.Hypot without its care for overflow, which costs most of the drawing.
func length(x, y float64) float64 { return math.Sqrt(x*x + y*y) }

const (
	crownR, mouthR = 0.28, 0.05 // radii of the balloon's top and of its mouth
	crownY, mouthY = -0.16, 0.2
)

// balloon is the signed distance to two circles and their common tangents
// (Inigo Quilez, "uneven capsule").
func balloon(x, y float64) float64 {
	const h = mouthY - crownY
	const b = (crownR - mouthR) / h
	a := math.Sqrt(1 - b*b)
	x, y = math.Abs(x), y-crownY
	switch k := a*y - b*x; {
	case k < 0:
		return length(x, y) - crownR
	case k > a*h:
		return length(x, y-h) - mouthR
	}
	return a*x + b*y - crownR
}

// girth is the balloon's half width at a height.
func girth(y float64) float64 {
	const b = (crownR - mouthR) / (mouthY - crownY)
	y -= crownY
	if y < b*crownR {
		return math.Sqrt(max(1e-6, crownR*crownR-y*y))
	}
	return max(1e-3, (crownR-b*y)/math.Sqrt(1-b*b))
}

func basket(x, y float64) float64 {
	dx, dy := math.Abs(x)-0.045, math.Abs(y-0.35)-0.035
	return length(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - 0.012
}

// outline is the distance to everything that the white rim goes round.
func outline(x, y float64) float64 {
	ropes := max(math.Abs(x)-0.045, math.Abs(y-0.28)-0.06)
	return min(balloon(x, y), basket(x, y), ropes)
}

func cloud(x, y float64) float64 {
	puffs := min(length(x+0.09, y)-0.06, length(x, y+0.035)-0.085, length(x-0.1, y-0.01)-0.055)
	return max(min(puffs, max(math.Abs(x)-0.1, math.Abs(y-0.03)-0.03)), y-0.06)
}
