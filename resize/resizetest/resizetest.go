// Package resizetest has every kind of picture that is uploaded, good and bad, and says what must become of each. Package
// conformance renders them.
//
// The files come from encoders that share nothing with the resizer's: Go's own, the tools of libjpeg, libtiff, libwebp, libavif
// and others (see testdata/make.sh), and writers in this package for what none of those can write. What a picture shows is
// computed, and never read from an earlier result. Renditions are decoded by Go's decoders. So libvips is on neither side of a
// comparison.
package resizetest

import (
	"embed"
	"fmt"
	"image"
	"sync"
)

// Picture is a file, and what must become of it.
type Picture struct {
	Name string // that of the uploaded file, with the suffix of its format, unless the wrong suffix is the point
	Data []byte

	// What must become of it: one of these two is not nil.
	Shows    *Shows
	Rejected *Rejection
}

// Shows says what a good picture shows.
type Shows struct {
	Format string // of the file, as in a report
	Output string // the format of its renditions, unless the settings name one
	Alpha  bool   // it has transparent places, which renditions in PNG and WebP must keep

	// Frames are upright and in sRGB: one, or those of an animation that the renditions must keep.
	Frames []*image.NRGBA
	Delays []int // of the frames, in milliseconds
	Loop   int   // how often an animation plays; 0 for ever

	// PSNR is how near a rendition without loss must come to the picture as another resampler scales it, in dB. It is lower
	// if the file itself was encoded with loss.
	PSNR float64
}

// Rejection says how a bad picture is rejected.
type Rejection struct {
	Class string
	Says  string // what the reason must contain
}

//go:embed testdata/*.*
var testdata embed.FS

func file(name string) []byte {
	data, err := testdata.ReadFile("testdata/" + name)
	if err != nil {
		panic(err) // embedded: a mistake in this package
	}
	return data
}

// Pictures returns all pictures, good ones first. They must not be changed.
var Pictures = sync.OnceValue(func() []Picture {
	var all []Picture
	for _, of := range []func() []Picture{jpegs, pngs, gifs, webps, tiffs, avifs, disguised, rejected} {
		all = append(all, of()...)
	}
	seen := map[string]bool{}
	for _, p := range all {
		if seen[p.Name] || (p.Shows == nil) == (p.Rejected == nil) {
			panic(fmt.Sprintf("%s is there twice, or says nothing", p.Name))
		}
		seen[p.Name] = true
	}
	return all
})

// Width and Height of most pictures. For a rendition that is at most a third as wide, decoders shrink as they load.
const (
	Width  = 240
	Height = 160
)

// The PSNR that can be had from sources of different kinds, in dB.
const (
	exact = 40 // without loss: only the two resamplers differ
	edges = 26 // the same, with hard edges, where resamplers differ most
	lossy = 34 // with little loss: quality 90 or so
	few   = 23 // only a few pixels, not as smooth
)

// still is a picture of one frame.
func still(name string, data []byte, format string, shows image.Image, psnr float64) Picture {
	img := toNRGBA(shows)
	return Picture{Name: name, Data: data, Shows: &Shows{
		Format: format, Output: format, Alpha: !img.Opaque(), Frames: []*image.NRGBA{img}, PSNR: psnr,
	}}
}

// Rendition returns the name of a rendition by the default template. If its format is another than that of the file, the
// extension of that format is appended.
func (p Picture) Rendition(size string) string {
	name := size + "-" + p.Name
	if p.Shows.Output != p.Shows.Format {
		name += map[string]string{"jpeg": ".jpg", "png": ".png"}[p.Shows.Output]
	}
	return name
}

// Seeds returns files for a fuzz target of a format: its pictures, and all that are rejected.
func Seeds(format string) [][]byte {
	var all [][]byte
	for _, p := range Pictures() {
		if p.Shows == nil || p.Shows.Format == format {
			all = append(all, p.Data)
		}
	}
	return all
}
