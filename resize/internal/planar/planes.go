package planar

// #include "planar.h"
import "C"

import (
	"image"
	"math"
	"unsafe"

	"s3resizer/resize/internal/crop"
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

// Resize makes a picture of what v shows of the upright one, of which p is stored as the turn says. There must be no background
// in it. The kernel is Lanczos3.
//
// Its chroma lies where JPEG has it, centered between the pixels, and is resampled from where that of p lies in one step.
func (p *Planes) Resize(v crop.View, turn crop.Turn, chroma Chroma) (*Planes, error) {
	small := &Planes{Width: v.Width(), Height: v.Height(), c: make([]C.Plane, len(p.c))}
	for i := range p.c {
		every := chroma
		if i == 0 {
			every = Full
		}
		var err error
		if small.c[i], err = resized(&p.c[i], v.Stored(turn), turn, int(every)); err != nil {
			small.Close()
			return nil, err
		}
	}
	return small, nil
}

// resized makes the plane of what a view of the stored picture shows, with a sample for so many of its pixels in each direction.
// Turned is the small plane, not the large one.
func resized(from *C.Plane, v crop.View, turn crop.Turn, every int) (C.Plane, error) {
	x := newStretch(from.width, from.across, v.Whole.X, v.Window.Min.X, v.Window.Max.X, every, turn.X)
	y := newStretch(from.height, from.down, v.Whole.Y, v.Window.Min.Y, v.Window.Max.Y, every, turn.Y)
	plane, err := resample(from, x, y)
	if err != nil || turn == (crop.Turn{}) {
		return plane, err
	}
	defer C.planar_free_plane(&plane)
	upright := plane
	if turn.Transposed {
		upright.width, upright.height, upright.across, upright.down = plane.height, plane.width, plane.down, plane.across
	}
	if err := allocate(&upright); err != nil {
		return C.Plane{}, err
	}
	C.planar_turn(&plane, &upright, boolean(turn.X), boolean(turn.Y), boolean(turn.Transposed))
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
// picture covers, if that is to have so many pixels, those from low to high are kept, and there is a sample for every one or
// two of them.
//
// With an odd number of pixels, the last sample lies half outside. Where the plane is to be mirrored it is the first one
// that must do so.
func newStretch(samples C.int, covered C.double, pixels, low, high, every int, mirrored bool) stretch {
	kept := high - low
	s := stretch{from: int(samples), to: (kept + every - 1) / every, covered: float64(kept) / float64(every)}
	pixel := float64(covered) / float64(pixels)
	s.length = pixel * float64(kept) * float64(s.to) / s.covered
	s.start = pixel * float64(low)
	if mirrored {
		s.start += pixel*float64(kept) - s.length
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

// Pad makes a picture of so many pixels, of a color of sRGB, with this one in it, whose chroma must be Halved. Its corner is at
// an even place, where its chroma meets that of the larger picture.
func (p *Planes) Pad(corner, size image.Point, color [3]uint8) (*Planes, error) {
	planes := p.c
	if p.Grey() && (color[0] != color[1] || color[1] != color[2]) {
		chroma := C.Plane{width: (planes[0].width + 1) / 2, height: (planes[0].height + 1) / 2, across: planes[0].across / 2, down: planes[0].down / 2}
		if err := allocate(&chroma); err != nil {
			return nil, err
		}
		defer C.planar_free_plane(&chroma)
		C.planar_fill(&chroma, 128)
		planes = []C.Plane{planes[0], chroma, chroma}
	}
	padded := &Planes{Width: size.X, Height: size.Y, c: make([]C.Plane, len(planes))}
	levels := ycc(color)
	for i := range planes {
		every := 2
		if i == 0 {
			every = 1
		}
		padded.c[i] = C.Plane{
			width: C.int((size.X + every - 1) / every), height: C.int((size.Y + every - 1) / every),
			across: C.double(size.X) / C.double(every), down: C.double(size.Y) / C.double(every),
		}
		if err := allocate(&padded.c[i]); err != nil {
			padded.Close()
			return nil, err
		}
		C.planar_fill(&padded.c[i], C.uchar(levels[i]))
		C.planar_put(&planes[i], &padded.c[i], C.int(corner.X/every), C.int(corner.Y/every), C.uchar(levels[i]))
	}
	return padded, nil
}

// ycc are luma and chroma of a color, as JFIF has them.
func ycc(color [3]uint8) [3]uint8 {
	r, g, b := float64(color[0]), float64(color[1]), float64(color[2])
	luma := 0.299*r + 0.587*g + 0.114*b
	level := func(l float64) uint8 { return uint8(min(255, math.Round(l))) }
	return [3]uint8{level(luma), level(128 + (b-luma)/1.772), level(128 + (r-luma)/1.402)}
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
