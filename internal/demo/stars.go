package demo

import "math"

// star is a point of light as a lens draws it: a small bell, never less than a pixel wide.
type star struct {
	view
	u, v, radius float64
	light        rgb
}

// newStar places a star above v = bottom, its magnitude drawn so that few are bright.
func newStar(random *rng, w view, bottom, brightness float64) *star {
	magnitude := math.Pow(random.float(), 5)
	warmth := random.float()
	return &star{view: w, u: random.between(-w.reach(), w.reach()), v: random.between(0, bottom),
		radius: 0.0004 + 0.0009*magnitude,
		light:  rgb{0.8, 0.9, 1.15}.mix(rgb{1.2, 0.95, 0.75}, warmth*warmth).scale(brightness * (0.12 + 2.5*magnitude))}
}

// reach is the radius in pixels; a star smaller than a pixel is dimmed in
// proportion to its area instead.
func (s *star) reach() (radius, dimmed float64) {
	radius = s.radius / s.pixel
	if radius >= 0.7 {
		return radius, 1
	}
	return 0.7, radius * radius / 0.49
}

func (s *star) rows() (top, bottom int) {
	radius, _ := s.reach()
	y := s.v / s.pixel
	return int(y - 2.5*radius), int(y+2.5*radius) + 1
}

func (s *star) paint(y int, dst []rgb) {
	radius, dimmed := s.reach()
	cx, dy := s.x(s.u), float64(y)+0.5-s.v/s.pixel
	for x := max(0, int(cx-2.5*radius)); x <= int(cx+2.5*radius) && x < len(dst); x++ {
		dx := float64(x) + 0.5 - cx
		bell := dimmed * math.Exp(-(dx*dx+dy*dy)/(radius*radius))
		dst[x] = dst[x].add(s.light.scale(bell))
	}
}
