package conformance

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"testing"

	"s3resizer/internal/demo"
	"s3resizer/resize"
)

const byLibvips = "libvips: all of it decoded, turned upright, one Lanczos step"

// scene is a file of a generated photo.
func scene(kind demo.Kind, seed uint64, width, height int, o demo.Options) func() ([]byte, error) {
	return func() ([]byte, error) { return demo.Encode(demo.Scene(kind, seed, width, height), o) }
}

// drawn is a PNG by Go's encoder, which keeps 16 bits.
func drawn(draw func() image.Image) func() ([]byte, error) {
	return func() ([]byte, error) {
		var file bytes.Buffer
		err := png.Encode(&file, draw())
		return file.Bytes(), err
	}
}

func stored(path string) func() ([]byte, error) {
	return func() ([]byte, error) { return os.ReadFile(path) }
}

// demoRows are the pictures of the demo: every format and every oddity that phones and cameras upload.
func demoRows(t *testing.T) []row {
	t.Helper()
	set, err := demo.Set()
	if err != nil {
		t.Fatal(err)
	}
	var all []row
	for _, photo := range set {
		all = append(all, row{
			is: photo.Note, file: func() ([]byte, error) { return photo.Data, nil }, formats: []resize.Format{resize.PNG, resize.AsSource},
			// The load shrink costs a little on noisy pictures.
			right: []expectation{near{least: map[int]float64{368: 38, 720: 38, 1440: 35}}, encodedAsWell{than: 0.6}},
			truth: byLibvips,
		})
	}
	return all
}

var everyOutput = []resize.Format{resize.JPEG, resize.PNG, resize.WebP, resize.AVIF}

// photoRows are of what stays behind.
var photoRows = []row{
	{
		is:   "a JPEG with EXIF, in which the GPS position is",
		file: scene(demo.Sea, 3, 900, 600, demo.Options{Format: "jpeg", Quality: 90, Orientation: 6}), formats: everyOutput,
		right: []expectation{has("Exif\x00\x00"), source{resize.JPEG, 900, 600}},
		truth: "the contract: renditions have no EXIF", slow: true,
	},
	{
		is:   "a PNG with a profile, as it comes out in every format",
		file: stored("../testdata/colour/p3.png"), formats: everyOutput,
		right: []expectation{has("iCCP"), source{resize.PNG, 192, 192}},
		truth: "the contract: renditions are in sRGB, which needs no profile", slow: true,
	},
}

// turned is a photo that is upright with the given EXIF orientation.
func turned(orientation int) func() ([]byte, error) {
	return scene(demo.Mountains, 3, 1700, 1100, demo.Options{Format: "jpeg", Quality: 95, Orientation: orientation})
}

// upright is right of each of them.
var upright = []expectation{
	source{resize.JPEG, 1700, 1100}, measures{1440: {1440, 932}, 720: {720, 466}}, near{of: turned(0), least: map[int]float64{720: 36}},
}

const byEXIF = "EXIF 2.3, 4.6.4, tag 0x0112: the picture without it, by libvips"

var orientationRows = []row{
	{is: "a JPEG stored in orientation 1", file: turned(1), formats: []resize.Format{resize.PNG}, right: upright, truth: byEXIF},
	{is: "a JPEG stored in orientation 2", file: turned(2), formats: []resize.Format{resize.PNG}, right: upright, truth: byEXIF},
	{is: "a JPEG stored in orientation 3", file: turned(3), formats: []resize.Format{resize.PNG}, right: upright, truth: byEXIF},
	{is: "a JPEG stored in orientation 4", file: turned(4), formats: []resize.Format{resize.PNG}, right: upright, truth: byEXIF},
	{is: "a JPEG stored in orientation 5", file: turned(5), formats: []resize.Format{resize.PNG}, right: upright, truth: byEXIF},
	{is: "a JPEG stored in orientation 6", file: turned(6), formats: []resize.Format{resize.PNG}, right: upright, truth: byEXIF},
	{is: "a JPEG stored in orientation 7", file: turned(7), formats: []resize.Format{resize.PNG}, right: upright, truth: byEXIF},
	{is: "a JPEG stored in orientation 8", file: turned(8), formats: []resize.Format{resize.PNG}, right: upright, truth: byEXIF},
}

// odd is a photo of dimensions that the load shrink does not divide: libvips drops the fraction of a pixel, and a picture
// stretched to make up for it was 10 dB off (31 instead of 41) and shifted by up to half a pixel at its far edges.
func odd(is string, width, height, orientation, size int) row {
	return row{
		is:   is,
		file: scene(demo.City, 5, width, height, demo.Options{Format: "jpeg", Quality: 92, Orientation: orientation}), widths: []int{size}, formats: []resize.Format{resize.PNG},
		right: []expectation{source{resize.JPEG, width, height}, near{least: map[int]float64{size: 38}}},
		truth: byLibvips, slow: true,
	}
}

var oddRows = []row{
	odd("1051 × 701, loaded at 1/2", 1051, 701, 1, 360),
	odd("1051 × 701 lying on its side, loaded at 1/2", 1051, 701, 6, 360),
	odd("1003 × 669, loaded at 1/2", 1003, 669, 1, 360),
	odd("1003 × 669 lying on its side, loaded at 1/2", 1003, 669, 6, 360),
	odd("2001 × 1335, loaded at 1/4", 2001, 1335, 1, 360),
	odd("2001 × 1335 lying on its side, loaded at 1/4", 2001, 1335, 6, 360),
	odd("1999 × 1333, loaded at 1/8", 1999, 1333, 1, 180),
	odd("1999 × 1333 lying on its side, loaded at 1/8", 1999, 1333, 6, 180),
	odd("667 × 1001, loaded at 1/2", 667, 1001, 1, 225),
	odd("667 × 1001 lying on its side, loaded at 1/2", 667, 1001, 6, 225),
}

var alphaRows = []row{
	{
		is: "a sticker with alpha",
		file: func() ([]byte, error) {
			return demo.Encode(demo.Sticker(1, 1600, 1200), demo.Options{Format: "png"})
		}, formats: everyOutput,
		right: []expectation{source{resize.PNG, 1600, 1200}, alphaWhereItCanBe{}},
		truth: "the contract: alpha is kept where the format has it", slow: true,
	},
	{
		is: "opaque white beside transparent black",
		file: drawn(func() image.Image {
			img := image.NewNRGBA(image.Rect(0, 0, 2000, 200))
			for y := range 200 {
				for x := range 1001 {
					img.SetNRGBA(x, y, color.NRGBA{255, 255, 255, 255})
				}
			}
			return img
		}),
		formats: []resize.Format{resize.PNG},
		right:   []expectation{whiteWhereSeen{}},
		truth:   "Porter and Duff (Compositing Digital Images, 1984): colors are weighted by alpha before they are mixed", slow: true,
	},
	{
		is:     "nothing visible, on a background of the settings",
		file:   drawn(func() image.Image { return image.NewNRGBA(image.Rect(0, 0, 64, 64)) }),
		widths: []int{32}, formats: []resize.Format{resize.JPEG}, background: resize.Color{R: 200, G: 40, B: 90},
		right: []expectation{middle{32, resize.JPEG, color.NRGBA{200, 40, 90, 255}, 4}},
		truth: "the contract: a JPEG shows the background of the settings", slow: true,
	},
}

// depthRows are of samples of 16 bits.
var depthRows = []row{
	{
		is: "a grey PNG of 16 bits, rising to the right",
		file: drawn(func() image.Image {
			img := image.NewGray16(image.Rect(0, 0, 800, 600))
			for y := range 600 {
				for x := range 800 {
					img.SetGray16(x, y, color.Gray16{Y: uint16(x*80 + y)})
				}
			}
			return img
		}),
		formats: []resize.Format{resize.PNG, resize.JPEG},
		right:   []expectation{bands(1), middle{368, resize.PNG, color.NRGBA{126, 126, 126, 255}, 2}},
		truth:   "(400 × 80 + 300) ÷ 257 in the middle",
	},
	{
		is: "a PNG of 16 bits a channel, rising to the right and downwards",
		file: drawn(func() image.Image {
			img := image.NewNRGBA64(image.Rect(0, 0, 800, 600))
			for y := range 600 {
				for x := range 800 {
					img.SetNRGBA64(x, y, color.NRGBA64{R: uint16(x * 80), G: uint16(y * 100), B: 30000, A: 65535})
				}
			}
			return img
		}),
		formats: []resize.Format{resize.PNG, resize.JPEG},
		right:   []expectation{middle{368, resize.PNG, color.NRGBA{125, 117, 117, 255}, 2}},
		truth:   "400 × 80 ÷ 257, 300 × 100 ÷ 257 and 30000 ÷ 257 in the middle",
	},
}
