package resizetest

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"
)

// Card is a test card. It is smooth, so that no resampler and no codec changes it much. Each corner has other colors, so that it
// is another picture if it is turned, mirrored, inverted, or has its channels in another order.
func Card(width, height int) *image.NRGBA {
	return paint(width, height, func(u, v float64) color.NRGBA {
		wave := 15 * math.Sin(4*math.Pi*u) * math.Cos(3*math.Pi*v)
		return color.NRGBA{level(50 + 150*u + wave), level(40 + 160*v - wave), level(60 + 150*(1-u)*(1-v) + wave), 255}
	})
}

// Veil is Card behind a veil: alpha falls from one corner to the opposite one.
func Veil(width, height int) *image.NRGBA {
	card := Card(width, height)
	veil := paint(width, height, func(u, v float64) color.NRGBA {
		return color.NRGBA{A: level(255 * (1.2 - 0.7*u - 0.6*v))}
	})
	for i := 3; i < len(card.Pix); i += 4 {
		card.Pix[i] = veil.Pix[i]
	}
	return card
}

// Grey is another card, without colors.
func Grey(width, height int) *image.Gray {
	card := paint(width, height, func(u, v float64) color.NRGBA {
		return color.NRGBA{R: level(40 + 120*u + 60*v + 15*math.Sin(5*math.Pi*u*v)), A: 255}
	})
	return gray(card)
}

// gray returns the first channel of a picture.
func gray(img *image.NRGBA) *image.Gray {
	out := image.NewGray(img.Rect)
	for i := range out.Pix {
		out.Pix[i] = img.Pix[4*i]
	}
	return out
}

// paint computes each pixel from the place of its middle: u is 0 on the left and 1 on the right, v is 0 at the top and 1 at the
// bottom.
func paint(width, height int, at func(u, v float64) color.NRGBA) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetNRGBA(x, y, at((float64(x)+0.5)/float64(width), (float64(y)+0.5)/float64(height)))
		}
	}
	return img
}

func level(v float64) uint8 { return uint8(math.Round(min(255, max(0, v)))) }

// plain is a picture of one color.
func plain(width, height int, c color.NRGBA) *image.NRGBA {
	return paint(width, height, func(float64, float64) color.NRGBA { return c })
}

func toNRGBA(img image.Image) *image.NRGBA {
	if n, ok := img.(*image.NRGBA); ok {
		return n
	}
	out := image.NewNRGBA(image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy()))
	draw.Draw(out, out.Rect, img, img.Bounds().Min, draw.Src)
	return out
}

// mapped returns img with each color changed.
func mapped(img *image.NRGBA, change func(color.NRGBA) color.NRGBA) *image.NRGBA {
	out := image.NewNRGBA(img.Rect)
	for i := 0; i < len(img.Pix); i += 4 {
		c := change(color.NRGBA{img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3]})
		out.Pix[i], out.Pix[i+1], out.Pix[i+2], out.Pix[i+3] = c.R, c.G, c.B, c.A
	}
	return out
}

// swapped has red and blue in each other's place.
func swapped(img *image.NRGBA) *image.NRGBA {
	return mapped(img, func(c color.NRGBA) color.NRGBA { return color.NRGBA{c.B, c.G, c.R, c.A} })
}

func negative(img *image.NRGBA) *image.NRGBA {
	return mapped(img, func(c color.NRGBA) color.NRGBA { return color.NRGBA{255 - c.R, 255 - c.G, 255 - c.B, c.A} })
}

// stored returns the picture that is shown as the upright one if it has the given orientation (EXIF 2.3, 4.6.4, tag 0x0112).
func stored(upright *image.NRGBA, orientation int) *image.NRGBA {
	w, h := upright.Rect.Dx(), upright.Rect.Dy()
	turned := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		turned = image.Rect(0, 0, h, w)
	}
	out := image.NewNRGBA(turned)
	for y := range turned.Dy() {
		for x := range turned.Dx() {
			// Row 0 is the visual top, right, bottom or left; column 0 the left, right, top or bottom.
			fromX, fromY := x, y
			if orientation >= 5 {
				fromX, fromY = y, x
			}
			if slices.Contains([]int{2, 3, 6, 7}, orientation) {
				fromX = w - 1 - fromX
			}
			if slices.Contains([]int{3, 4, 7, 8}, orientation) {
				fromY = h - 1 - fromY
			}
			out.SetNRGBA(x, y, upright.NRGBAAt(fromX, fromY))
		}
	}
	return out
}

// linear returns the amount of light, 0 to 1, of a level of sRGB (IEC 61966-2-1).
func linear(v uint8) float64 {
	if s := float64(v) / 255; s > 0.04045 {
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return float64(v) / 255 / 12.92
}
