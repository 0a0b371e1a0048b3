package demo

import "math"

type sea struct {
	view
	horizon    float64
	sunU, sunV float64
	sky        *gradient
	air        *plate
	deep       rgb
	cloud      fractal
	swell      fractal // in the stretched plane of the water, see row
	ripple     fractal
	boats      []boat
}

type boat struct{ u, v, height float64 }

func newSea(seed uint64, w view) *sea {
	random := newRNG(seed, uint64(Sea))
	s := &sea{view: w, horizon: random.between(0.5, 0.56), sunU: random.between(-0.3, 0.3)}
	s.sunV = s.horizon - random.between(0.06, 0.12)
	type palette struct{ zenith, high, low, horizon, deep uint32 }
	p := []palette{
		{0x1f3b6f, 0x5c6a9a, 0xe0906f, 0xffcf86, 0x0d2c42},
		{0x2a2560, 0x87487f, 0xf07a52, 0xffb95c, 0x12193c},
		{0x20608f, 0x79b0c8, 0xf3d8a8, 0xffe6b0, 0x0a4050},
	}[random.next()%3]
	s.sky = newGradient(stop{0, hex(p.zenith)}, stop{0.4, hex(p.high)}, stop{0.82, hex(p.low)}, stop{1, hex(p.horizon)})
	s.deep = hex(p.deep)
	s.cloud = newFractal(random, 0.55, 7, 0.52, w.pixel)
	// The plane of the water is scaled per row so that waves keep their
	// proportions on the screen; the last octave is some three pixels wide.
	s.swell = newFractal(random, 1, 8, 0.84, min(0.02, 3*w.pixel))
	s.ripple = newFractal(random, 1, 1, 1, 0.01)
	for range 2 {
		far := random.between(0.004, 0.03)
		s.boats = append(s.boats, boat{random.between(-0.6, 0.6), s.horizon + far, 0.02 + 1.8*far})
	}
	s.air = newPlate(w, s.horizon+0.02, s.airAt)
	return s
}

func (s *sea) grain() float64 { return 7.5 }

func (s *sea) marks() []mark { return nil }

func (s *sea) row(y int, dst []rgb) {
	v := s.v(y)
	water := clamp01(s.cover(v - s.horizon))
	surface := s.newSurface(v)
	for x := range dst {
		u := s.u(x)
		var c rgb
		if water < 1 {
			d2 := (u-s.sunU)*(u-s.sunU) + (v-s.sunV)*(v-s.sunV)
			c = s.air.at(float64(x), float64(y))
			if d2 < 0.031*0.031 {
				c = c.add(rgb{3.4, 3, 2.2}.scale(smooth(0.0305*0.0305, 0.0295*0.0295, d2)))
			}
		}
		if water > 0 {
			c = c.mix(surface.at(u), water)
		}
		for i := range s.boats {
			c = s.sail(&s.boats[i], u, v, c)
		}
		dst[x] = c
	}
}

func (s *sea) airAt(u, v float64) rgb {
	c := s.sky.at(v / s.horizon)
	d2 := (u-s.sunU)*(u-s.sunU) + (v-s.sunV)*(v-s.sunV)
	glow := 0.012 / (d2 + 0.012)
	// A cloud deck overhead, seen in perspective.
	depth := 0.55 / (s.horizon + 0.14 - v)
	px, py := u*depth, 1.5*depth
	density := s.cloud.at(px, py)
	amount := smooth(-0.04, 0.34, density)
	if amount > 0 {
		// Thickness towards the sun decides between a bright rim and a dark belly.
		toward := s.cloud.at(px+0.03*(s.sunU-u), py-0.035)
		rim := clamp01(0.5 + 3.6*(density-toward) - 0.55*density)
		near := 0.25 + 0.055/(d2+0.06)
		lit := rgb{1.25, 0.66, 0.36}.scale(near).add(c.scale(0.5))
		belly := c.scale(0.42).add(rgb{0.05, 0.035, 0.05})
		c = c.mix(belly.mix(lit, rim), 0.9*amount)
	}
	veil := 1 - 0.75*amount
	return c.add(rgb{1, 0.66, 0.3}.scale(veil * (0.9*glow + 0.03/(d2+0.15))))
}

// surface is one row of the water: the sky mirrored by facets that tilt with
// the waves, and where a facet happens to mirror the sun, a glint.
type surface struct {
	sea             *sea
	near            float64 // below the horizon, in v
	stretch, across float64
	pathWidth, haze float64
}

func (s *sea) newSurface(v float64) surface {
	near := max(0, v-s.horizon)
	scale := near + 0.016
	// Seen at a low angle, a wave's height on the screen shrinks with the
	// distance as its width does; the logarithm keeps both in step.
	return surface{sea: s, near: near, stretch: 0.3 / scale, across: 5.5 * math.Log(scale),
		pathWidth: 1 / (0.035 + 0.3*near), haze: math.Exp(-near * 14)}
}

func (f *surface) at(u float64) rgb {
	s := f.sea
	wave := s.swell.at(u*f.stretch, f.across)
	mirrored := s.sky.at(0.94 - 1.1*f.near - wave*(0.25+1.5*f.near))
	c := s.deep.mix(mirrored, clamp01(0.84-1.0*f.near-1.5*wave))

	offset := (u - s.sunU) * f.pathWidth
	path := 1 / (1 + offset*offset*offset*offset)
	glint := 0.0
	if path > 0.02 {
		// Close to, each wave carries ripples of its own that split its glint.
		sparkle := 0.2 * s.ripple.at(37*u*f.stretch, 19*f.across)
		glint = smooth(0.36-0.36*path, 0.47-0.33*path, wave+sparkle) * path
	}
	warm := f.haze * (0.3 + 0.7*path)
	return c.add(rgb{2.6*glint + 0.5*warm, 1.75*glint + 0.3*warm, 0.85*glint + 0.12*warm})
}

// sail darkens the pixel where a small boat, or its reflection, stands against the light.
func (s *sea) sail(b *boat, u, v float64, c rgb) rgb {
	x, y := (u-b.u)/b.height, (b.v-v)/b.height
	if x < -0.5 || x > 0.5 || y < -0.8 || y > 1.05 {
		return c
	}
	soft := s.pixel / b.height
	cover := 0.0
	if y >= -soft {
		hull := min((0.3+0.25*y-math.Abs(x+0.02))/soft+0.5, (0.1-y)/soft+0.5)
		mainsail := min((0.27*(1-y)-x)/soft+0.5, (x-0.012)/soft+0.5, (y-0.16)/soft+0.5)
		jib := min((x+0.26*(0.86-y))/soft+0.5, (-0.015-x)/soft+0.5, (y-0.15)/soft+0.5)
		mast := min((0.012-math.Abs(x))/soft+0.5, (1-y)/soft+0.5)
		cover = clamp01(max(hull, mainsail, jib, mast)) * clamp01(y/soft+0.5)
	} else {
		wobble := 0.12 * s.swell.at(3*u, 260*v)
		cover = 0.6 * smooth(0.3, 0.05, math.Abs(x+wobble)) * smooth(-0.8, 0, y)
	}
	return c.mix(rgb{0.035, 0.03, 0.045}, 0.93*cover)
}
