package resizetest

import (
	"bytes"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
)

// oddGIFs are those that decoders don't agree on; what is right is what browsers show.
func oddGIFs() []Picture {
	var all []Picture
	add := func(name string, g gif.GIF) { all = append(all, gifOf(name, g, edges)) }
	screen := image.Config{Width: Width, Height: Height, ColorModel: color.Palette{color.NRGBA{9, 9, 9, 255}, color.NRGBA{250, 250, 0, 255}}}
	patch := func(at image.Rectangle, c color.NRGBA) *image.Paletted {
		return image.NewPaletted(at, color.Palette{c})
	}
	red := patch(image.Rect(20, 20, 140, 110), color.NRGBA{200, 30, 30, 255})
	blue := patch(image.Rect(90, 60, 220, 150), color.NRGBA{30, 30, 200, 255})
	card := onPalette(Card(Width, Height))

	// What no frame has drawn is transparent, though no frame has a transparent color.
	add("uncovered", gif.GIF{Image: []*image.Paletted{red}, Delay: []int{10}, Config: screen})
	add("uncovered-animated", gif.GIF{Image: []*image.Paletted{red, blue}, Delay: []int{10, 20}, Config: screen})
	bare := all[0]
	bare.Name, bare.Data = "uncovered-bare.gif", bytes.Replace(bare.Data, []byte("\x21\xf9\x04\x00\x0a\x00\x00\x00"), nil, 1) // no graphic control extension
	all = append(all, bare)
	every := image.NewPaletted(image.Rect(0, 0, 160, 100), palette.Plan9)
	draw.Draw(every, every.Rect, Card(Width, Height), image.Point{}, draw.Src)
	for i := range 256 { // none is left to be the transparent one
		every.SetColorIndex(i%16, i/16, uint8(i))
	}
	add("uncovered-256", gif.GIF{Image: []*image.Paletted{every}, Delay: []int{0}, Config: screen})

	// So is what is cleared.
	background, previous := byte(gif.DisposalBackground), byte(gif.DisposalPrevious)
	add("cleared", gif.GIF{
		Image: []*image.Paletted{card, blue, red}, Delay: []int{10, 20, 30}, Disposal: []byte{gif.DisposalNone, background, background}, Config: screen,
	})
	add("cleared-at-once", gif.GIF{
		Image: []*image.Paletted{card, blue, red}, Delay: []int{10, 20, 30}, Disposal: []byte{background, previous, background}, Config: screen,
	})
	// Nothing shows of this one, which every frame covers.
	add("cleared-and-covered", gif.GIF{
		Image: []*image.Paletted{card, onPalette(negative(Card(Width, Height)))}, Delay: []int{10, 20}, Disposal: []byte{background, background}, Config: screen,
	})

	// All frames are there, and the trailer is not. Zeros may follow, or half of a comment.
	for _, whole := range []Picture{gifOf("x", gif.GIF{Image: []*image.Paletted{card}, Delay: []int{0}}, edges), all[1]} {
		kind := map[bool]string{true: "-animated"}[len(whole.Shows.Frames) > 1]
		endless := whole.Data[: len(whole.Data)-1 : len(whole.Data)-1]
		for name, end := range map[string]string{"no-trailer": "", "no-trailer-padded": "\x00\x00\x00", "comment-cut": "\x21\xfe\x20half of a"} {
			all = append(all, Picture{Name: name + kind + ".gif", Data: append(endless, end...), Shows: whole.Shows})
		}
		bad := func(name string, data []byte) {
			all = append(all, Picture{Name: name + kind + ".gif", Data: data, Rejected: &Rejection{"corrupt", "the gif is damaged or cut short"}})
		}
		bad("cut-before-a-frame", append(endless, "\x21\xf9\x04\x00\x0a\x00\x00\x00"...))
		bad("cut-in-a-frame", endless[:len(endless)-1])
	}
	return append(all, Picture{Name: "half-the-pixels.gif", Data: halfGIF(), Rejected: &Rejection{"corrupt", "has 19200 of its 38400 pixels"}})
}

// halfGIF is a GIF that is whole, but for the number of its pixels.
func halfGIF() []byte {
	data := encodeGIF(gif.GIF{Image: []*image.Paletted{onPalette(Card(Width, Height/2))}, Delay: []int{0}, Config: image.Config{Width: Width, Height: Height}})
	descriptor := []byte{0x2c, 0, 0, 0, 0, Width, 0, Height / 2, 0}
	at := bytes.Index(data, descriptor)
	data[at+7] = Height
	return data
}
