package resizetest

import (
	"bytes"
	"image"
	"image/color"
	"math"
)

// avifs were made by avifenc.
func avifs() []Picture {
	card, veil := Card(Width, Height), Veil(Width, Height)
	of := func(name string, shows image.Image, psnr float64) Picture {
		return still(name+".avif", file(name+".avif"), "avif", shows, psnr)
	}
	grey := toNRGBA(Grey(Width, Height))
	all := []Picture{
		of("8-bit", card, lossy), of("10-bit", card, lossy), of("12-bit", card, lossy), of("444", card, lossy),
		of("alpha", veil, lossy-4), of("10-bit-alpha", veil, lossy-4), of("grey", grey, lossy),
		of("turned", card, lossy), of("profile", card, lossy-2), of("sequence", card, lossy), of("grid", card, lossy),
		of("p3", fromDisplayP3(card), lossy),
		of("grey-narrow", grey, lossy), of("10-bit-grey-narrow", grey, lossy), of("grey-alpha-narrow", GreyVeil(), lossy-4), of("grey-profile", grey, lossy),
		of("pq", Quarters(0, 100, 191, 255), edges), of("hlg", Quarters(0, 100, 191, 255), edges), of("cropped", cropped(card), lossy),
	}
	// The range that the container says comes first, then that of the coded data. Both files are grey, coded in one of the two.
	narrow := func(wide bool) *image.NRGBA {
		return mapped(grey, func(c color.NRGBA) color.NRGBA {
			v := float64(c.R)*219/255 + 16
			if wide {
				v = (float64(c.R) - 16) * 255 / 219
			}
			return color.NRGBA{level(v), level(v), level(v), 255}
		})
	}
	const box = "colrnclx\x00\x01\x00\x0d\x00\x06"
	changed := func(name, source, from, to string, shows image.Image) {
		data := file(source)
		if !bytes.Contains(data, []byte(from)) {
			panic(source + " is not as it was") // embedded: a mistake in this package
		}
		all = append(all, still(name+".avif", bytes.Replace(data, []byte(from), []byte(to), 1), "avif", shows, lossy))
	}
	changed("grey-narrow-said-full", "grey-narrow.avif", box+"\x00", box+"\x80", narrow(false))
	changed("grey-said-narrow", "grey.avif", box+"\x80", box+"\x00", narrow(true))
	changed("grey-narrow-unsaid", "grey-narrow.avif", "colr", "free", grey)
	changed("grey-unsaid", "grey.avif", "colr", "free", grey)
	return all
}

// cropped is the part of the card that the clean aperture of an AVIF shows. (Chromium heeds one alone that begins at the
// corner.)
func cropped(card *image.NRGBA) *image.NRGBA {
	return toNRGBA(card.SubImage(image.Rect(20, 30, 220, 130)))
}

// fromDisplayP3 converts samples from Display P3, which has the curve and the white of sRGB, to sRGB, by the product of the two
// matrices (SMPTE RP 431-2 and IEC 61966-2-1; as in CSS Color 4, section 17).
func fromDisplayP3(img *image.NRGBA) *image.NRGBA {
	coded := func(v float64) uint8 {
		if v > 0.0031308 {
			return level(255 * (1.055*math.Pow(v, 1/2.4) - 0.055))
		}
		return level(255 * 12.92 * v)
	}
	return mapped(img, func(c color.NRGBA) color.NRGBA {
		r, g, b := linear(c.R), linear(c.G), linear(c.B)
		return color.NRGBA{
			coded(1.2249402*r - 0.2249402*g), coded(-0.0420570*r + 1.0420570*g), coded(-0.0196376*r - 0.0786361*g + 1.0982736*b), c.A,
		}
	})
}
