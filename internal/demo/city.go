package demo

import "math"

type city struct {
	view
	shore   float64 // where the water begins, in v
	sky     *gradient
	haze    fractal
	water   fractal
	facade  fractal
	air     *plate
	mirror  *plate
	blocks  [][]building // nearest row of buildings first
	columns [][]int32    // per row of buildings: which one stands in a column, or -1
	seed    uint64
	lights  []mark
	moonU   float64
}

type building struct {
	left, right, top float64
	cellW, cellH     float64 // a window with its share of wall, in picture heights
	occupancy        float64 // share of windows lit
	wall, lamp       rgb
	spire            float64 // height of the mast, 0 for none
	setback          float64 // share of the width that the crown keeps
}

func newCity(seed uint64, w view) *city {
	random := newRNG(seed, uint64(City))
	c := &city{view: w, shore: random.between(0.68, 0.73), seed: seed, moonU: random.between(-0.5, 0.5)}
	dusk := [][4]uint32{{0x070c22, 0x16244f, 0x4a3f72, 0xd07a58}, {0x050c1c, 0x0d2747, 0x1e5376, 0xa09a8a}, {0x0b0a24, 0x251c52, 0x6b3a70, 0xe2804e}}[random.next()%3]
	c.sky = newGradient(stop{0, hex(dusk[0])}, stop{0.45, hex(dusk[1])}, stop{0.8, hex(dusk[2])}, stop{1, hex(dusk[3])})
	c.haze = newFractal(random, 0.5, 6, 0.55, w.pixel)
	c.water = newFractal(random, 1, 7, 0.8, min(0.02, 3*w.pixel))
	c.facade = newFractal(random, 0.009, 4, 1, w.pixel)
	for row := range 3 {
		c.build(random, row)
	}
	for range 420 {
		s := newStar(random, w, 0.5*c.shore, 0.5)
		if _, hidden := c.towers(c.column(s.u), s.u, s.v); !hidden {
			c.lights = append(c.lights, s)
		}
	}
	c.air = newPlate(w, c.shore, c.airAt)
	c.mirror = newPlate(w, c.shore, func(u, v float64) rgb {
		if light, hit := c.towers(c.column(u), u, v); hit {
			return light
		}
		return c.air.at(c.x(u)-0.5, v/c.pixel-0.5)
	})
	c.mirror.smear(w, 0.014)
	return c
}

// build adds one row of buildings; row 0 is the nearest.
func (c *city) build(random *rng, row int) {
	far := float64(row) / 2
	lamps := [...]rgb{hex(0xffd08a), hex(0xffb45e), hex(0xfff0d2), hex(0xcfe4ff), hex(0xffdf9e)}
	var blocks []building
	column := make([]int32, c.width)
	for x := range column {
		column[x] = -1
	}
	centre := random.between(-0.25, 0.25)
	for u := -c.reach() + random.between(0, 0.05); u < c.reach(); {
		width := lerp(0.062, 0.04, far) * random.between(0.65, 1.7)
		rise := math.Exp(-(u - centre) * (u - centre) / 0.22)
		height := lerp(0.1, 0.2, far) + rise*lerp(0.12, 0.3, far)*math.Pow(random.float(), 0.8) + random.between(0, 0.05)
		b := building{left: u, right: u + width, top: c.shore - height,
			cellW: width / math.Round(width/lerp(0.0074, 0.005, far)), cellH: lerp(0.0105, 0.0072, far) * random.between(0.85, 1.2),
			occupancy: random.between(0.12, 0.75) * lerp(1, 0.8, far), lamp: lamps[random.next()%5], setback: 1}
		b.wall = hex(0x0d1320).mix(hex(0x262a38), random.float()).mix(c.sky.at(0.62), 0.05+0.3*far)
		if random.float() < 0.35 {
			b.setback = random.between(0.5, 0.8)
		}
		if random.float() < 0.25*rise+0.05 {
			b.spire = random.between(0.02, 0.07)
		}
		for x := max(0, int(c.x(b.left))); x < min(c.width, int(math.Ceil(c.x(b.right)))); x++ {
			column[x] = int32(len(blocks))
		}
		blocks = append(blocks, b)
		u += width
		if random.float() < 0.3 {
			u += random.between(0.007, 0.02)
		}
	}
	c.blocks = append(c.blocks, blocks)
	c.columns = append(c.columns, column)
}

func (c *city) grain() float64 { return 6.8 }

func (c *city) marks() []mark { return c.lights }

func (c *city) row(y int, dst []rgb) {
	v := c.v(y)
	if v < c.shore {
		for x := range dst {
			light, hit := c.towers(x, c.u(x), v)
			if !hit {
				light = c.air.at(float64(x), float64(y))
			}
			dst[x] = light
		}
		return
	}
	near := v - c.shore
	scale := near + 0.014
	across, along := 0.24/scale, 4.5*math.Log(scale)
	quay := 0.85 * smooth(0.008, 0.006, near)
	for x := range dst {
		u := c.u(x)
		wave := c.water.at(u*across, along)
		// Waves smear lights upright far more than sideways.
		ru := u + 0.016*wave
		rv := c.shore - 0.004 - near*(1.05+0.6*wave) - 0.09*wave*(0.3+near)
		light := c.mirror.at(c.x(ru)-0.5, min(rv, c.shore-0.004)/c.pixel)
		light = light.scale(max(0.06, 0.95-0.7*near+2.2*wave)).add(rgb{0.003, 0.006, 0.012})
		dst[x] = light.mix(rgb{0.006, 0.006, 0.009}, quay)
	}
}

func (c *city) column(u float64) int { return max(0, min(c.width-1, int(c.x(u)))) }

// towers is what is built at a point of column x above the water, or hit = false.
func (c *city) towers(x int, u, v float64) (light rgb, hit bool) {
	for row := range c.blocks {
		k := c.columns[row][x]
		if k < 0 {
			continue
		}
		b := &c.blocks[row][k]
		if v < b.top-b.spire {
			continue
		}
		if light, hit = c.tower(b, row, int(k), u, v); hit {
			return light, true
		}
	}
	return rgb{}, false
}

func (c *city) airAt(u, v float64) rgb {
	light := c.sky.at(v / c.shore)
	cloud := smooth(-0.15, 0.45, c.haze.at(u, 2.2*v))
	light = light.scale(1 + 0.35*cloud).add(c.sky.at(1).scale(0.3 * cloud * v * v))
	du, dv := u-c.moonU, v-0.13
	d2 := du*du + dv*dv
	return light.add(rgb{0.9, 0.92, 1}.scale(1.3*smooth(0.0175, 0.0165, math.Sqrt(d2)) + 0.00016/(d2+0.0012)))
}

// tower is the face of one building at a point, or hit = false beside it.
func (c *city) tower(b *building, row, number int, u, v float64) (light rgb, hit bool) {
	middle, half := (b.left+b.right)/2, (b.right-b.left)/2
	off := math.Abs(u - middle)
	crown := b.top + 0.22*(c.shore-b.top)
	if v < b.top {
		mast := b.spire > 0 && v > b.top-b.spire && off < max(0.5*c.pixel, 0.0012*(v-b.top+b.spire)/b.spire+0.0003)
		return rgb{0.012, 0.012, 0.018}, mast
	}
	if off > half || (v < crown && off > half*b.setback) {
		return rgb{}, false
	}
	depth := 0.5 * float64(row)
	light = b.wall.scale(0.75 + 0.35*clamp01((u-b.left)/(b.right-b.left)) + 0.75*c.facade.at(u+depth, 0.5*v))
	light = light.add(rgb{0.2, 0.1, 0.035}.scale(smooth(0.028, 0, c.shore-v) * (1 - 0.6*depth)))
	i, j := (u-b.left)/b.cellW, (v-b.top)/b.cellH
	ci, cj := math.Floor(i), math.Floor(j)
	pane := windowPane(i-ci, j-cj, c.pixel/b.cellW, c.pixel/b.cellH)
	if cj < 1 || pane == 0 {
		return light, true
	}
	h := cellHash(c.seed+uint64(row)<<32+uint64(number), int(ci), int(cj))
	// Whole floors stay lit where people still work.
	floor := unit(cellHash(c.seed+uint64(row)<<40+uint64(number), 1<<20, int(cj)))
	if unit(h) < b.occupancy || floor < 0.08 {
		strength := 0.22 + 1.5*unit(scramble(h))*unit(scramble(h+1))
		tint := b.lamp.mix(rgb{0.75, 0.9, 1.1}, 0.6*smooth(0.75, 1, unit(scramble(h+2))))
		blind := 1 - 0.45*smooth(0, 1, j-cj)*unit(scramble(h+3))
		return light.mix(tint.scale(strength*blind*(1-0.35*depth)), pane), true
	}
	return light.mix(c.sky.at(0.6).scale(0.25), 0.5*pane), true
}

// windowPane is how much of a pixel at (i, j) in a window's cell is glass;
// where a cell is smaller than a pixel, it tends to the cell's average.
func windowPane(i, j, softI, softJ float64) float64 {
	across := clamp01(min(i-0.2, 0.82-i)/max(softI, 1e-9) + 0.5)
	down := clamp01(min(j-0.24, 0.78-j)/max(softJ, 1e-9) + 0.5)
	mullion := 1 - 0.7*clamp01((0.035-math.Abs(i-0.51))/max(softI, 1e-9)+0.5)*clamp01(2-6*softI)
	return across * down * mullion
}
