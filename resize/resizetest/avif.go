package resizetest

import (
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
	return []Picture{
		of("8-bit", card, lossy), of("10-bit", card, lossy), of("12-bit", card, lossy), of("444", card, lossy),
		of("alpha", veil, lossy-4), of("10-bit-alpha", veil, lossy-4), of("grey", toNRGBA(Grey(Width, Height)), lossy),
		of("turned", card, lossy), of("profile", card, lossy-2), of("sequence", card, lossy), of("grid", card, lossy),
		of("p3", fromDisplayP3(card), lossy),
	}
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
