package resizetest

import "image"

// avifs are by avifenc.
func avifs() []Picture {
	card, veil := Card(Width, Height), Veil(Width, Height)
	of := func(name string, shows image.Image, psnr float64) Picture {
		return still(name+".avif", file(name+".avif"), "avif", shows, psnr)
	}
	return []Picture{
		of("8-bit", card, lossy), of("10-bit", card, lossy), of("12-bit", card, lossy), of("444", card, lossy),
		of("alpha", veil, lossy-4), of("10-bit-alpha", veil, lossy-4), of("grey", toNRGBA(Grey(Width, Height)), lossy),
		of("turned", card, lossy), of("profile", card, lossy-2), of("sequence", card, lossy), of("grid", card, lossy),
	}
}
