package resizetest

import (
	"image"
	"image/color"
)

func webps() []Picture {
	card, veil := Card(Width, Height), Veil(Width, Height)
	of := func(name string, shows image.Image, psnr float64) Picture {
		return still(name+".webp", file(name+".webp"), "webp", shows, psnr)
	}
	animated := func(name string, psnr float64, loop int, delays []int, frames ...*image.NRGBA) Picture {
		p := of(name, frames[0], psnr)
		p.Shows.Frames, p.Shows.Delays, p.Shows.Loop = frames, delays, loop
		return p
	}
	at, red, blue := image.Rect(20, 20, 140, 110), color.NRGBA{200, 30, 30, 255}, color.NRGBA{30, 30, 200, 255}
	return []Picture{
		of("lossy", card, lossy), of("lossless", card, exact), of("lossy-alpha", veil, lossy), of("lossless-alpha", veil, exact),
		of("profile", card, lossy), of("turned", card, lossy), of("1x1", plain(1, 1, color.NRGBA{200, 30, 30, 255}), edges),
		// By cwebp and webpmux: the second frame is a patch on the first, the third one on what its disposal has left.
		animated("animated", edges-4, 3, []int{70, 1500, 30},
			card, patched(card, at, red), patched(patched(card, at, color.NRGBA{}), image.Rect(90, 60, 220, 150), blue)),
		animated("animated-lossless", edges-4, 0, []int{100, 200}, card, patched(card, at, red)),
	}
}

// patched is img with a rectangle of one color on it.
func patched(img *image.NRGBA, at image.Rectangle, c color.NRGBA) *image.NRGBA {
	out := mapped(img, func(c color.NRGBA) color.NRGBA { return c })
	for y := at.Min.Y; y < at.Max.Y; y++ {
		for x := at.Min.X; x < at.Max.X; x++ {
			out.SetNRGBA(x, y, c)
		}
	}
	return out
}
