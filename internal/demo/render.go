package demo

import (
	"image"
	"runtime"
	"sync"
	"sync/atomic"
)

// view places pixels in the plane in which scenes are described: v runs from
// 0 at the top to 1 at the bottom, u is measured in picture heights from the
// middle. A narrower picture shows less to the sides, never a squeezed scene.
type view struct {
	width, height int
	pixel         float64 // side of one pixel in picture heights
	perPixel      float64 // its inverse
}

func newView(width, height int) view {
	return view{width, height, 1 / float64(height), float64(height)}
}

func (w view) u(x int) float64     { return (float64(x) + 0.5 - float64(w.width)/2) * w.pixel }
func (w view) v(y int) float64     { return (float64(y) + 0.5) * w.pixel }
func (w view) x(u float64) float64 { return u*w.perPixel + float64(w.width)/2 }

// cover is how much of a pixel lies behind an edge at a depth of v behind it; it
// may exceed 1 or be negative.
func (w view) cover(depth float64) float64 { return depth*w.perPixel + 0.5 }

// reach is how far to both sides things are placed one after the other: the
// same for all usual proportions, so that a narrow picture is a crop of a wide one.
func (w view) reach() float64 { return max(1.6, w.right()+0.1) }

func (w view) left() float64  { return -float64(w.width) / 2 * w.pixel }
func (w view) right() float64 { return float64(w.width) / 2 * w.pixel }

// scene is what can be photographed. Rows are asked for in any order and from
// several goroutines, so row must not write to the scene.
type scene interface {
	row(y int, dst []rgb)
	// marks are painted over the rows, in order.
	marks() []mark
	// grain is the sensor noise, in display levels of 255 at mid grey and 12 megapixels.
	grain() float64
}

// mark is something small that lies on top of the rows: a blade of grass, a petal, a star.
type mark interface {
	rows() (top, bottom int) // bottom excluded
	paint(y int, dst []rgb)
}

// bandRows is a compromise: a band of linear light stays in the second-level
// cache, and a tall mark is not visited by too many bands.
const bandRows = 16

// render exposes the scene: bands of rows, shared among all cores. A band
// depends on nothing but its own position, so neither the number of cores nor
// their order can show in the result.
func render(s scene, w view, seed uint64) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w.width, w.height))
	bands := (w.height + bandRows - 1) / bandRows
	byBand := make([][]mark, bands)
	for _, m := range s.marks() {
		top, bottom := m.rows()
		for b := max(top, 0) / bandRows; b*bandRows < min(bottom, w.height); b++ {
			byBand[b] = append(byBand[b], m)
		}
	}
	sensor := newSensor(seed, s.grain(), w.height)
	inParallel(bands, func() func(int) {
		light := make([]rgb, w.width)
		return func(b int) {
			for y := b * bandRows; y < min((b+1)*bandRows, w.height); y++ {
				s.row(y, light)
				for _, m := range byBand[b] {
					if top, bottom := m.rows(); y >= top && y < bottom {
						m.paint(y, light)
					}
				}
				sensor.read(y, light, img.Pix[y*img.Stride:])
			}
		}
	})
	return img
}

// inParallel does the jobs 0 to n-1 on all cores. newWorker is called once per
// core, so that what it returns can own scratch memory.
func inParallel(n int, newWorker func() func(job int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		workers.Go(func() {
			work := newWorker()
			for job := int(next.Add(1)) - 1; job < n; job = int(next.Add(1)) - 1 {
				work(job)
			}
		})
	}
	workers.Wait()
}
