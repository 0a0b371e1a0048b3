package resizetest

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
)

// wholeAndCut returns a picture in every compression, in strips and in tiles, its directory before its pixels; and each of them
// without its last byte, and without its last two fifths.
func wholeAndCut(card, blackAndWhite *image.NRGBA) []Picture {
	var all []Picture
	add := func(name string, data []byte, shows *image.NRGBA, psnr float64) {
		p := still(name+".tif", data, "tiff", shows, psnr)
		p.Shows.Output = "jpeg"
		all = append(all, p)
		for cut, length := range map[string]int{"1": len(data) - 1, "40%": len(data) * 6 / 10} {
			all = append(all, Picture{Name: name + "-less-" + cut + ".tif", Data: data[:length], Rejected: &Rejection{"corrupt", "goes beyond its end"}})
		}
	}
	for _, layout := range []string{"strips", "tiles"} {
		for _, c := range []struct {
			name   string
			number uint16
		}{{"none", 1}, {"lzw", tiffLZW}, {"deflate", tiffDeflate}, {"packbits", tiffPackBits}, {"jpeg", tiffJPEG}} {
			f := tiffOf(card)
			f.compression, f.rows = c.number, 40
			if layout == "tiles" {
				f.rows, f.tile = 0, 64
			}
			psnr := exact
			if c.number == tiffJPEG {
				f.photometric, f.also, psnr = tiffYCbCr, []entry{short(530, 2, 2)}, lossy
			}
			add(fmt.Sprintf("%s-%s", c.name, layout), ahead(encodeTIFF(f)), card, float64(psnr))
		}
		for _, kind := range []string{"g3-1d", "g3-2d", "g4"} { // by libtiff's tools
			name := fmt.Sprintf("fax-%s-%s", kind, layout)
			add(name, ahead(file(name+".tif")), blackAndWhite, edges)
		}
	}
	return all
}

// videoOf returns a color in YCbCr as video has it (ITU-R BT.709): black is 16 and white 235.
func videoOf(c color.NRGBA) color.NRGBA {
	r, g, b := float64(c.R), float64(c.G), float64(c.B)
	y := 0.2126*r + 0.7152*g + 0.0722*b
	part := func(v, most float64) uint8 { return level(128 + 112*v/most) }
	return color.NRGBA{level(16 + 219*y/255), part(b-y, 255*(1-0.0722)), part(r-y, 255*(1-0.2126)), 255}
}

// Subsampled returns pictures in YCbCr whose chroma has a sample for 2 × 2 pixels, without JPEG, which libvips decodes from 8.16
// on, by what they are.
func Subsampled() map[string]Picture {
	all := map[string]Picture{}
	for is, tile := range map[string]int{"a TIFF with subsampled chroma, in strips": 0, "a TIFF with subsampled chroma, in tiles": 64} {
		card := Card(Width, Height)
		f := tiffOf(mapped(card, toYCbCr))
		f.photometric, f.compression, f.chroma, f.tile, f.rows, f.also = tiffYCbCr, tiffDeflate, true, tile, 40, []entry{short(530, 2, 2)}
		p := still("subsampled.tif", encodeTIFF(f), "tiff", card, lossy)
		p.Shows.Output = "jpeg"
		all[is] = p
	}
	return all
}

func toYCbCr(c color.NRGBA) color.NRGBA {
	y, cb, cr := color.RGBToYCbCr(c.R, c.G, c.B)
	return color.NRGBA{y, cb, cr, 255}
}

// LongStrip returns a TIFF of noise in a single strip of more than 50 MiB.
func LongStrip() []byte {
	noise := uint32(1)
	return encodeTIFF(tiffFile{
		width: 4200, height: 4200, order: binary.LittleEndian, photometric: tiffRGB, bits: 8, samples: 3, compression: tiffPackBits,
		sample: func(int, int, int) uint32 {
			noise = noise*1664525 + 1013904223 // Numerical Recipes
			return noise >> 24
		},
	})
}
