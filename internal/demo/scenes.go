package demo

import (
	"fmt"
	"image"
)

// Kind is what a scene shows.
type Kind int

// The kinds of scene.
const (
	Mountains Kind = iota // ridges one behind the other in evening haze, conifers in front
	Sea                   // a low sun over open water
	Meadow                // poppies in long grass under fair-weather clouds
	City                  // a skyline at night and its reflection
	Dunes                 // sand ripples, crests between light and shadow
	Aurora                // northern lights over snow and a lake
)

var kindNames = [...]string{"mountains", "sea", "meadow", "city", "dunes", "aurora"}

// String returns the kind's name in lower case.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return kindNames[k]
}

// Kinds returns all kinds, in a fixed order.
func Kinds() []Kind { return []Kind{Mountains, Sea, Meadow, City, Dunes, Aurora} }

// Scene renders a photo-like, opaque sRGB picture of width × height pixels.
// The same arguments give the same bytes on machines of one architecture,
// whatever their number of cores; between architectures the last bit may
// differ, because compilers fuse multiplications with additions on some.
// Everything in the picture scales with its height; only the sensor noise is
// per pixel, and weaker below 12 megapixels. Scene panics if the kind is unknown or a side is not positive:
// both are mistakes of the programmer, never of the data.
func Scene(kind Kind, seed uint64, width, height int) *image.NRGBA {
	if width <= 0 || height <= 0 {
		panic(fmt.Sprintf("photos: scene of %d×%d pixels", width, height))
	}
	w := newView(width, height)
	var s scene
	switch kind {
	case Mountains:
		s = newMountains(seed, w)
	case Sea:
		s = newSea(seed, w)
	case Meadow:
		s = newMeadow(seed, w)
	case City:
		s = newCity(seed, w)
	case Dunes:
		s = newDunes(seed, w)
	case Aurora:
		s = newAurora(seed, w)
	default:
		panic("photos: unknown " + kind.String())
	}
	return render(s, w, seed)
}

// Gray returns the picture's luma (ITU-R BT.601, as JPEG weighs it), alpha ignored.
func Gray(img *image.NRGBA) *image.Gray {
	bounds := img.Bounds()
	gray := image.NewGray(image.Rect(0, 0, bounds.Dx(), bounds.Dy()))
	for y := range bounds.Dy() {
		src := img.Pix[img.PixOffset(bounds.Min.X, bounds.Min.Y+y):]
		dst := gray.Pix[y*gray.Stride:]
		for x := range bounds.Dx() {
			p := src[x*4 : x*4+3 : x*4+3]
			dst[x] = byte((19595*uint32(p[0]) + 38470*uint32(p[1]) + 7471*uint32(p[2]) + 1<<15) >> 16)
		}
	}
	return gray
}
