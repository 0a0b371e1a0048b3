package demo

import "math"

const duneCount = 6

// rippleCount sets how many ripples fit into one picture height.
const rippleCount = 90

// dune is one hill of sand. From its summit a spine winds down towards the
// viewer and parts the side in the sun from the slip face in shadow.
type dune struct {
	top             []float32 // outline per column, in v
	summitU, summit float64
	swing, turns    float64 // of the spine
	drift           float64
	distance        float64 // 0 near, 1 far
	phase           float64
}

type dunes struct {
	view
	sky          *gradient
	air          *plate
	lit, shadow  rgb
	haze         rgb
	hills        []dune // nearest first
	wind         *plate // not light: how wind warps the ripples, and relief
	warp, relief fractal
	sandGrain    fractal
	cirrus       fractal
}

func newDunes(seed uint64, w view) *dunes {
	random := newRNG(seed, uint64(Dunes))
	d := &dunes{view: w}
	type palette struct{ zenith, high, horizon, lit, shadow, haze uint32 }
	p := []palette{
		{0x2c5f9e, 0x7fa9cf, 0xf3dcc0, 0xeaa765, 0x7a4a35, 0xe6c3a4},
		{0x34406f, 0x9c7c92, 0xf6bd8c, 0xe58c4f, 0x5b3139, 0xe2a588},
		{0x2173a6, 0x86bdd2, 0xe9ebdc, 0xf0c98c, 0x94684a, 0xe6d6ba},
	}[random.next()%3]
	d.sky = newGradient(stop{0, hex(p.zenith)}, stop{0.5, hex(p.high)}, stop{1, hex(p.horizon)})
	d.lit, d.shadow, d.haze = hex(p.lit), hex(p.shadow), hex(p.haze)
	d.warp = newFractal(random, 0.34, 4, 0.45, w.pixel)
	d.relief = newFractal(random, 0.5, 3, 0.45, w.pixel)
	d.sandGrain = newFractal(random, 0.006, 4, 1.2, w.pixel)
	d.cirrus = newFractal(random, 0.6, 6, 0.5, w.pixel)
	for i := range duneCount {
		t := float64(i) / (duneCount - 1) // 0 far, 1 near
		h := dune{distance: 1 - t, summitU: random.between(-0.7, 0.7), swing: lerp(0.03, 0.2, t) * random.between(0.7, 1.3),
			turns: random.between(2.2, 3.6), drift: random.between(-0.7, 0.7), phase: random.between(0, 2*math.Pi)}
		h.summit = lerp(0.44, 0.72, math.Pow(t, 1.3)) - random.between(0.02, 0.05)
		if i == 2 {
			h.summit, h.summitU = 0.3, random.between(-0.35, 0.35)
		}
		outline := newFractal(random, lerp(0.6, 1.1, t), 3, 0.3, w.pixel)
		h.top = make([]float32, w.width)
		for x := range h.top {
			u := w.u(x) - h.summitU
			// A sharp summit between two slopes at the sand's angle of repose.
			slope := math.Sqrt(u*u+0.00012) * lerp(0.26, 0.4, t)
			if i == 2 {
				slope *= 1.45
			}
			sag := lerp(0.1, 0.3, t) * (1 - math.Exp(-slope*5))
			h.top[x] = float32(h.summit + 0.55*slope + 0.35*sag + 0.04*outline.at(w.u(x), 0.5)*clamp01(6*math.Abs(u)))
		}
		d.hills = append([]dune{h}, d.hills...)
	}
	d.air = newPlate(w, 0.75, func(u, v float64) rgb {
		veil := 0.22 * smooth(0, 0.5, d.cirrus.at(0.6*u+v, 3*v))
		return d.sky.at(v/0.55).mix(rgb{1, 0.95, 0.9}, veil)
	})
	d.wind = newPlate(w, 1, func(u, v float64) rgb {
		return rgb{d.warp.at(u, 1.5*v), d.relief.at(u, 1.6*v), 0}
	})
	return d
}

func (d *dunes) grain() float64 { return 8.4 }

func (d *dunes) marks() []mark { return nil }

func (d *dunes) row(y int, dst []rgb) {
	v := d.v(y)
	var faces [duneCount]face
	for i := range faces {
		faces[i] = d.newFace(&d.hills[i], v)
	}
	for x := range dst {
		u := d.u(x)
		var light rgb
		through := 1.0
		for i := range faces {
			depth := v - float64(d.hills[i].top[x])
			cover := d.cover(depth)
			if cover <= 0 {
				continue
			}
			cover = min(cover, 1) * through
			wind := d.wind.at(float64(x), float64(y))
			light = light.add(d.sand(&faces[i], u, v, max(depth, 0), wind.r, wind.g).scale(cover))
			if through -= cover; through < 0.004 {
				break
			}
		}
		if through >= 0.004 {
			light = light.add(d.air.at(float64(x), float64(y)).scale(through))
		}
		dst[x] = light
	}
}

// face is what one row of a dune has in common.
type face struct {
	spine, edge float64 // where the spine crosses the row, and how soft it is there
	crowd       float64 // ripples per picture height
	relief      float64 // how strongly ripples show
	haze, far   float64
}

func (d *dunes) newFace(h *dune, v float64) face {
	fall := max(0, v-h.summit)
	// Wind ripples crowd together with the distance until they cannot be told apart.
	crowd := rippleCount / (0.4 + fall + 0.5*(1-h.distance))
	return face{
		spine: h.summitU + fall*h.drift + h.swing*math.Sin(fall*h.turns*3+h.phase)*smooth(0, 0.25, fall),
		// Further down the spine flattens and its edge softens.
		edge:   d.pixel + 0.05*fall*fall,
		crowd:  crowd,
		relief: clamp01(1.6-5*crowd*d.pixel) * (1 - 0.7*h.distance),
		haze:   0.62 * h.distance * h.distance,
		far:    h.distance,
	}
}

// sand is a dune's surface at a depth below its outline.
func (d *dunes) sand(f *face, u, v, depth, warp, relief float64) rgb {
	side := f.spine + 0.03*warp - u // positive in the sun
	fine := d.sandGrain.at(u, 1.5*v)
	wave := math.Sin(2*math.Pi*f.crowd*(0.3*u+v) + 16*warp + 1.2*fine)
	ripple := (wave + 0.4*wave*wave) * f.relief * (0.55 + 0.9*relief)

	sunny := d.lit.scale(0.86 + 0.3*relief + 0.22*ripple + 0.6*fine + 0.25*max(0, 1-6*math.Abs(side)))
	shade := d.shadow.scale(0.8 + 0.25*relief + 0.14*ripple + 0.65*fine + 0.45*smooth(0, 0.35, -side))
	c := shade.mix(sunny, smooth(-f.edge, f.edge, side))
	foot := smooth(0.02, 0.32, depth)
	c = c.mix(d.lit.scale(0.74+0.22*ripple+0.6*fine+0.25*relief), 0.5*foot)
	return c.mix(d.haze, f.haze+0.1*foot*f.far)
}
