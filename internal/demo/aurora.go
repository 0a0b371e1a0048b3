package demo

import "math"

type aurora struct {
	view
	sky      *gradient
	shore    float64
	curtains []curtain
	air      *plate
	mirror   *plate
	rays     fractal
	snow     fractal
	water    fractal
	ridges   []ridge // nearest first
	stars    []mark
}

// curtain is one band of light: a wavy lower edge with rays rising from it.
type curtain struct {
	base       []float32 // lower edge per column, in v
	strength   []float32
	height     float64
	low, crown rgb
}

func newAurora(seed uint64, w view) *aurora {
	random := newRNG(seed, uint64(Aurora))
	a := &aurora{view: w, shore: random.between(0.7, 0.75)}
	a.sky = newGradient(stop{0, hex(0x0a1228)}, stop{0.6, hex(0x11294a)}, stop{1, hex(0x24525e)})
	a.rays = newFractal(random, 0.09, 5, 0.6, w.pixel)
	a.snow = newFractal(random, 0.07, 7, 0.9, w.pixel)
	a.water = newFractal(random, 1, 7, 0.75, min(0.02, 3*w.pixel))
	for i := range 3 {
		bends := newFractal(random, random.between(0.7, 1.1), 3, 0.45, w.pixel)
		folds := newFractal(random, 0.3, 7, 0.62, w.pixel)
		c := curtain{height: random.between(0.13, 0.24), low: hex(0x4dff9a).scale(random.between(0.55, 0.9)), crown: hex(0xa04ad8).scale(0.55)}
		tilt, middle := random.between(-0.25, 0.25), lerp(0.26, 0.47, float64(i)/2)
		for x := range w.width {
			u := w.u(x)
			c.base = append(c.base, float32(middle+tilt*u+0.16*bends.at(u, 0.5)+0.012*folds.at(u, 3)))
			c.strength = append(c.strength, float32(max(0, 0.55+1.1*bends.at(u+9, 0.5))*(0.55+1.5*clamp01(0.35+folds.at(u, 0.5)))))
		}
		a.curtains = append(a.curtains, c)
	}
	for i := range 3 {
		t := float64(i) / 2 // 0 far, 1 near
		skyline := newFractal(random, lerp(0.42, 0.6, t), 11, 0.48, w.pixel)
		top := make([]float32, w.width)
		for x := range top {
			top[x] = float32(lerp(a.shore-0.07, a.shore+0.025, t) - lerp(0.2, 0.09, t)*(1.9*skyline.ridged(w.u(x), 0.4)-1.25))
		}
		tone := lerp(0.34, 0.16, t)
		a.ridges = append([]ridge{{top: top, lit: hex(0x9fd0c6).scale(tone), shade: hex(0x1a2b3a).scale(tone), crag: 1.7,
			lean: 0.8 * float64(1-2*(i&1)), fog: hex(0x173a44), fogDepth: 0.2, fogMost: 0.75 * (1 - t)}}, a.ridges...)
	}
	for range 2600 {
		s := newStar(random, w, 0.66, 0.85)
		x := max(0, min(w.width-1, int(w.x(s.u))))
		hidden := false
		for i := range a.ridges {
			hidden = hidden || s.v > float64(a.ridges[i].top[x])
		}
		if !hidden {
			a.stars = append(a.stars, s)
		}
	}
	a.air = newPlate(w, a.shore+0.02, a.airAt)
	a.mirror = newPlate(w, a.shore, func(u, v float64) rgb {
		x := w.x(u) - 0.5
		return a.above(max(0, min(w.width-1, int(x))), x, v/w.pixel-0.5, u, v)
	})
	a.mirror.smear(w, 0.006)
	return a
}

func (a *aurora) grain() float64 { return 8.5 }

func (a *aurora) marks() []mark { return a.stars }

func (a *aurora) row(y int, dst []rgb) {
	v := a.v(y)
	if v < a.shore {
		for x := range dst {
			dst[x] = a.above(x, float64(x), float64(y), a.u(x), v)
		}
		return
	}
	near := v - a.shore
	scale := near + 0.012
	across, along := 0.2/scale, 4*math.Log(scale)
	bank := 0.7 * smooth(0.006, 0, near)
	for x := range dst {
		u := a.u(x)
		wave := a.water.at(u*across, along)
		ru := u + 0.01*wave
		rv := a.shore - near*(1.3+0.25*wave) - 0.05*wave*(0.2+2*near)
		light := a.mirror.at(a.x(ru)-0.5, min(rv, a.shore)/a.pixel).tint(rgb{0.6, 0.7, 0.74})
		dst[x] = light.scale(max(0.1, 1+1.3*wave) * (1 - bank)).add(rgb{0.002, 0.004, 0.007})
	}
}

// above is everything that the lake mirrors. The pixel (px, py) is where
// (u, v) lies, x its column.
func (a *aurora) above(x int, px, py, u, v float64) rgb {
	var light rgb
	through := 1.0
	for i := range a.ridges {
		r := &a.ridges[i]
		depth := v - float64(r.top[x])
		cover := a.cover(depth)
		if cover <= 0 {
			continue
		}
		cover = min(cover, 1) * through
		rough := a.snow.at(1.2*u+r.lean*depth+float64(3*i), 0.9*v)
		// Snow holds where it is high; rock shows through below.
		snow := smooth(0.25, 0.75, 0.72+r.crag*rough-2.6*depth)
		c := r.shade.mix(r.lit, snow).scale(max(0.1, 1+1.6*rough)).mix(r.fog, r.fogMost*smooth(0, r.fogDepth, depth))
		light = light.add(c.scale(cover))
		if through -= cover; through < 0.004 {
			return light
		}
	}
	return light.add(a.air.at(px, py).scale(through))
}

func (a *aurora) airAt(u, v float64) rgb {
	x := max(0, min(a.width-1, int(a.x(u))))
	c := a.sky.at(v / a.shore)
	for i := range a.curtains {
		k := &a.curtains[i]
		rise := (float64(k.base[x]) - v) / k.height
		if rise < -0.12 || rise > 4.5 {
			continue
		}
		ray := 1 + 1.3*a.rays.at(u+5*float64(i)+0.04*rise, 0.12*v)
		fade := math.Exp(-1.15*max(rise, 0)) * smooth(-0.12, 0.1, rise)
		colour := k.low.mix(k.crown, smooth(0.4, 2.6, rise))
		c = c.add(colour.scale(0.62 * float64(k.strength[x]) * ray * fade))
	}
	return c
}
