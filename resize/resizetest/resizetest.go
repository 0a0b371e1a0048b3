// Package resizetest has every kind of picture that is uploaded, good and bad, and says what each must become.
//
// The files come from encoders that have nothing to do with the resizer's: Go's own, the packages' testdata (made by
// testdata/make.sh with the tools of libjpeg, libtiff, libwebp, libavif and others), and writers in this package where
// neither makes what is wanted. What a picture shows is computed, never read from an earlier result; renditions are
// decoded by Go's decoders. So nothing of libvips is on either side of a comparison.
package resizetest

import (
	"embed"
	"fmt"
	"image"
	"sync"
)

// Picture is a file, and what must come of it.
type Picture struct {
	Name string // as of an uploaded file, with the suffix that its format has unless that is the point
	Data []byte

	// What must come of it: either Shows or Rejected is there.
	Shows    *Shows
	Rejected *Rejection
}

// Shows says what a good picture shows.
type Shows struct {
	Format string // of the file, as in a report
	Output string // the format of its renditions, unless the settings name one
	Alpha  bool   // it has transparent places, and renditions in PNG and WebP have them too

	// Frames are upright and in sRGB: one, or those of an animation that the renditions must keep.
	Frames []*image.NRGBA
	Delays []int // of the frames, in milliseconds
	Loop   int   // how often an animation plays; 0: for ever

	// PSNR is how near a rendition without loss must come to the picture scaled by another resampler, in dB. It is less
	// where the file's own encoding loses something.
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

// Pictures returns all of them, good ones first. Nobody may change them.
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

// Width and Height of most pictures; a rendition of at most a third as wide makes the decoders shrink as they load.
const (
	Width  = 240
	Height = 160
)

// The PSNR to be had from sources of different kinds, in dB.
const (
	exact = 40 // no loss but that of two resamplers' difference
	edges = 26 // the same, with hard edges, where resamplers differ most
	lossy = 34 // coded well: quality 90 or so
	few   = 23 // a few pixels only, not as smooth
)

// still is a picture of one frame.
func still(name string, data []byte, format string, shows image.Image, psnr float64) Picture {
	img := toNRGBA(shows)
	return Picture{Name: name, Data: data, Shows: &Shows{
		Format: format, Output: format, Alpha: !img.Opaque(), Frames: []*image.NRGBA{img}, PSNR: psnr,
	}}
}

// Rendition is the name of a rendition in its own format, by the default template: where the format is another than that
// of the file, its extension is appended.
func (p Picture) Rendition(size string) string {
	name := size + "-" + p.Name
	if p.Shows.Output != p.Shows.Format {
		name += map[string]string{"jpeg": ".jpg", "png": ".png"}[p.Shows.Output]
	}
	return name
}

// Seeds are for a fuzz target of a format: its pictures, and all that are rejected.
func Seeds(format string) [][]byte {
	var all [][]byte
	for _, p := range Pictures() {
		if p.Shows == nil || p.Shows.Format == format {
			all = append(all, p.Data)
		}
	}
	return all
}
