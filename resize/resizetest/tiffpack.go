package resizetest

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"slices"
)

// Compressions of a TIFF.
const (
	tiffLZW      = 5
	tiffJPEG     = 7
	tiffDeflate  = 8
	tiffPackBits = 32773
)

// pack returns a strip or a tile, with some of the samples, in the compression of the page.
func (p tiffFile) pack(at image.Rectangle, samples []int) []byte {
	if p.compression == tiffJPEG {
		return p.jpeg(at)
	}
	block := p.block(at, samples)
	switch p.compression {
	case tiffDeflate:
		if block = deflated(block); p.window {
			copy(block, []byte{0x08, 0x1d}) // 256 bytes, and the check of these two
		}
		return block
	case tiffLZW:
		return literalLZW(block)
	case tiffPackBits:
		var out []byte
		for row := len(block) / at.Dy(); len(block) > 0; block = block[row:] {
			out = append(out, packed(block[:row])...)
		}
		return out
	default:
		return block
	}
}

// jpeg encodes RGB as a whole JPEG (TIFF Technical Note 2), in which it becomes YCbCr.
func (p tiffFile) jpeg(at image.Rectangle) []byte {
	img := image.NewNRGBA(image.Rect(0, 0, at.Dx(), at.Dy()))
	for y := range at.Dy() {
		for x := range at.Dx() {
			sample := func(n int) uint8 { return uint8(p.sample(min(at.Min.X+x, p.width-1), min(at.Min.Y+y, p.height-1), n)) }
			img.SetNRGBA(x, y, color.NRGBA{sample(0), sample(1), sample(2), 255})
		}
	}
	var out bytes.Buffer
	_ = jpeg.Encode(&out, img, &jpeg.Options{Quality: 90}) // into memory
	return out.Bytes()
}

// literalLZW encodes bytes as literals (TIFF 6.0, section 13), with a code that clears the table before codes get longer than 9
// bits.
func literalLZW(data []byte) []byte {
	const clearTable, end, most = 256, 257, 250
	var out []byte
	acc, bits := uint32(0), 0
	code := func(c uint32) {
		acc, bits = acc<<9|c, bits+9
		for ; bits >= 8; bits -= 8 {
			out = append(out, byte(acc>>(bits-8)))
		}
	}
	for i, b := range data {
		if i%most == 0 {
			code(clearTable)
		}
		code(uint32(b))
	}
	code(end)
	return append(out, byte(acc<<(8-bits)))
}

// packed encodes a row as PackBits (section 9).
func packed(row []byte) []byte {
	var out []byte
	for len(row) > 0 {
		n := 1
		for n < min(len(row), 128) && row[n] == row[0] {
			n++
		}
		if n > 1 {
			out, row = append(out, byte(1-n), row[0]), row[n:]
			continue
		}
		for n < min(len(row), 128) && row[n] != row[n-1] {
			n++
		}
		out, row = append(append(out, byte(n-1)), row[:n]...), row[n:]
	}
	return out
}

// subsampled encodes pixels in units of 2 × 2: the luma of each, and the chroma that they share (section 21).
func (p tiffFile) subsampled(at image.Rectangle) []byte {
	var out []byte
	for y := at.Min.Y; y < at.Max.Y; y += 2 {
		for x := at.Min.X; x < at.Max.X; x += 2 {
			var chroma [3]uint32
			for _, d := range [4]image.Point{{0, 0}, {1, 0}, {0, 1}, {1, 1}} {
				at := image.Pt(min(x+d.X, p.width-1), min(y+d.Y, p.height-1))
				out = append(out, byte(p.sample(at.X, at.Y, 0)))
				for n := 1; n < 3; n++ {
					chroma[n] += p.sample(at.X, at.Y, n)
				}
			}
			out = append(out, byte((chroma[1]+2)/4), byte((chroma[2]+2)/4))
		}
	}
	return out
}

// ahead moves the directory of a little-endian TIFF with one page, and the values that it points to, before the pixels. Of such
// a file, the pixels are what is missing if it is cut short.
func ahead(file []byte) []byte {
	order := binary.LittleEndian
	at := int(order.Uint32(file[4:]))
	fields := file[at+2 : at+2+12*int(order.Uint16(file[at:]))]
	values := 0
	each := func(f func(field []byte, size, length int)) {
		for field := range slices.Chunk(fields, 12) {
			size := map[uint16]int{kindShort: 2, kindLong: 4, kindRational: 8}[order.Uint16(field[2:])]
			f(field, max(size, 1), max(size, 1)*int(order.Uint32(field[4:])))
		}
	}
	pixels := 0 // where they end
	each(func(_ []byte, _, length int) { values += map[bool]int{true: (length + 1) / 2 * 2}[length > 4] })
	moved := 2 + len(fields) + 4 + values
	out := append(header(order), file[at:at+2+len(fields)+4]...)
	next := len(out)
	out = append(out, make([]byte, values)...)
	var starts, lengths []int
	i := 0
	each(func(field []byte, size, length int) {
		to := out[8+2+12*i+8:]
		from := field[8:]
		if i++; length > 4 {
			from = file[order.Uint32(from):]
			order.PutUint32(to, uint32(next))
			to = out[next:]
			next += (length + 1) / 2 * 2
		}
		copy(to[:length], from)
		for n := range length / size {
			number := func(b []byte) int {
				if size == 2 {
					return int(order.Uint16(b[2*n:]))
				}
				return int(order.Uint32(b[4*n:]))
			}
			switch order.Uint16(field) {
			case 273, 324: // StripOffsets, TileOffsets
				starts = append(starts, number(from))
				order.PutUint32(to[4*n:], uint32(number(from)+moved))
			case 279, 325: // StripByteCounts, TileByteCounts
				lengths = append(lengths, number(from))
			}
		}
	})
	for i, start := range starts {
		pixels = max(pixels, start+lengths[i])
	}
	return append(out, file[8:pixels]...)
}
