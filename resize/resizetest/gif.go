package resizetest

import (
	"bytes"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
)

func gifs() []Picture {
	var all []Picture
	add := func(name string, g gif.GIF, psnr float64) { all = append(all, gifOf(name, g, psnr)) }
	card := onPalette(Card(Width, Height))
	still := func(frames ...*image.Paletted) gif.GIF {
		return gif.GIF{Image: frames, Delay: make([]int, len(frames))}
	}
	add("still", still(card), exact-6)
	add("timed-still", gif.GIF{Image: []*image.Paletted{card}, Delay: []int{30}}, exact-6)
	all = append(all, Picture{Name: "87a.gif", Data: bytes.Replace(all[0].Data, []byte("GIF89a"), []byte("GIF87a"), 1), Shows: all[0].Shows})
	all = append(all, Picture{Name: "interlaced.gif", Data: interlacedGIF(card), Shows: all[0].Shows})

	holes := onPalette(Card(Width, Height)) // palette.WebSafe and one transparent color
	holes.Palette = append(holes.Palette[:len(holes.Palette):len(holes.Palette)], color.NRGBA{})
	for y := Height / 4; y < Height*3/4; y++ {
		for x := Width / 4; x < Width/2; x++ {
			holes.SetColorIndex(x, y, uint8(len(holes.Palette)-1))
		}
	}
	add("transparent", still(holes), edges)

	// Several frames. Each but the first is a patch on what the disposal of the frame before has left.
	patch := func(at image.Rectangle, c color.NRGBA) *image.Paletted {
		img := image.NewPaletted(at, color.Palette{c, color.NRGBA{}})
		for x := at.Min.X; x < at.Min.X+at.Dx()/2; x++ { // a transparent strip
			for y := at.Min.Y; y < at.Min.Y+at.Dy()/4; y++ {
				img.SetColorIndex(x, y, 1)
			}
		}
		return img
	}
	red := patch(image.Rect(20, 20, 140, 110), color.NRGBA{200, 30, 30, 255})
	blue := patch(image.Rect(90, 60, 220, 150), color.NRGBA{30, 30, 200, 255})
	for name, disposal := range map[string]byte{"kept": gif.DisposalNone, "to-background": gif.DisposalBackground, "to-previous": gif.DisposalPrevious} {
		add("animated-"+name, gif.GIF{
			Image: []*image.Paletted{card, red, blue, card}, Delay: []int{7, 11, 150, 3},
			Disposal: []byte{gif.DisposalNone, disposal, disposal, disposal}, LoopCount: 2,
		}, edges)
	}
	add("animated-for-ever", gif.GIF{Image: []*image.Paletted{card, blue}, Delay: []int{10, 20}}, edges)
	add("animated-once", gif.GIF{Image: []*image.Paletted{card, blue}, Delay: []int{10, 20}, LoopCount: -1}, edges)
	add("animated-no-delay", gif.GIF{Image: []*image.Paletted{card, blue, red}, Delay: []int{0, 0, 1}}, edges)
	all[len(all)-1].Shows.Delays = []int{100, 100, 100} // as browsers play it
	add("animated-small-first", gif.GIF{                // the screen is larger than the first frame
		Image: []*image.Paletted{red, blue}, Delay: []int{10, 20}, Config: image.Config{Width: Width, Height: Height},
	}, edges)
	return append(all, oddGIFs()...)
}

func gifOf(name string, g gif.GIF, psnr float64) Picture {
	frames, delays, loop := composed(&g)
	p := still(name+".gif", encodeGIF(g), "gif", frames[0], psnr)
	if len(frames) > 1 {
		p.Shows.Frames, p.Shows.Delays, p.Shows.Loop = frames, delays, loop
		for _, f := range frames {
			p.Shows.Alpha = p.Shows.Alpha || !f.Opaque()
		}
	}
	return p
}

// onPalette returns a picture with the nearest colors of the web palette.
func onPalette(img image.Image) *image.Paletted {
	out := image.NewPaletted(img.Bounds(), palette.WebSafe)
	draw.Draw(out, out.Rect, img, image.Point{}, draw.Src)
	return out
}

func encodeGIF(g gif.GIF) []byte {
	var data bytes.Buffer
	if err := gif.EncodeAll(&data, &g); err != nil {
		panic(err) // of frames within their screen: a mistake in this package
	}
	return data.Bytes()
}

// interlacedGIF returns a GIF with its rows in four passes (GIF89a, appendix E).
func interlacedGIF(img *image.Paletted) []byte {
	shuffled := image.NewPaletted(img.Rect, img.Palette)
	row := 0
	for _, pass := range [][2]int{{0, 8}, {4, 8}, {2, 4}, {1, 2}} {
		for y := pass[0]; y < img.Rect.Dy(); y += pass[1] {
			copy(shuffled.Pix[row*img.Stride:][:img.Stride], img.Pix[y*img.Stride:])
			row++
		}
	}
	data := encodeGIF(gif.GIF{Image: []*image.Paletted{shuffled}, Delay: []int{0}})
	// Width and height again, in the image descriptor; after them its flags.
	descriptor := []byte{0x2c, 0, 0, 0, 0, Width, 0, Height, 0}
	data[bytes.Index(data, descriptor)+len(descriptor)] |= 0x40
	return data
}

// composed plays an animation as the standard says: each frame on what the disposal of the frame before has left. The background
// is transparent, as in all browsers. Delays are in milliseconds, and loop is how often it plays.
func composed(g *gif.GIF) (frames []*image.NRGBA, delays []int, loop int) {
	screen := image.Rect(0, 0, g.Config.Width, g.Config.Height)
	if screen.Empty() {
		screen = g.Image[0].Rect
	}
	canvas := image.NewNRGBA(screen)
	for i, frame := range g.Image {
		before := *canvas
		before.Pix = bytes.Clone(canvas.Pix)
		draw.Draw(canvas, frame.Rect, frame, frame.Rect.Min, draw.Over)
		shown := *canvas
		shown.Pix = bytes.Clone(canvas.Pix)
		frames, delays = append(frames, &shown), append(delays, 10*g.Delay[i])
		if i >= len(g.Disposal) {
			continue
		}
		switch g.Disposal[i] {
		case gif.DisposalBackground:
			draw.Draw(canvas, frame.Rect, image.Transparent, image.Point{}, draw.Src)
		case gif.DisposalPrevious:
			canvas = &before
		}
	}
	switch {
	case g.LoopCount > 0:
		loop = g.LoopCount + 1 // the file has the number of repeats
	case g.LoopCount < 0:
		loop = 1
	}
	return frames, delays, loop
}
