//go:build ignore

// Writes the cards as files that the tools of make.sh read.
package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log"
	"os"
	"path/filepath"

	"s3resizer/resize/resizetest"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(dir string) error {
	card, grey := resizetest.Card(resizetest.Width, resizetest.Height), resizetest.Grey(resizetest.Width, resizetest.Height)
	ppm := fmt.Appendf(nil, "P6 %d %d 255\n", resizetest.Width, resizetest.Height)
	for i := 0; i < len(card.Pix); i += 4 {
		ppm = append(ppm, card.Pix[i:i+3]...)
	}
	pgm := append(fmt.Appendf(nil, "P5 %d %d 255\n", resizetest.Width, resizetest.Height), grey.Pix...)
	pbm := fmt.Appendf(nil, "P4 %d %d\n", resizetest.Width, resizetest.Height) // 1 is black, eight to a byte
	for i, v := range grey.Pix {
		if i%8 == 0 {
			pbm = append(pbm, 0)
		}
		pbm[len(pbm)-1] |= (1 - v/128) << (7 - i%8)
	}
	swapped, negative := image.NewNRGBA(card.Rect), image.NewNRGBA(card.Rect)
	turned := image.NewNRGBA(image.Rect(0, 0, resizetest.Height, resizetest.Width))
	for y := range resizetest.Height {
		for x := range resizetest.Width {
			c := card.NRGBAAt(x, y)
			swapped.SetNRGBA(x, y, color.NRGBA{c.B, c.G, c.R, c.A})
			negative.SetNRGBA(x, y, color.NRGBA{255 - c.R, 255 - c.G, 255 - c.B, c.A})
			turned.SetNRGBA(y, resizetest.Width-1-x, c) // EXIF orientation 6: a quarter turn clockwise makes it upright
		}
	}
	files := map[string][]byte{
		"card.ppm": ppm, "bilevel.pbm": pbm, "grey.pgm": pgm, "profile.icc": resizetest.SwappedProfile(0), "turned.exif": resizetest.EXIF(6),
		"grey.icc": resizetest.GreyProfile(1.4),
	}
	for name, img := range map[string]image.Image{
		"card.png": card, "veil.png": resizetest.Veil(resizetest.Width, resizetest.Height), "grey.png": grey, "swapped.png": swapped, "turned.png": turned, "negative.png": negative,
		"left.png": card.SubImage(image.Rect(0, 0, resizetest.Width/2, resizetest.Height)), "right.png": card.SubImage(image.Rect(resizetest.Width/2, 0, resizetest.Width, resizetest.Height)),
		"red.png": plain(120, 90, color.NRGBA{200, 30, 30, 255}), "blue.png": plain(130, 90, color.NRGBA{30, 30, 200, 255}),
		"grey-veil.png": resizetest.GreyVeil(), "grey-dark.png": resizetest.Power(grey, 1.4),
		"pq.png": resizetest.Quarters(0, 100, 148, 192), "hlg.png": resizetest.Quarters(0, 102, 191, 255),
		"dot.png": plain(1, 1, color.NRGBA{200, 30, 30, 255}), "flat-2000.png": image.NewGray(image.Rect(0, 0, 2000, 2000)), "flat-12000.png": image.NewGray(image.Rect(0, 0, 12000, 12000)),
	} {
		var data bytes.Buffer
		if err := png.Encode(&data, img); err != nil {
			return err
		}
		files[name] = data.Bytes()
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func plain(width, height int, c color.NRGBA) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}
