//go:build ignore

// Gen makes the pictures that make.sh encodes, from the patches of ../colour/p3.png, in the folder that it is given.
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
)

const side, patch = 192, 32 // pixels

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gen work-directory")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(work string) error {
	file, err := os.Open("../colour/p3.png")
	if err != nil {
		return err
	}
	defer file.Close()
	patches, err := png.Decode(file) // without its profile
	if err != nil {
		return err
	}
	at := func(x, y int) color.NRGBA { return color.NRGBAModel.Convert(patches.At(x, y)).(color.NRGBA) }

	bare := image.NewNRGBA(image.Rect(0, 0, side, side))
	deep := image.NewNRGBA64(bare.Rect)
	veiled, weighted := image.NewNRGBA(bare.Rect), image.NewNRGBA(bare.Rect)
	lying := image.NewNRGBA(bare.Rect) // turned by 90° counter-clockwise, as a phone held upright stores it
	for y := range side {
		for x := range side {
			c := at(x, y)
			bare.Set(x, y, c)
			deep.Set(x, y, c)
			lying.Set(y, side-1-x, c)
			c.A = uint8(60 + 5*(y/patch*(side/patch)+x/patch))
			veiled.Set(x, y, c)
			w := color.RGBAModel.Convert(c).(color.RGBA)
			weighted.Set(x, y, color.NRGBA{w.R, w.G, w.B, w.A})
		}
	}
	// PQ: grey patches of 0, 58 and 75 % of the range, which stand for 0, 203 and 1000 nits (ITU-R BT.2408, table 1).
	nits := image.NewNRGBA64(image.Rect(0, 0, 3*patch, patch))
	for y := range patch {
		for x := range 3 * patch {
			v := []uint16{0, 38044, 49271}[x/patch] // of 65535: 0.5805 and 0.7518
			nits.Set(x, y, color.NRGBA64{v, v, v, 65535})
		}
	}
	for name, picture := range map[string]image.Image{
		"bare": bare, "deep": deep, "veiled": veiled, "weighted": weighted, "nits": nits,
		"large": image.NewGray(image.Rect(0, 0, 2048, 2048)), "odd": bare.SubImage(image.Rect(0, 0, side-1, side-3)),
	} {
		var data bytes.Buffer
		if err := png.Encode(&data, picture); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(work, name+".png"), data.Bytes(), 0o644); err != nil {
			return err
		}
	}
	for row := range 2 { // tiles of 128 pixels, of which the last ones are in part outside the picture
		for column := range 2 {
			tile := image.NewNRGBA(image.Rect(0, 0, 128, 128))
			for y := range 128 {
				for x := range 128 {
					tile.Set(x, y, at(min(128*column+x, side-1), min(128*row+y, side-1)))
				}
			}
			var data bytes.Buffer
			if err := png.Encode(&data, tile); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(work, fmt.Sprintf("tile-%d-%d.png", row, column)), data.Bytes(), 0o644); err != nil {
				return err
			}
		}
	}
	var data bytes.Buffer
	if err := jpeg.Encode(&data, lying, &jpeg.Options{Quality: 100}); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(work, "lying.jpg"), withOrientation(data.Bytes(), 6), 0o644)
}

// withOrientation inserts an EXIF block of one entry behind the start of a JPEG.
func withOrientation(encoded []byte, orientation uint16) []byte {
	be := binary.BigEndian
	tiff := []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01")
	tiff = append(be.AppendUint16(tiff, orientation), 0, 0, 0, 0, 0, 0)
	segment := append([]byte("Exif\x00\x00"), tiff...)
	out := be.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xe1}, uint16(len(segment)+2))
	return append(append(out, segment...), encoded[2:]...)
}
