package resizetest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"slices"
	"strings"
)

func jpegs() []Picture {
	card, grey := Card(Width, Height), Grey(Width, Height)
	base := encodeJPEG(card)
	of := func(name string, data []byte) Picture { return still(name, data, "jpeg", card, lossy) }
	all := []Picture{
		of("baseline.jpg", base),
		still("grey.jpg", encodeJPEG(grey), "jpeg", grey, lossy),
		of("rgb.jpg", assembled(planes(card, func(c color.NRGBA) []uint8 { return []uint8{c.R, c.G, c.B} }), adobe(0))),
		still("adobe-cmyk.jpg", assembled(planes(card, func(c color.NRGBA) []uint8 { return inverted(inks(c)) }), adobe(0)), "jpeg", card, inkPSNR),
		still("adobe-ycck.jpg", assembled(planes(card, func(c color.NRGBA) []uint8 {
			i := inks(c)
			y, cb, cr := color.RGBToYCbCr(i[0], i[1], i[2])
			return []uint8{y, cb, cr, 255 - i[3]}
		}), adobe(2)), "jpeg", card, inkPSNR),
		// Browsers take all inks in a JPEG for inverted, even without Adobe's marker.
		still("unmarked-cmyk.jpg", assembled(planes(card, func(c color.NRGBA) []uint8 { return inverted(inks(c)) }), nil), "jpeg", card, inkPSNR),
	}
	// By libjpeg's tools.
	for _, name := range []string{
		"progressive", "arithmetic", "arithmetic-progressive", "444", "422", "440", "411", "410", "restart", "restart-progressive", "optimized", "smooth-q30",
	} {
		all = append(all, of(name+".jpg", file(name+".jpg")))
	}
	all = append(all, still("grey-progressive.jpg", file("grey-progressive.jpg"), "jpeg", grey, lossy))

	// What phones and editors put before and behind.
	profile := SwappedProfile(200_000)
	all = append(all,
		of("mpf.jpg", MultiPicture(base, encodeJPEG(negative(card)))),
		of("gain-map.jpg", MultiPicture(with(base, segment(0xe1, gainMapDirectory)), with(encodeJPEG(Grey(Width/4, Height/4)), segment(0xe1, gainMapXMP)))),
		of("gain-map-turned.jpg", MultiPicture(with(encodeJPEG(stored(card, 6)), app1(exif(binary.BigEndian, 6, 0)), segment(0xe1, gainMapDirectory)),
			with(encodeJPEG(Grey(Height/4, Width/4)), segment(0xe1, gainMapXMP)))),
		of("long-exif.jpg", with(base, app1(exif(binary.LittleEndian, 1, 65_000)))),
		of("long-xmp.jpg", with(base, slices.Repeat([][]byte{segment(0xe1, "http://ns.adobe.com/xmp/extension/\x00"+strings.Repeat("x", 65_000))}, 3)...)),
		of("long-comment.jpg", with(base, slices.Repeat([][]byte{segment(0xfe, strings.Repeat("c", 65_533))}, 2)...)),
		still("profile.jpg", with(encodeJPEG(swapped(card)), iccSegments(SwappedProfile(0))...), "jpeg", card, lossy-2),
		still("long-header.jpg", with(encodeJPEG(stored(swapped(card), 8)), slices.Concat([][]byte{app1(exif(binary.BigEndian, 8, 65_000))}, iccSegments(profile))...), "jpeg", card, lossy-2),
		of("broken-profile.jpg", with(base, iccSegments(append(make([]byte, 500), profile[500:]...))...)),
		of("trailing-garbage.jpg", append(bytes.Clone(base), bytes.Repeat([]byte{0x00, 0xff, 0xc4, 0x13}, 3000)...)),
		of("trailing-jpeg.jpg", append(bytes.Clone(base), encodeJPEG(negative(card))...)),
		of("fill-bytes.jpg", slices.Concat(base[:2], bytes.Repeat([]byte{0xff}, 500), base[2:])), // ISO 10918-1, B.1.1.2
	)
	for orientation := 1; orientation <= 8; orientation++ {
		order := []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian}[orientation%2]
		data := with(encodeJPEG(stored(card, orientation)), app1(exif(order, uint16(orientation), 0)))
		all = append(all, of(fmt.Sprintf("orientation-%d.jpg", orientation), data))
	}
	all = append(all, of("orientation-0.jpg", with(base, app1(exif(binary.LittleEndian, 0, 0)))), of("orientation-9.jpg", with(base, app1(exif(binary.LittleEndian, 9, 0)))),
		of("orientation-long.jpg", with(base, app1(longOrientation()))))
	// For a grey picture, a profile for red, green and blue is that of three channels that are the same.
	dark := gray(Power(grey, 1.4))
	all = append(all,
		still("grey-rgb-profile.jpg", with(encodeJPEG(dark), iccSegments(rgbProfile(redXYZ, greenXYZ, blueXYZ, powerCurve(1.4), 0))...), "jpeg", grey, lossy),
		still("grey-profile.jpg", with(encodeJPEG(dark), iccSegments(GreyProfile(1.4))...), "jpeg", grey, lossy))
	// Kinds that hardly any reader knows. They differ from what Go writes in the frame header alone.
	frame := bytes.Index(base, []byte{0xff, 0xc0})
	deep, lossless := bytes.Clone(base), bytes.Clone(base)
	deep[frame+1], deep[frame+4] = 0xc1, 12
	lossless[frame+1] = 0xc3
	all = append(all, Picture{Name: "12-bit.jpg", Data: deep, Rejected: &Rejection{"unsupported", "12 bits a sample"}},
		Picture{Name: "lossless.jpg", Data: lossless, Rejected: &Rejection{"unsupported", "lossless"}})
	for _, size := range []image.Point{{1, 1}, {1, 300}, {300, 1}, {7, 5}, {241, 159}, {65500, 2}, {3, 65500}, {17, 4001}} {
		card := Card(size.X, size.Y)
		all = append(all, still(fmt.Sprintf("%dx%d.jpg", size.X, size.Y), encodeJPEG(card), "jpeg", card, few))
	}
	return all
}

// inkPSNR is for pictures of inks without a profile. How a printed color looks on a screen is a convention then, and the
// reference takes the simplest one. An inverted picture is at 8 dB.
const inkPSNR = 17

func encodeJPEG(img image.Image) []byte {
	var data bytes.Buffer
	if err := jpeg.Encode(&data, img, &jpeg.Options{Quality: 92}); err != nil {
		panic(err) // of dimensions that JPEG has: a mistake in this package
	}
	return data.Bytes()
}

// segment is a marker segment (ISO 10918-1, B.1.1.4).
func segment(marker byte, data string) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(2+len(data))), data...)
}

func app1(exif []byte) []byte { return segment(0xe1, "Exif\x00\x00"+string(exif)) }

// adobe is the APP14 segment that says how the colors are stored: 0 stands for RGB or CMYK, 1 for YCbCr, 2 for YCCK.
func adobe(transform byte) []byte {
	return segment(0xee, "Adobe\x00\x64\x00\x00\x00\x00"+string(transform))
}

// with returns a JPEG with some segments before all others.
func with(jpeg []byte, segments ...[]byte) []byte {
	return slices.Concat(jpeg[:2], slices.Concat(segments...), jpeg[2:])
}

// iccSegments embeds a profile (ICC.1:2010, B.4).
func iccSegments(profile []byte) [][]byte {
	var out [][]byte
	parts := slices.Collect(slices.Chunk(profile, 65_000))
	for i, part := range parts {
		out = append(out, segment(0xe2, "ICC_PROFILE\x00"+string([]byte{byte(i + 1), byte(len(parts))})+string(part)))
	}
	return out
}

// MultiPicture returns the first picture with a second one after it, and an index of both (CIPA DC-007, Multi-Picture Format).
// Phones do so for a gain map, a preview, or the other eye.
func MultiPicture(first, second []byte) []byte {
	index := func(size, offset uint32) []byte {
		order := binary.BigEndian
		entries := order.AppendUint32(nil, 0x030000) // primary, JPEG
		entries = order.AppendUint32(entries, size)
		entries = append(entries, make([]byte, 8)...)
		entries = order.AppendUint32(entries, 0) // secondary
		entries = order.AppendUint32(entries, uint32(len(second)))
		entries = order.AppendUint32(entries, offset)
		entries = append(entries, 0, 0, 0, 0)
		return segment(0xe2, "MPF\x00"+string(append(header(order), directory(order, 8, []entry{
			{0xb000, kindUndefined, []byte("0100")}, long(0xb001, 2), {0xb002, kindUndefined, entries},
		})...)))
	}
	size := uint32(len(first) + len(index(0, 0)))
	const beforeTIFF = 2 + 2 + 2 + 4 // SOI, marker, length, "MPF": offsets count from the TIFF header
	return slices.Concat(with(first, index(size, size-beforeTIFF)), second)
}

// What says that the second picture is a gain map (Ultra HDR Image Format 1.1).
const (
	xmpNamespace     = "http://ns.adobe.com/xap/1.0/\x00"
	gainMapDirectory = xmpNamespace + `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
		`<rdf:Description xmlns:Container="http://ns.google.com/photos/1.0/container/" xmlns:Item="http://ns.google.com/photos/1.0/container/item/" ` +
		`xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"><Container:Directory><rdf:Seq>` +
		`<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="Primary" Item:Mime="image/jpeg"/></rdf:li>` +
		`<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="GainMap" Item:Mime="image/jpeg"/></rdf:li>` +
		`</rdf:Seq></Container:Directory></rdf:Description></rdf:RDF></x:xmpmeta>`
	gainMapXMP = xmpNamespace + `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
		`<rdf:Description xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0" hdrgm:GainMapMin="0" hdrgm:GainMapMax="2.3" ` +
		`hdrgm:Gamma="1" hdrgm:OffsetSDR="0.015625" hdrgm:OffsetHDR="0.015625" hdrgm:HDRCapacityMin="0" hdrgm:HDRCapacityMax="2.3" ` +
		`hdrgm:BaseRenditionIsHDR="False"/></rdf:RDF></x:xmpmeta>`
)

// inks returns cyan, magenta, yellow and black, with as much black as the color allows; 255 is full ink.
func inks(c color.NRGBA) []uint8 {
	cyan, magenta, yellow, black := color.RGBToCMYK(c.R, c.G, c.B)
	return []uint8{cyan, magenta, yellow, black}
}

func inverted(samples []uint8) []uint8 {
	out := make([]uint8, len(samples))
	for i, s := range samples {
		out[i] = 255 - s
	}
	return out
}

// planes splits a picture into components.
func planes(img *image.NRGBA, split func(color.NRGBA) []uint8) []*image.Gray {
	var out []*image.Gray
	for i := 0; i < len(img.Pix); i += 4 {
		for n, sample := range split(color.NRGBA{img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3]}) {
			if len(out) == n {
				out = append(out, image.NewGray(img.Rect))
			}
			out[n].Pix[i/4] = sample
		}
	}
	return out
}

// assembled makes a JPEG of any components, which Go's encoder can't do. Each has a scan of its own, taken from a grey JPEG of it.
func assembled(components []*image.Gray, app14 []byte) []byte {
	out := append([]byte{0xff, 0xd8}, app14...)
	var scans []byte
	for n, component := range components {
		id := byte(n + 1)
		data := encodeJPEG(component)[2:]
		for data[1] != 0xda {
			length := 2 + int(binary.BigEndian.Uint16(data[2:]))
			part := bytes.Clone(data[:length])
			data = data[length:]
			if part[1] == 0xc0 { // the frame: the same but for its components
				part = part[:10]
				part[9] = byte(len(components))
				for i := range components {
					part = append(part, byte(i+1), 0x11, 0)
				}
				binary.BigEndian.PutUint16(part[2:], uint16(len(part)-2))
			}
			if n == 0 {
				out = append(out, part...)
			}
		}
		data[5] = id
		scans = append(scans, data[:len(data)-2]...) // without EOI
	}
	return slices.Concat(out, scans, []byte{0xff, 0xd9})
}
