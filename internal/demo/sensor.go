package demo

import "sync"

const (
	fullHeight = 3024 // rows of a 12-megapixel sensor
	grainSide  = 256
	grainBlock = 64
)

type grainSample struct{ luma, blue, red float32 }

// grainTile is slightly correlated noise, as demosaicing leaves it: pure white
// noise looks like television static at 1:1.
var grainTile = sync.OnceValue(func() *[grainSide * grainSide]grainSample {
	var white, tile [grainSide * grainSide]grainSample
	random := newRNG(0x5eed, 2)
	for i := range white {
		white[i] = grainSample{float32(random.normal()), float32(random.normal()), float32(random.normal())}
	}
	at := func(x, y int) grainSample {
		return white[(y&(grainSide-1))*grainSide+x&(grainSide-1)]
	}
	for y := range grainSide {
		for x := range grainSide {
			c, l, r, t, b := at(x, y), at(x-1, y), at(x+1, y), at(x, y-1), at(x, y+1)
			tile[y*grainSide+x] = grainSample{
				luma: 0.93*c.luma + 0.18*(l.luma+r.luma+t.luma+b.luma),
				blue: 0.5*c.blue + 0.433*(l.blue+r.blue+t.blue+b.blue),
				red:  0.5*c.red + 0.433*(l.red+r.red+t.red+b.red),
			}
		}
	}
	return &tile
})

type sensor struct {
	tile *[grainSide * grainSide]grainSample
	tone *[toneSteps*2 + 1]float32
	seed uint64
	gain [256]float64 // noise by display level
}

// newSensor makes a sensor with the given noise at mid grey, in levels of 255,
// for a picture of the given height.
func newSensor(seed uint64, grain float64, height int) *sensor {
	// A small picture is a big one made smaller, which averages most of the
	// noise away; the noise left is what sharpening brings back.
	grain *= min(1, max(0.3, float64(height)/fullHeight))
	s := &sensor{tile: grainTile(), tone: toneCurve(), seed: seed}
	for level := range s.gain {
		// The tone curve lifts shadows, and their noise with them; near
		// white it flattens both.
		s.gain[level] = grain * (1.15 - 0.3*float64(level)/255)
	}
	return s
}

// read turns one row of light into pixels. Blocks take their noise from
// different places of the tile, so that its period cannot be seen.
func (s *sensor) read(y int, light []rgb, pix []byte) {
	for x0 := 0; x0 < len(light); x0 += grainBlock {
		h := cellHash(s.seed, x0/grainBlock, y/grainBlock)
		row := (y + int(h>>8)) & (grainSide - 1) * grainSide
		shift := int(h & 0xff)
		for x := x0; x < min(x0+grainBlock, len(light)); x++ {
			g := &s.tile[row+(x+shift)&(grainSide-1)]
			c := &light[x]
			r, gr, b := toneOf(s.tone, c.r), toneOf(s.tone, c.g), toneOf(s.tone, c.b)
			gain := s.gain[uint8(gr)]
			luma := float64(g.luma) * gain
			p := pix[x*4 : x*4+4 : x*4+4]
			p[0] = level(r + luma + 0.5*gain*float64(g.red))
			p[1] = level(gr + luma)
			p[2] = level(b + luma + 0.5*gain*float64(g.blue))
			p[3] = 0xff
		}
	}
}

// level rounds to a byte; integers clamp faster than floating point does.
func level(v float64) byte { return byte(max(0, min(255, int(v+0.5)))) }
