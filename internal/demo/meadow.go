package demo

import "math"

const meadowEdge = 0.6 // where the meadow begins, in v

type meadow struct {
	view
	sky    *gradient
	air    *plate
	sunU   float64
	cumuli fractal
	leaf   fractal
	hills  []ridge // nearest first
	plants []mark
}

func newMeadow(seed uint64, w view) *meadow {
	random := newRNG(seed, uint64(Meadow))
	m := &meadow{view: w, sunU: random.between(-0.9, 0.9)}
	m.sky = newGradient(stop{0, hex(0x2a6bb8)}, stop{0.55, hex(0x74aee0)}, stop{1, hex(0xd9e9ee)})
	m.cumuli = newFractal(random, 0.42, 7, 0.5, w.pixel)
	m.leaf = newFractal(random, 0.03, 6, 0.95, w.pixel)
	for i := range 4 {
		t := float64(i) / 3
		skyline := newFractal(random, lerp(0.9, 0.6, t), 4, 0.4, w.pixel)
		woods := newFractal(random, 0.035, 5, 0.6, w.pixel)
		top := make([]float32, w.width)
		for x := range top {
			u := w.u(x)
			trees := 0.012 * t * max(0, 0.2+woods.ridged(u, 2*t))
			top[x] = float32(lerp(0.49, meadowEdge-0.01, t) - 0.1*(1-0.7*t)*skyline.at(u, 0.5) - trees)
		}
		for u := -m.reach(); i == 3 && u < m.reach(); u += random.between(0.008, 0.09) {
			plantBroadleaf(random, w, &m.leaf, top, u, random.between(0.02, 0.065))
		}
		green := hex(0x9db8c9).mix(hex(0x36581f), math.Pow(t, 0.7))
		m.hills = append([]ridge{{top: top, lit: green.scale(1.25).add(rgb{0.03, 0.02, 0}), shade: green.scale(0.55),
			crag: 0.3 + 1.9*t, fog: green.mix(hex(0xcfdde0), 0.5*(1-t)), fogDepth: 0.12}}, m.hills...)
	}
	m.air = newPlate(w, 0.7, m.airAt)
	m.grow(seed)
	return m
}

// plantBroadleaf raises a skyline by the round, knobbly crown of a tree.
func plantBroadleaf(random *rng, w view, leaf *fractal, top []float32, u, height float64) {
	half := height * random.between(0.4, 0.62)
	phase := random.between(0, 6)
	x0, x1 := max(0, int(w.x(u-half))), min(len(top)-1, int(w.x(u+half)))
	for x := x0; x <= x1; x++ {
		d := (w.u(x) - u) / half
		knobs := 0.05*math.Sin(7*d+phase) + 0.28*leaf.at(w.u(x), phase)
		crown := meadowEdge - height*(math.Sqrt(max(0, 1-d*d*math.Abs(d)))*(0.9+knobs))
		top[x] = min(top[x], float32(crown))
	}
}

// grow plants rows of grass from far to near, flowers in between.
func (m *meadow) grow(seed uint64) {
	random := newRNG(seed, 1<<16)
	patch := newFractal(random, 0.5, 3, 0.6, m.pixel)
	petal := [...]rgb{hex(0xd8261c), hex(0xe5402a), hex(0xc01818)}
	if random.float() < 0.35 {
		petal = [...]rgb{hex(0xf2f0ee), hex(0xe7d9f2), hex(0xf6e27a)}
	}
	shaded, fresh, green, straw := hex(0x1c3312), hex(0x3d5a1c), hex(0x6c8f2c), hex(0xd9cd7a)
	stalk, calyx := hex(0x2f4a18), hex(0x64802c)
	row := uint64(1 << 16)
	for v := meadowEdge + 0.004; v < 1.22; {
		// A row of its own randomness: the nearer rows stay as they are in a
		// small picture, for which the furthest are thinned out.
		row++
		random = newRNG(seed, row)
		near := v - meadowEdge + 0.016
		length := 0.3 * near
		for u := m.left() - length; u < m.right()+length; u += max(0.022*length, 0.2*m.pixel) * random.between(0.5, 1.5) {
			tone := 0.5 + 0.5*patch.at(u/near*0.12, math.Log(near)*0.7)
			tone = clamp01(tone + 0.2*random.normal())
			root := shaded.mix(fresh, tone)
			tip := green.mix(straw, tone*tone).scale(random.between(0.55, 1.3))
			m.plants = append(m.plants, &blade{view: m.view, u: u, v: v + random.between(0, 0.3)*length,
				length: length * random.between(0.4, 1.05), width: length * random.between(0.008, 0.017),
				lean: length * 0.16 * random.normal(), bend: length * (0.12 + 0.16*random.normal()),
				root: root, tip: tip})
		}
		for u := m.left() - length; u < m.right()+length; u += max(length, m.pixel) * random.between(0.1, 0.9) {
			thick := patch.at(u/near*0.1+7, math.Log(near)+3)
			if thick+0.35*random.normal() < 0.02 {
				continue
			}
			m.bloom(random, u, v-length*random.between(0.55, 1.05), length, petal[random.next()%3], stalk, calyx)
		}
		v += 0.16 * length
	}
}

// bloom is one flower on its stalk.
func (m *meadow) bloom(random *rng, u, v, length float64, colour, stalk, calyx rgb) {
	size := length * random.between(0.055, 0.105)
	m.plants = append(m.plants,
		&blade{view: m.view, u: u + 0.1*size, v: v + length*0.7, length: length * 0.7, width: length * 0.009,
			lean: -0.1 * size, root: stalk, tip: calyx},
		&petals{view: m.view, u: u, v: v, size: size, squash: random.between(0.55, 0.9),
			turn: random.between(0, 2*math.Pi), lobes: float64(4 + random.next()%2), colour: colour.scale(random.between(0.8, 1.25))})
}

func (m *meadow) grain() float64 { return 6.2 }

func (m *meadow) marks() []mark { return m.plants }

func (m *meadow) row(y int, dst []rgb) {
	v := m.v(y)
	for x := range dst {
		u := m.u(x)
		var light rgb
		through := 1.0
		for i := range m.hills {
			h := &m.hills[i]
			cover := m.cover(v - float64(h.top[x]))
			if cover <= 0 {
				continue
			}
			cover = min(cover, 1) * through
			leaf := clamp01(0.5 + h.crag*m.leaf.at(u+float64(i), 1.7*v))
			if v > meadowEdge+0.01 {
				light = light.add(betweenStalks.scale(cover))
				through = 0
				break
			}
			c := h.shade.mix(h.lit, leaf).mix(h.fog, 0.6*smooth(0, h.fogDepth, v-float64(h.top[x])))
			light = light.add(c.scale(cover))
			if through -= cover; through < 0.004 {
				break
			}
		}
		if through >= 0.004 {
			light = light.add(m.air.at(float64(x), float64(y)).scale(through))
		}
		dst[x] = light
	}
}

// betweenStalks is the shade that grass stands in.
var betweenStalks = rgb{0.028, 0.05, 0.012}

func (m *meadow) airAt(u, v float64) rgb {
	c := m.sky.at(v / 0.56)
	// Clouds float at one height: lower on the screen is further away and smaller.
	depth := 0.42 / (0.78 - v)
	px, py := u*depth, 2.1*v*depth
	density := m.cumuli.at(px, py)
	amount := smooth(0.04, 0.17, density)
	if amount > 0 {
		above := m.cumuli.at(px+0.02*(m.sunU-u), py-0.05)
		sunlit := clamp01(0.66 + 2.2*(density-above) - 0.6*(density-0.1))
		c = c.mix(rgb{0.42, 0.48, 0.58}.mix(rgb{1.35, 1.28, 1.15}, sunlit), 0.96*amount)
	}
	return c
}
