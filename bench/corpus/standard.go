package corpus

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"

	"s3resizer/internal/demo"
)

// standard is small enough for one run and has one picture, at least, of all that is told apart. The dimensions are
// those of phones and cameras; 4032 × 2268 is what a 12-megapixel phone makes of 16:9, a part of its sensor.
func standard() []Picture {
	return []Picture{
		jpeg("jpeg-9mp", Baseline, photo{demo.Mountains, 3, 4032, 2268, 9.5}, false),
		jpeg("jpeg-12mp", Baseline, photo{demo.Meadow, 1, 4032, 3024, 6.8}, false),
		jpeg("jpeg-20mp", Baseline, photo{demo.City, 2, 6001, 3375, 7.6}, false),
		jpeg("jpeg-24mp", Baseline, photo{demo.Sea, 2, 6000, 4000, 8.4}, false),
		jpeg("progressive-9mp", Progressive, photo{demo.Mountains, 3, 4032, 2268, 9.5}, true),
		jpeg("progressive-12mp", Progressive, photo{demo.Meadow, 1, 4032, 3024, 6.8}, true),
		{Name: "jpeg-6mp-plain", Class: LowDetail, extension: ".jpg", draw: func() ([]byte, error) {
			return demo.Encode(demo.Scene(demo.Dunes, 2, 2725, 2180), demo.Options{Format: "jpeg", Quality: 80, Orientation: 1})
		}},
		{Name: "png-9mp-photo", Class: PNGPhoto, extension: ".png", draw: func() ([]byte, error) {
			return demo.Encode(demo.Scene(demo.Aurora, 1, 4032, 2268), demo.Options{Format: "png"})
		}},
		{Name: "png-9mp-artwork", Class: PNGArtwork, extension: ".png", draw: func() ([]byte, error) {
			return demo.Encode(demo.Sticker(1, 3000, 3000), demo.Options{Format: "png"})
		}},
		{Name: "jpeg-100mp", Class: Huge, extension: ".jpg", draw: huge},
		{Name: "webp-12mp", Class: WebP, extension: ".webp", draw: func() ([]byte, error) {
			return demo.Encode(demo.Scene(demo.Meadow, 2, 4032, 3024), demo.Options{Format: "webp", Quality: 82})
		}},
		{Name: "png-page", Class: FewColors, extension: ".png", draw: page},
		{Name: "gif-12-frames", Class: Animation, extension: ".gif", draw: animation},
		{Name: "gif-recording", Class: Recording, extension: ".gif", draw: recording},
	}
}

// photo is a shot of a scene.
type photo struct {
	kind          demo.Kind
	seed          uint64
	width, height int
	noise         float64 // what is added to the scene's own, in levels of 255
}

func jpeg(name string, class Class, p photo, progressive bool) Picture {
	return Picture{Name: name, Class: class, extension: ".jpg", draw: func() ([]byte, error) {
		return demo.Encode(p.take(), demo.Options{Format: "jpeg", Quality: 90, Progressive: progressive, Orientation: 1})
	}}
}

func (p photo) take() *image.NRGBA {
	img := demo.Scene(p.kind, p.seed, p.width, p.height)
	addNoise(img, p.seed, p.noise)
	return img
}

// huge is a scene of a quarter of the pixels enlarged, since drawing all of them would take a minute; the noise is of
// full size, and it is what most of the bits are spent on.
func huge() ([]byte, error) {
	img := twice(demo.Scene(demo.City, 1, 5824, 4368))
	addNoise(img, 1, 10)
	return demo.Encode(img, demo.Options{Format: "jpeg", Quality: 90, Orientation: 1})
}

// animation pans over a scene, in the colors of palette.
func animation() ([]byte, error) {
	const frames, width, height = 12, 640, 480
	scene := demo.Scene(demo.Meadow, 3, width+frames*8, height)
	var out gif.GIF
	for i := range frames {
		frame := image.NewPaletted(image.Rect(0, 0, width, height), palette)
		for y := range height {
			row := scene.Pix[scene.PixOffset(i*8, y):]
			for x := range width {
				frame.Pix[y*frame.Stride+x] = nearest(row[4*x], row[4*x+1], row[4*x+2])
			}
		}
		out.Image, out.Delay = append(out.Image, frame), append(out.Delay, 8)
	}
	var data bytes.Buffer
	err := gif.EncodeAll(&data, &out)
	return data.Bytes(), err
}

// palette has six levels of red, seven of green and six of blue.
var palette = func() color.Palette {
	var colors color.Palette
	for i := range 6 * 7 * 6 {
		colors = append(colors, color.RGBA{uint8(i / 42 * 51), uint8(i / 6 % 7 * 85 / 2), uint8(i % 6 * 51), 0xff})
	}
	return colors
}()

func nearest(r, g, b uint8) uint8 {
	return uint8((int(r)+25)/51*42 + (int(g)*2+42)/85*6 + (int(b)+25)/51)
}
