package corpus

import (
	"image"
	"math/rand/v2"
)

// noiseSamples is a power of two.
const noiseSamples = 1 << 16

// addNoise adds normal luma noise of a standard deviation in levels of 255. The same arguments give the same noise.
func addNoise(img *image.NRGBA, seed uint64, deviation float64) {
	random := rand.New(rand.NewPCG(seed, 0x6e6f697365))
	samples := make([]int, noiseSamples)
	for i := range samples {
		samples[i] = int(random.NormFloat64()*deviation*256+128) >> 8
	}
	for y := range img.Rect.Dy() {
		from := random.IntN(noiseSamples)
		row := img.Pix[y*img.Stride : y*img.Stride+4*img.Rect.Dx()]
		for x := range img.Rect.Dx() {
			n := samples[(from+x)&(noiseSamples-1)]
			for c := range 3 {
				v := &row[4*x+c]
				*v = uint8(min(255, max(0, int(*v)+n)))
			}
		}
	}
}

// twice is a picture enlarged to twice its sides, between its pixels their mean.
func twice(img *image.NRGBA) *image.NRGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	out := image.NewNRGBA(image.Rect(0, 0, 2*w, 2*h))
	for y := range h {
		here, below := img.Pix[y*img.Stride:], img.Pix[min(y+1, h-1)*img.Stride:]
		top, bottom := out.Pix[2*y*out.Stride:], out.Pix[(2*y+1)*out.Stride:]
		for x := range w {
			right := min(x+1, w-1)
			for c := range 4 {
				a, b := int(here[4*x+c]), int(here[4*right+c])
				d, e := int(below[4*x+c]), int(below[4*right+c])
				top[8*x+c], top[8*x+4+c] = uint8(a), uint8((a+b)/2)
				bottom[8*x+c], bottom[8*x+4+c] = uint8((a+d)/2), uint8((a+b+d+e)/4)
			}
		}
	}
	return out
}
