package demo

import (
	"math"
	"sync"
)

// rng is splitmix64: eight bytes of state, and its sequence is fixed by its
// definition rather than by a version of the standard library.
type rng struct{ state uint64 }

func newRNG(seed, stream uint64) *rng {
	return &rng{state: scramble(seed ^ scramble(stream+0x9e3779b97f4a7c15))}
}

func scramble(z uint64) uint64 {
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

func (r *rng) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	return scramble(r.state)
}

// float returns a number in [0, 1).
func (r *rng) float() float64 { return unit(r.next()) }

func (r *rng) between(low, high float64) float64 { return low + (high-low)*r.float() }

// normal approximates a standard normal by the sum of four uniforms, whose
// variance is a third.
func (r *rng) normal() float64 {
	return (r.float() + r.float() + r.float() + r.float() - 2) * math.Sqrt(3)
}

func unit(h uint64) float64 { return float64(h>>11) / (1 << 53) }

// cellHash gives the same 64 random bits for the same cell of a grid, whoever asks.
func cellHash(seed uint64, i, j int) uint64 {
	return scramble(seed + uint64(i)*0x9e3779b97f4a7c15 + uint64(j)*0xc2b2ae3d27d4eb4f)
}

const (
	tileSide     = 512 // samples along one side of the noise tile
	tilePerCell  = 8   // samples per lattice cell of the gradient noise
	tileCells    = tileSide / tilePerCell
	tilePositive = 1 << 17 // samples added to keep truncation equal to floor; a multiple of tileSide
)

// gradientTile is one octave of Perlin's gradient noise in about [-1, 1],
// sampled once: a bilinear look-up costs a third of evaluating the gradients
// at every pixel. It repeats every tileCells cells, which the differing
// offsets of the octaves hide.
var gradientTile = sync.OnceValue(func() *[tileSide * tileSide]float32 {
	var tile [tileSide * tileSide]float32
	var gradients [tileCells * tileCells][2]float64
	random := newRNG(0x5eed, 1)
	for i := range gradients {
		sin, cos := math.Sincos(2 * math.Pi * random.float())
		gradients[i] = [2]float64{cos, sin}
	}
	dot := func(cx, cy int, dx, dy float64) float64 {
		g := gradients[(cy%tileCells)*tileCells+cx%tileCells]
		return g[0]*dx + g[1]*dy
	}
	fade := func(t float64) float64 { return t * t * t * (t*(t*6-15) + 10) }
	for y := range tileSide {
		cy, fy := y/tilePerCell, float64(y%tilePerCell)/tilePerCell
		for x := range tileSide {
			cx, fx := x/tilePerCell, float64(x%tilePerCell)/tilePerCell
			top := lerp(dot(cx, cy, fx, fy), dot(cx+1, cy, fx-1, fy), fade(fx))
			bottom := lerp(dot(cx, cy+1, fx, fy-1), dot(cx+1, cy+1, fx-1, fy-1), fade(fx))
			tile[y*tileSide+x] = float32(1.5 * lerp(top, bottom, fade(fy)))
		}
	}
	return &tile
})

// noise looks the tile up at a position in samples of it, which must not be
// negative.
func noise(tile *[tileSide * tileSide]float32, x, y float64) float64 {
	ix, iy := int(x), int(y)
	fx, fy := float32(x-float64(ix)), float32(y-float64(iy))
	// The masks also spare the bounds checks.
	const mask = tileSide*tileSide - 1
	x0, x1 := uint(ix)%tileSide, uint(ix+1)%tileSide
	y0, y1 := uint(iy)*tileSide, uint(iy+1)*tileSide
	a, b := tile[(y0|x0)&mask], tile[(y0|x1)&mask]
	c, d := tile[(y1|x0)&mask], tile[(y1|x1)&mask]
	a += (b - a) * fx
	c += (d - c) * fx
	return float64(a + (c-a)*fy)
}

// octave is one layer of noise: freq is in samples of the tile per picture
// height, the shifts are in samples.
type octave struct{ freq, gain, dx, dy float64 }

// fractal is a sum of octaves of noise, each twice as fine as the one before.
type fractal struct {
	tile    *[tileSide * tileSide]float32
	octaves []octave
}

// newFractal has at most count octaves from the given wavelength down, in
// picture heights, each weighing persistence times the one above it. Octaves
// finer than three pixels fade out and those below one and a half are left
// out: they would alias, and the picture would depend on its resolution.
func newFractal(random *rng, wavelength float64, count int, persistence, pixel float64) fractal {
	f := fractal{tile: gradientTile()}
	gain, total := 1.0, 0.0
	for range count {
		o := octave{tilePerCell / wavelength, gain, tilePositive + tileSide*random.float(), tilePositive + tileSide*random.float()}
		total += gain
		o.gain *= clamp01(wavelength/(1.5*pixel) - 1)
		if o.gain > 0 {
			f.octaves = append(f.octaves, o)
		}
		gain *= persistence
		wavelength /= 2
	}
	for i := range f.octaves {
		f.octaves[i].gain /= total
	}
	return f
}

// at returns the sum of all octaves, in about [-1, 1].
func (f *fractal) at(x, y float64) float64 {
	var sum float64
	for i := range f.octaves {
		o := &f.octaves[i]
		sum += o.gain * noise(f.tile, x*o.freq+o.dx, y*o.freq+o.dy)
	}
	return sum
}

// ridged folds every octave at zero, which leaves sharp crests, in about [0, 1].
func (f *fractal) ridged(x, y float64) float64 {
	var sum float64
	for i := range f.octaves {
		o := &f.octaves[i]
		sum += o.gain * (1 - math.Abs(noise(f.tile, x*o.freq+o.dx, y*o.freq+o.dy)))
	}
	return sum
}

func lerp(a, b, t float64) float64 { return a + (b-a)*t }

func clamp01(t float64) float64 {
	if t < 0 {
		return 0
	}
	if t > 1 {
		return 1
	}
	return t
}

// smooth is the usual smoothstep: 0 up to low, 1 from high on.
func smooth(low, high, t float64) float64 {
	t = clamp01((t - low) / (high - low))
	return t * t * (3 - 2*t)
}
