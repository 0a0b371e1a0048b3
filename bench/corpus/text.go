package corpus

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"math/rand/v2"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// page is one of text, A4 at 300 dots an inch and a bit for each, as a scanner writes it.
func page() ([]byte, error) {
	const width, height, scale = 2480, 3508, 4
	small := image.NewPaletted(image.Rect(0, 0, width/scale, height/scale), color.Palette{color.White, color.Black})
	random := rand.New(rand.NewPCG(4, 2))
	for y := 60; y < height/scale-60; y += 15 {
		write(small, 50, y, 74, random)
	}
	large := image.NewPaletted(image.Rect(0, 0, width, height), small.Palette)
	for y := range height {
		for x := range width {
			large.SetColorIndex(x, y, small.ColorIndexAt(x/scale, y/scale))
		}
	}
	var data bytes.Buffer
	err := png.Encode(&data, large)
	return data.Bytes(), err
}

// recording is one of a terminal in which lines come and scroll up, as programs write them: each frame is what has changed.
func recording() ([]byte, error) {
	const frames, width, height, line = 24, 800, 480, 15
	colors := color.Palette{color.Gray{20}, color.Gray{220}, color.RGBA{90, 200, 120, 255}, color.RGBA{220, 170, 60, 255}, color.Transparent}
	random := rand.New(rand.NewPCG(4, 2))
	screen := image.NewPaletted(image.Rect(0, 0, width, height), colors[:4])
	out := gif.GIF{Config: image.Config{ColorModel: colors, Width: width, Height: height}}
	for i := range frames {
		before := bytes.Clone(screen.Pix)
		if i%4 == 3 { // a line more
			copy(screen.Pix, screen.Pix[line*screen.Stride:])
			clear(screen.Pix[(height-line)*screen.Stride:])
		}
		write(screen, 10+7*28*(i%4), height-4, 27, random)
		frame := image.NewPaletted(screen.Rect, colors)
		for p, c := range screen.Pix {
			if frame.Pix[p] = c; i > 0 && c == before[p] {
				frame.Pix[p] = 4
			}
		}
		out.Image, out.Delay, out.Disposal = append(out.Image, frame), append(out.Delay, 8), append(out.Disposal, gif.DisposalNone)
	}
	var data bytes.Buffer
	err := gif.EncodeAll(&data, &out)
	return data.Bytes(), err
}

// write writes so many characters, words of one color each, beginning at a point.
func write(img *image.Paletted, x, y, characters int, random *rand.Rand) {
	text := make([]byte, 0, characters)
	for len(text) < characters {
		if random.IntN(6) == 0 {
			text = append(text, ' ')
			continue
		}
		text = append(text, byte('a'+random.IntN(26)))
	}
	for i, word := range bytes.SplitAfter(text, []byte(" ")) {
		d := font.Drawer{Dst: img, Src: image.NewUniform(img.Palette[1+i%(len(img.Palette)-1)]), Face: basicfont.Face7x13, Dot: fixed.P(x, y)}
		d.DrawBytes(word)
		x += 7 * len(word)
	}
}
