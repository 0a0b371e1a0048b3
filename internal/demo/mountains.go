package demo

import (
	"math"
	"slices"
)

// ridge is one layer of land: everything below its skyline.
type ridge struct {
	top        []float32 // skyline per column, in v
	highest    float64   // the least of top
	lit, shade rgb
	fog        rgb     // what the valley at its foot fades into
	fogDepth   float64 // in v, from the skyline down
	fogMost    float64 // share of fog at that depth
	crag       float64 // how strongly rock or foliage shows
	lean       float64 // how far the crags lean with the depth
}

type mountains struct {
	view
	sky        *gradient
	air        *plate
	sunU, sunV float64
	ridges     []ridge // nearest first
	cirrus     fractal
	rock       fractal
}

func newMountains(seed uint64, w view) *mountains {
	random := newRNG(seed, uint64(Mountains))
	m := &mountains{view: w, sunU: random.between(-0.32, 0.32), sunV: random.between(0.31, 0.38)}
	type palette struct{ zenith, high, low, horizon, far, near uint32 }
	p := []palette{
		{0x24356b, 0x77609a, 0xee8f68, 0xffd898, 0xb98d98, 0x0b1524},
		{0x1d4a7d, 0x6fa0bf, 0xf0c79b, 0xffe9bd, 0x9db1c4, 0x081a22},
		{0x2b1f57, 0x8a3f7c, 0xf2745a, 0xffc06e, 0xa56a90, 0x120c26},
	}[random.next()%3]
	m.sky = newGradient(stop{0, hex(p.zenith)}, stop{0.3, hex(p.high)}, stop{0.75, hex(p.low)}, stop{1, hex(p.horizon)})
	m.cirrus = newFractal(random, 0.5, 6, 0.55, w.pixel)
	m.rock = newFractal(random, 0.06, 7, 0.98, w.pixel)

	const layers = 6
	far, near := hex(p.far), hex(p.near)
	for i := range layers {
		t := float64(i) / (layers - 1) // 0 far, 1 near
		skyline := newFractal(random, lerp(0.5, 0.8, t), 11, 0.47, w.pixel)
		base, height := lerp(0.52, 0.84, math.Pow(t, 0.9)), lerp(0.2, 0.15, t)
		peak := m.sunU + math.Copysign(random.between(0.25, 0.7), random.float()-0.5)
		top := make([]float32, w.width)
		for x := range top {
			u := w.u(x)
			massif := math.Exp(-(u - peak) * (u - peak) / 0.08)
			top[x] = float32(base - height*(1.9*skyline.ridged(u, 0.37)-1.32+0.6*massif))
		}
		colour := far.mix(near, 0.93*math.Pow(t, 0.55))
		m.ridges = append([]ridge{{top: top, lit: colour.scale(1.3).mix(hex(p.low), 0.12*(1-t)), shade: colour.scale(0.66),
			fog: far.mix(hex(p.horizon), 0.3).mix(near, 0.72*t), fogDepth: lerp(0.17, 0.26, t), fogMost: lerp(0.95, 0.8, t),
			crag: lerp(0.55, 1.5, t), lean: random.between(0.5, 0.9) * float64(1-2*(i&1))}}, m.ridges...)
	}
	m.ridges = append(spruceForest(random, w, near, far), m.ridges...)
	for i := range m.ridges {
		m.ridges[i].highest = float64(slices.Min(m.ridges[i].top))
	}
	m.air = newPlate(w, 0.8, m.airAt)
	return m
}

// spruceForest is rows of conifers down the nearest slope, nearest first.
func spruceForest(random *rng, w view, near, haze rgb) []ridge {
	const rows = 8
	var forest []ridge
	slope := newFractal(random, 0.7, 6, 0.5, w.pixel)
	tilt := random.between(0.14, 0.26)
	if random.float() < 0.5 {
		tilt = -tilt
	}
	for i := range rows {
		t := float64(i) / (rows - 1)
		size := lerp(0.035, 0.24, t*t)
		top := make([]float32, w.width)
		for x := range top {
			u := w.u(x)
			top[x] = float32(lerp(0.85, 1.16, t) - tilt*u*(1-0.3*t) - 0.16*slope.at(u, 0.25*t))
		}
		for u := -w.reach(); u < w.reach(); u += max(size, w.pixel) * random.between(0.06, 0.2) * (1 + 3*t*random.float()) {
			plantSpruce(random, w, top, u, size*random.between(0.4, 1.05))
		}
		colour := near.mix(haze, 0.03*(1-t)*(1-t))
		forest = append([]ridge{{top: top, lit: colour.scale(2.6).add(rgb{0.012, 0.014, 0.006}), shade: colour.scale(0.5), crag: 1.5,
			fog: near.mix(haze, 0.1*(1-t)), fogDepth: 1.2 * size, fogMost: 0.6}}, forest...)
	}
	return forest
}

// plantSpruce raises a skyline by the outline of a conifer: a cone whose
// branches hang in tiers.
func plantSpruce(random *rng, w view, top []float32, u, height float64) {
	half := height * random.between(0.12, 0.2)
	tiers, phase := random.between(9, 14), random.float()
	x0, x1 := max(0, int(w.x(u-half))), min(len(top)-1, int(w.x(u+half)))
	if x0 > x1 {
		return
	}
	foot := float64(top[max(0, min(len(top)-1, int(w.x(u))))])
	for x := x0; x <= x1; x++ {
		d := math.Abs(w.u(x)-u) / half
		if d >= 1 {
			continue
		}
		_, tier := math.Modf(d*tiers + phase)
		crown := foot - height*(1-d)*(0.97-0.1*tier) + 0.03*height
		top[x] = min(top[x], float32(crown))
	}
}

func (m *mountains) grain() float64 { return 8 }

func (m *mountains) marks() []mark { return nil }

func (m *mountains) row(y int, dst []rgb) {
	v := m.v(y)
	reached := make([]int, 0, 16)
	for i := range m.ridges {
		if v > m.ridges[i].highest-m.pixel {
			reached = append(reached, i)
		}
	}
	for x := range dst {
		u := m.u(x)
		var light rgb
		through := 1.0
		for _, i := range reached {
			r := &m.ridges[i]
			cover := m.cover(v - float64(r.top[x]))
			if cover <= 0 {
				continue
			}
			cover = min(cover, 1) * through
			light = light.add(m.land(r, i, u, v, v-float64(r.top[x])).scale(cover))
			if through -= cover; through < 0.004 {
				break
			}
		}
		if through >= 0.004 {
			disc := smooth(0.0265*0.0265, 0.0255*0.0255, m.fromSun(u, v))
			sky := m.air.at(float64(x), float64(y)).add(rgb{3, 2.6, 1.9}.scale(disc))
			light = light.add(sky.scale(through))
		}
		dst[x] = light
	}
}

// fromSun is the square of the distance from the sun's centre.
func (m *mountains) fromSun(u, v float64) float64 {
	return (u-m.sunU)*(u-m.sunU) + (v-m.sunV)*(v-m.sunV)
}

// land is a ridge's surface at a depth below its skyline: crags in light and
// shade, sinking into haze that the sun lights up.
func (m *mountains) land(r *ridge, layer int, u, v, depth float64) rgb {
	shift := float64(layer) * 3.7
	fog := r.fogMost * smooth(0, r.fogDepth, depth)
	rough := m.rock.at(1.25*u+r.lean*depth+shift, 0.8*v+shift)
	c := r.shade.mix(r.lit, clamp01(0.5+2.2*rough*r.crag)).mix(r.fog, fog)
	glow := 0.035 / (m.fromSun(u, v) + 0.045) * (0.2 + 0.8*fog)
	return c.tint(rgb{1 + glow, 1 + 0.62*glow, 1 + 0.36*glow})
}

func (m *mountains) airAt(u, v float64) rgb {
	d2 := m.fromSun(u, v)
	c := m.sky.at(v / 0.56)
	// Clouds recede towards the horizon, where they crowd into streaks.
	depth := 1 / max(0.1, 0.72-v)
	streak := smooth(0.02, 0.5, m.cirrus.at(u*depth*0.35+0.2*depth, depth*0.9)+0.08)
	lit := 0.35 + 0.05/(d2+0.08)
	c = c.mix(rgb{1.05, 0.62, 0.5}.scale(lit).add(c.scale(0.5)), 0.75*streak)
	return c.add(rgb{1, 0.72, 0.4}.scale(0.0054/(d2+0.006) + 0.03/(d2+0.12)))
}
