package resizetest

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"math/rand/v2"
	"slices"
)

// nothing compresses so many zeros (RFC 1950), about a thousand to one. Behind the first million, all millions are the same bytes.
func nothing(zeros int) []byte {
	const step = 1 << 20
	var piece bytes.Buffer
	z, err := flate.NewWriter(&piece, flate.BestSpeed)
	if err != nil {
		panic(err) // of a level that there is: a mistake in this package
	}
	next := func(n int) []byte {
		piece.Reset()
		_, _ = z.Write(make([]byte, n)) // into memory
		_ = z.Flush()
		return bytes.Clone(piece.Bytes())
	}
	out := []byte{0x78, 0x01}
	out = append(out, next(min(zeros, step))...)
	if more := zeros - step; more > 0 {
		out = append(out, bytes.Repeat(next(step), more/step)...)
		out = append(out, next(more%step)...)
	}
	piece.Reset()
	_ = z.Close()
	const prime = 65521 // Adler's sums: 1, and as many ones as there are bytes
	return binary.BigEndian.AppendUint32(append(out, piece.Bytes()...), uint32(zeros%prime)<<16|1)
}

// flatPNG is all black.
func flatPNG(width, height, kind, depth int) []byte {
	samples := map[int]int{pngGrey: 1, pngRGBA: 4}[kind]
	p := pngFile{width: width, height: height, kind: kind, depth: depth}
	return p.of(nothing((1 + (width*samples*depth+7)/8) * height))
}

// flatTIFF is all black, of samples of 16 bits, whose planes are the same strip.
func flatTIFF(width, height, samples int) []byte {
	out := append(header(binary.LittleEndian), nothing(2*width*height)...)
	p := tiffFile{width: width, height: height, samples: samples, bits: 16, separate: samples > 1, compression: tiffDeflate, photometric: tiffBlackIsZero}
	if samples > 1 {
		p.photometric = tiffRGB
	}
	return tiffSharing(p, out[8:])
}

// tiffOfTiles is a grey TIFF whose tiles are all the same bytes.
func tiffOfTiles(side, tile int, compression uint16, bytes []byte) []byte {
	return tiffSharing(tiffFile{width: side, height: side, samples: 1, bits: 8, tile: tile, compression: compression, photometric: tiffBlackIsZero}, bytes)
}

// tiffOfJPEG is a grey TIFF of one strip.
func tiffOfJPEG(side int, strip []byte) []byte {
	return tiffSharing(tiffFile{width: side, height: side, samples: 1, bits: 8, compression: tiffJPEG, photometric: tiffBlackIsZero}, strip)
}

// tiffSharing is a TIFF whose strips or tiles are all the same bytes.
func tiffSharing(p tiffFile, shared []byte) []byte {
	order := binary.LittleEndian
	out := append(header(order), shared...)
	if len(out)%2 == 1 {
		out = append(out, 0)
	}
	parts := p.samples
	if p.tile > 0 {
		across := (p.width + p.tile - 1) / p.tile
		parts = across * ((p.height + p.tile - 1) / p.tile)
	}
	offsets, lengths := slices.Repeat([]uint32{8}, parts), slices.Repeat([]uint32{uint32(len(shared))}, parts)
	order.PutUint32(out[4:], uint32(len(out)))
	return append(out, directory(order, len(out), p.entries(offsets, lengths))...)
}

func u24(v int) []byte { return []byte{byte(v), byte(v >> 8), byte(v >> 16)} }

// riff is a chunk of a WebP (RFC 9649, 2.3).
func riff(kind string, data ...[]byte) []byte {
	body := slices.Concat(data...)
	out := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(body)))
	if out = append(out, body...); len(body)%2 == 1 {
		out = append(out, 0)
	}
	return out
}

// extendedWebP is a WebP with a header of features (2.7).
func extendedWebP(features byte, width, height int, chunks ...[]byte) []byte {
	return riff("RIFF", []byte("WEBP"), riff("VP8X", []byte{features, 0, 0, 0}, u24(width-1), u24(height-1)), slices.Concat(chunks...))
}

// tinyWebP is an animation whose frames are of one pixel, each in another place.
func tinyWebP(side, frames int) []byte {
	pixel := file("1x1.webp")[12:]
	chunks := [][]byte{riff("ANIM", make([]byte, 6))}
	for i := range frames {
		chunks = append(chunks, riff("ANMF", u24(i%(side/2)), u24(i/2%(side/2)), u24(0), u24(0), u24(100), []byte{2}, pixel))
	}
	return extendedWebP(2, side, side, chunks...)
}

// tinyGIF is an animation whose frames are of one pixel, each in another place.
func tinyGIF(side, frames int) []byte {
	order := binary.LittleEndian
	size := order.AppendUint16(order.AppendUint16(nil, uint16(side)), uint16(side))
	out := slices.Concat([]byte("GIF89a"), size, []byte{0x80, 0, 0, 0, 0, 0, 255, 255, 255})
	for i := range frames {
		out = append(out, "\x21\xf9\x04\x04\x0a\x00\x00\x00\x2c"...)
		out = order.AppendUint16(order.AppendUint16(out, uint16(i%side)), uint16(i/2%side))
		out = append(out, "\x01\x00\x01\x00\x00\x02\x02\x4c\x01\x00"...)
	}
	return append(out, 0x3b)
}

// noisyGIF is an animation of a frame of noise, and of others that change one pixel of it, each another one.
func noisyGIF(side, frames int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	out := gif.GIF{Image: []*image.Paletted{noise(side, random)}}
	for i := range frames - 1 {
		at := image.Pt(i%side, i/2%side)
		pixel := image.NewPaletted(image.Rectangle{at, at.Add(image.Pt(1, 1))}, out.Image[0].Palette)
		pixel.Pix[0] = byte(random.Uint32())
		out.Image = append(out.Image, pixel)
	}
	out.Delay = make([]int, frames)
	return encodeGIF(out)
}

// flickeringGIF is an animation of frames with the same data, and other colors each.
func flickeringGIF(side, frames int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	var out gif.GIF
	for range frames {
		frame := noise(side, random)
		for i := range frame.Pix {
			frame.Pix[i] = byte(i%side + i/side)
		}
		out.Image = append(out.Image, frame)
	}
	out.Delay = make([]int, frames)
	return encodeGIF(out)
}

func noise(side int, random *rand.Rand) *image.Paletted {
	frame := image.NewPaletted(image.Rect(0, 0, side, side), nil)
	for range 256 {
		c := random.Uint32()
		frame.Palette = append(frame.Palette, color.NRGBA{byte(c), byte(c >> 8), byte(c >> 16), 0xff})
	}
	for i := range frame.Pix {
		frame.Pix[i] = byte(random.Uint32())
	}
	return frame
}

// avifItem is an item of an AVIF (ISO/IEC 23008-12, 9): a coded picture, a grid of others, or something else.
type avifItem struct {
	kind    string
	side    [2]int // pixels; none if it is no picture
	coding  []byte // the box av1C of a coded picture, or nil
	profile []byte
	refers  string   // how it refers to others, and to which
	to      []uint16 // by their numbers, from 1
	data    []byte
	again   bool // its data are those of the item before
	times   int  // they have so many extents, all the same; 0 for one
}

func isobox(name string, content ...[]byte) []byte {
	body := slices.Concat(content...)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(body))), name...), body...)
}

func be16(values ...int) []byte {
	var out []byte
	for _, v := range values {
		out = binary.BigEndian.AppendUint16(out, uint16(v))
	}
	return out
}

// encodeAVIF writes the items, of which the first is the picture that is shown.
func encodeAVIF(items ...avifItem) []byte {
	full := func(name string, content ...[]byte) []byte {
		return isobox(name, append([][]byte{make([]byte, 4)}, content...)...)
	}
	var infos, references, properties, associations [][]byte
	var data []byte
	count := 0
	for i, item := range items {
		id := i + 1
		data = append(data, item.data...)
		infos = append(infos, isobox("infe", []byte{2, 0, 0, 0}, be16(id, 0), []byte(item.kind), []byte{0}))
		if len(item.to) > 0 {
			to, _ := binary.Append(be16(id, len(item.to)), binary.BigEndian, item.to) // a slice of numbers
			references = append(references, isobox(item.refers, to))
		}
		if item.side == [2]int{} {
			continue
		}
		own := [][]byte{full("ispe", longs(uint32(item.side[0]), uint32(item.side[1])))}
		if item.coding != nil {
			own = append(own, item.coding)
		}
		if item.profile != nil {
			own = append(own, isobox("colr", []byte("prof"), item.profile))
		}
		association := append(be16(id), byte(len(own)))
		for range own {
			count++
			association = append(association, byte(count))
		}
		properties, associations = append(properties, own...), append(associations, association)
	}
	kind := isobox("ftyp", []byte("avif\x00\x00\x00\x00avifmif1miaf"))
	meta := func(next int) []byte {
		locations := [][]byte{{0x44, 0x00}, be16(len(items))}
		at, length := 0, 0
		for i, item := range items {
			if !item.again {
				at, length = next, len(item.data)
				next += length
			}
			extents := max(1, item.times)
			locations = append(locations, be16(i+1, 0, extents), bytes.Repeat(longs(uint32(at), uint32(length)), extents))
		}
		return full("meta", full("hdlr", make([]byte, 4), []byte("pict"), make([]byte, 13)), full("pitm", be16(1)), full("iloc", locations...),
			full("iinf", be16(len(items)), slices.Concat(infos...)), full("iref", references...),
			isobox("iprp", isobox("ipco", properties...), full("ipma", longs(uint32(len(associations))), slices.Concat(associations...))))
	}
	at := len(kind) + len(meta(0)) + 8
	return slices.Concat(kind, meta(at), isobox("mdat", data))
}

// codedAVIF is the picture of one of libavif's files, whose coded data is all that is in its box of data.
func codedAVIF(name string) avifItem {
	data := file(name)
	box := func(name string) []byte {
		at := bytes.Index(data, []byte(name)) - 4
		return data[at : at+int(binary.BigEndian.Uint32(data[at:]))]
	}
	size := box("ispe")[12:]
	width, height := binary.BigEndian.Uint32(size), binary.BigEndian.Uint32(size[4:])
	return avifItem{kind: "av01", side: [2]int{int(width), int(height)}, coding: box("av1C"), data: box("mdat")[8:]}
}

// gridAVIF is a grid of n × n times the same tile of 2000 pixels a side.
func gridAVIF(n int) []byte {
	tile := codedAVIF("flat-2000.avif")
	side := n * tile.side[0]
	grid := avifItem{kind: "grid", side: [2]int{side, side}, refers: "dimg", to: slices.Repeat([]uint16{2}, n*n)}
	grid.data = append([]byte{0, 1, byte(n - 1), byte(n - 1)}, longs(uint32(side), uint32(side))...)
	return encodeAVIF(grid, tile)
}

// manyExtents is a picture and n items of EXIF, of which each is thirty times the same megabyte.
func manyExtents(n int) []byte {
	items := []avifItem{codedAVIF("8-bit.avif")}
	for i := range n {
		item := avifItem{kind: "Exif", refers: "cdsc", to: []uint16{1}, again: i > 0, times: 30}
		if i == 0 {
			item.data = make([]byte, 1<<20)
		}
		items = append(items, item)
	}
	return encodeAVIF(items...)
}
