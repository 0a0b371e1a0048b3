package demo

import "math"

// plate is light exposed on a coarse grid: skies and what water mirrors have
// nothing as fine as a pixel, and a look-up costs a tenth of the noise behind it.
type plate struct {
	step       float64 // pixels between samples
	cols, rows int
	light      [][3]float32
}

// plateHeight is how many samples a full picture's height gets at most.
const plateHeight = 1000

// newPlate exposes the picture from the top down to v = bottom.
func newPlate(w view, bottom float64, light func(u, v float64) rgb) *plate {
	p := &plate{step: math.Max(1, float64(w.height)/plateHeight)}
	p.cols = int(float64(w.width)/p.step) + 3
	p.rows = int(bottom*float64(w.height)/p.step) + 3
	p.light = make([][3]float32, p.cols*p.rows)
	inParallel(p.rows, func() func(int) {
		return func(j int) {
			v := (float64(j)*p.step + 0.5) * w.pixel
			row := p.light[j*p.cols : (j+1)*p.cols]
			for i := range row {
				u := (float64(i)*p.step+0.5)*w.pixel + w.left()
				c := light(u, v)
				row[i] = [3]float32{float32(c.r), float32(c.g), float32(c.b)}
			}
		}
	})
	return p
}

// at interpolates at a position in pixels, counted from the centre of the first one.
func (p *plate) at(x, y float64) rgb {
	x = max(0, min(x/p.step, float64(p.cols-2)))
	y = max(0, min(y/p.step, float64(p.rows-2)))
	i, j := int(x), int(y)
	fx, fy := float32(x-float64(i)), float32(y-float64(j))
	top := p.light[j*p.cols+i:][:2]
	bottom := p.light[(j+1)*p.cols+i:][:2]
	var c [3]float32
	for k := range c {
		a := top[0][k] + (top[1][k]-top[0][k])*fx
		b := bottom[0][k] + (bottom[1][k]-bottom[0][k])*fx
		c[k] = a + (b-a)*fy
	}
	return rgb{float64(c[0]), float64(c[1]), float64(c[2])}
}

// smear averages every column over a height of 2·reach in v, as waves do with
// what they mirror.
func (p *plate) smear(w view, reach float64) {
	n := int(reach / w.pixel / p.step)
	if n == 0 {
		return
	}
	inParallel(p.cols, func() func(int) {
		column := make([][3]float32, p.rows)
		return func(i int) {
			for j := range column {
				column[j] = p.light[j*p.cols+i]
			}
			for j := range column {
				var sum [3]float32
				count := float32(0)
				for k := max(0, j-n); k <= min(p.rows-1, j+n); k += max(1, n/8) {
					for c := range sum {
						sum[c] += column[k][c]
					}
					count++
				}
				for c := range sum {
					p.light[j*p.cols+i][c] = sum[c] / count
				}
			}
		}
	})
}
