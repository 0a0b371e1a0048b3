package main

import (
	"image"
	"image/color"
	"testing"
)

// The kinds of PNM that djpeg and Netpbm write, each of two pixels: black or red, and white.
func TestFromPNM(t *testing.T) {
	black, white := color.NRGBA{A: 255}, color.NRGBA{255, 255, 255, 255}
	for name, c := range map[string]struct {
		file string
		want [2]color.NRGBA
	}{
		"bits":             {"P4\n2 1\n\x80", [2]color.NRGBA{black, white}},
		"grey":             {"P5\n2 1\n255\n\x00\xff", [2]color.NRGBA{black, white}},
		"grey of 16 bits":  {"P5\n2 1\n65535\n\x00\x00\xff\xff", [2]color.NRGBA{black, white}},
		"colors":           {"P6\n2 1\n255\n\xff\x00\x00\xff\xff\xff", [2]color.NRGBA{{R: 255, A: 255}, white}},
		"grey and alpha":   {"P7\nWIDTH 2\nHEIGHT 1\nDEPTH 2\nMAXVAL 255\nTUPLTYPE GRAYSCALE_ALPHA\nENDHDR\n\x00\xff\xff\x80", [2]color.NRGBA{black, {255, 255, 255, 128}}},
		"colors and alpha": {"P7\nWIDTH 2\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n\xff\x00\x00\x40\xff\xff\xff\xff", [2]color.NRGBA{{255, 0, 0, 64}, white}},
	} {
		img, err := fromPNM([]byte(c.file))
		if err != nil || img.Rect != image.Rect(0, 0, 2, 1) || img.NRGBAAt(0, 0) != c.want[0] || img.NRGBAAt(1, 0) != c.want[1] {
			t.Errorf("%s: %v, %v", name, img, err)
		}
	}
	if _, err := fromPNM([]byte("P6\n2 1\n255\n\xff\x00\x00")); err == nil {
		t.Error("half of a picture is one")
	}
}
