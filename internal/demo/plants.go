package demo

import "math"

// blade is a stalk of grass: a curve from its root, tapering to the tip.
type blade struct {
	view
	u, v, length, width float64 // the root, and its size in picture heights
	lean, bend          float64 // how far the tip is off the root: straight, and bent
	root, tip           rgb
}

func (b *blade) rows() (top, bottom int) {
	return int((b.v - b.length) / b.pixel), int(b.v/b.pixel) + 1
}

func (b *blade) paint(y int, dst []rgb) {
	t := (b.v - b.view.v(y)) / b.length
	if t < 0 || t > 1 {
		return
	}
	centre := b.x(b.u + b.lean*t + b.bend*t*t)
	half := 0.5 * b.width * (1 - t*t) / b.pixel
	c := b.root.mix(b.tip, t)
	for x := max(0, int(centre-half)); x <= int(centre+half) && x < len(dst); x++ {
		cover := min(float64(x+1), centre+half) - max(float64(x), centre-half)
		if cover <= 0 {
			continue
		}
		// The far side of the blade is turned away from the light.
		side := (float64(x) + 0.5 - centre) / (half + 0.5)
		dst[x] = dst[x].mix(c.scale(1+0.35*side), cover)
	}
}

// petals is a flower seen at a slant: a lobed ellipse with a dark heart.
type petals struct {
	view
	u, v, size   float64 // centre and radius
	squash, turn float64
	lobes        float64
	colour       rgb
}

func (p *petals) rows() (top, bottom int) {
	reach := p.size * p.squash * 1.15
	return int((p.v - reach) / p.pixel), int((p.v+reach)/p.pixel) + 1
}

func (p *petals) paint(y int, dst []rgb) {
	dy := (p.view.v(y) - p.v) / (p.size * p.squash)
	reach := 1.15 * p.size
	soft := p.pixel / p.size
	dimmed := min(1, 0.7/soft) // what is smaller than a pixel covers only part of it
	for x := max(0, int(p.x(p.u-reach))); x <= int(p.x(p.u+reach)) && x < len(dst); x++ {
		dx := (p.view.u(x) - p.u) / p.size
		r := math.Sqrt(dx*dx + dy*dy)
		angle := math.Atan2(dy, dx) + p.turn
		lobe := math.Sin(p.lobes * angle)
		cover := clamp01((0.95+0.13*math.Abs(lobe)-r)/soft + 0.5)
		if cover == 0 {
			continue
		}
		crease := 0.72 + 0.28*math.Abs(lobe) + 0.12*math.Sin(23*angle)*r
		c := p.colour.scale(crease * (0.75 + 0.5*r - 0.25*dy))
		c = c.mix(rgb{0.02, 0.015, 0.02}, 0.9*smooth(0.34, 0.2, r))
		dst[x] = dst[x].mix(c, dimmed*cover)
	}
}
