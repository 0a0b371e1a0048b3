package planar

// #include "planar.h"
import "C"

import (
	"unsafe"
)

// Planes is a picture in memory: luma and two planes of chroma, or luma alone. It may be used by several goroutines at
// once. Close it.
type Planes struct {
	Width, Height int // pixels; of what a Decoder gives, those of the stored picture, however shrunk its planes are

	c []C.Plane
}

// Close releases the planes.
func (p *Planes) Close() {
	for i := range p.c {
		C.planar_free_plane(&p.c[i])
	}
}

// Grey tells whether there is no chroma.
func (p *Planes) Grey() bool { return len(p.c) == 1 }

// Chroma is how many samples of chroma there are for the pixels.
type Chroma int

// The kinds of chroma that Resize makes.
const (
	Halved Chroma = 2 // in both directions: 4:2:0
	Full   Chroma = 1 // 4:4:4
)

// Resize makes a picture of width × height pixels, turned as an EXIF orientation, 1–8, says. The kernel is Lanczos3.
//
// Its chroma lies where JPEG has it, centered between the pixels, and is resampled from where that of p lies in one step.
func (p *Planes) Resize(width, height, orientation int, chroma Chroma) (*Planes, error) {
	small := &Planes{Width: width, Height: height, c: make([]C.Plane, len(p.c))}
	for i := range p.c {
		every := chroma
		if i == 0 {
			every = Full
		}
		var err error
		if small.c[i], err = resized(&p.c[i], width, height, turns[orientation], int(every)); err != nil {
			small.Close()
			return nil, err
		}
	}
	return small, nil
}

// turned is how a stored picture becomes upright: mirrored, and then with its rows and columns exchanged.
type turned struct{ x, y, transposed bool }

// turns are those of the EXIF orientations (CIPA DC-008, 4.6.4, tag 0x0112). Any other number is taken for 1.
var turns = map[int]turned{
	2: {x: true}, 3: {x: true, y: true}, 4: {y: true},
	5: {transposed: true}, 6: {y: true, transposed: true}, 7: {x: true, y: true, transposed: true}, 8: {x: true, transposed: true},
}

// resized makes the plane of a picture of width × height pixels that has a sample for so many of them, in each direction.
// Turned is the small plane, not the large one.
func resized(from *C.Plane, width, height int, t turned, every int) (C.Plane, error) {
	if t.transposed {
		width, height = height, width
	}
	x := newStretch(from.width, from.across, width, every, t.x)
	y := newStretch(from.height, from.down, height, every, t.y)
	plane, err := resample(from, x, y)
	if err != nil || t == (turned{}) {
		return plane, err
	}
	defer C.planar_free_plane(&plane)
	upright := plane
	if t.transposed {
		upright.width, upright.height, upright.across, upright.down = plane.height, plane.width, plane.down, plane.across
	}
	if err := allocate(&upright); err != nil {
		return C.Plane{}, err
	}
	C.planar_turn(&plane, &upright, boolean(t.x), boolean(t.y), boolean(t.transposed))
	return upright, nil
}

// stretch is what one direction of a plane becomes: the samples from start on, so many, end up as to.
type stretch struct {
	from          int
	start, length float64
	to            int
	covered       float64 // of to, by the picture
}

// newStretch computes what becomes of a plane, or rather of its side of so many samples, the given number of which the
// picture covers, if it has a sample for every one or two of so many pixels.
//
// With an odd number of pixels, the last sample lies half outside. Where the plane is to be mirrored it is the first one
// that must do so.
func newStretch(samples C.int, covered C.double, pixels, every int, mirrored bool) stretch {
	s := stretch{from: int(samples), to: (pixels + every - 1) / every, covered: float64(pixels) / float64(every)}
	s.length = float64(covered) * float64(s.to) / s.covered
	if mirrored {
		s.start = float64(covered) - s.length
	}
	return s
}

func resample(from *C.Plane, x, y stretch) (C.Plane, error) {
	to := C.Plane{width: C.int(x.to), height: C.int(y.to), across: C.double(x.covered), down: C.double(y.covered)}
	graph, err := graphs.get(geometry{x, y})
	if err != nil {
		return to, err
	}
	defer graphs.put(graph)
	if err := allocate(&to); err != nil {
		return to, err
	}
	if done := C.planar_resample(graph.c, from, &to); done == 0 {
		C.planar_free_plane(&to)
		return to, ErrMemory
	}
	return to, nil
}

func allocate(plane *C.Plane) error {
	plane.samples, plane.stride = nil, 0
	if done := C.planar_allocate_plane(plane, plane.height); done == 0 {
		return ErrMemory
	}
	return nil
}

func boolean(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

// RGB returns the pixels, three samples each; of a grey picture, one. It is for what Resize makes.
func (p *Planes) RGB() []byte {
	if p.Grey() {
		return p.luma()
	}
	pixels := make([]byte, 3*p.Width*p.Height)
	C.planar_to_rgb(&p.c[0], C.int(p.Width), C.int(p.Height), (*C.uchar)(unsafe.SliceData(pixels)))
	return pixels
}

func (p *Planes) luma() []byte {
	stride := int(p.c[0].stride)
	rows := unsafe.Slice((*byte)(p.c[0].samples), stride*p.Height)
	pixels := make([]byte, 0, p.Width*p.Height)
	for y := range p.Height {
		pixels = append(pixels, rows[y*stride:][:p.Width]...)
	}
	return pixels
}
