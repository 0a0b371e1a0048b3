package demo

import (
	"math"
	"sync"
)

// rgb is linear light, 1 being diffuse white; highlights go above.
type rgb struct{ r, g, b float64 }

func (c rgb) add(d rgb) rgb       { return rgb{c.r + d.r, c.g + d.g, c.b + d.b} }
func (c rgb) scale(k float64) rgb { return rgb{c.r * k, c.g * k, c.b * k} }
func (c rgb) tint(d rgb) rgb      { return rgb{c.r * d.r, c.g * d.g, c.b * d.b} }
func (c rgb) mix(d rgb, t float64) rgb {
	return rgb{c.r + (d.r-c.r)*t, c.g + (d.g-c.g)*t, c.b + (d.b-c.b)*t}
}

// hex turns 0xRRGGBB in sRGB into linear light.
func hex(v uint32) rgb {
	channel := func(shift uint) float64 { return linearOf(float64(v>>shift&0xff) / 255) }
	return rgb{channel(16), channel(8), channel(0)}
}

// linearOf and displayOf are the transfer functions of IEC 61966-2-1 (sRGB).
func linearOf(s float64) float64 {
	if s <= 0.04045 {
		return s / 12.92
	}
	return math.Pow((s+0.055)/1.055, 2.4)
}

func displayOf(l float64) float64 {
	if l <= 0.0031308 {
		return 12.92 * l
	}
	return 1.055*math.Pow(l, 1/2.4) - 0.055
}

// toneSteps is how many table steps a unit of the square root of light has;
// the table ends at a light of 4, which is white.
const toneSteps = 2048

// toneCurve maps the square root of linear light to 0–255. Up to the knee it
// is sRGB, above it highlights roll off as a camera's do, instead of clipping
// one channel after the other.
var toneCurve = sync.OnceValue(func() *[toneSteps*2 + 1]float32 {
	const knee = 0.62
	var table [toneSteps*2 + 1]float32
	for i := range table {
		root := float64(i) / toneSteps
		light := root * root
		if light > knee {
			light = knee + (1-knee)*(1-math.Exp((knee-light)/(1-knee)))
		}
		table[i] = float32(255 * displayOf(light))
	}
	return &table
})

func toneOf(curve *[toneSteps*2 + 1]float32, light float64) float64 {
	return float64(curve[max(0, min(len(curve)-1, int(math.Sqrt(light)*toneSteps)))])
}

type stop struct {
	at     float64
	colour rgb
}

// gradient is a colour ramp over [0, 1], tabulated because scenes look it up per pixel.
type gradient [1025]rgb

func newGradient(stops ...stop) *gradient {
	var g gradient
	last := len(stops) - 1
	for i := range g {
		t := float64(i) / float64(len(g)-1)
		k := 0
		for k < last-1 && t > stops[k+1].at {
			k++
		}
		a, b := stops[k], stops[min(k+1, last)]
		g[i] = a.colour.mix(b.colour, smooth(a.at, b.at, t))
	}
	return &g
}

func (g *gradient) at(t float64) rgb {
	position := clamp01(t) * float64(len(g)-1)
	i := min(int(position), len(g)-2)
	return g[i].mix(g[i+1], position-float64(i))
}
