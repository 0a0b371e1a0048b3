package resizetest

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
)

// tiffFile is a page of a TIFF (TIFF 6.0). sample returns its samples as they stand in the file.
type tiffFile struct {
	width, height int
	order         binary.AppendByteOrder
	photometric   uint16
	bits, format  uint16   // of a sample; its format: 1 unsigned, 3 floating point
	extra         []uint16 // what samples beyond the colors are: 1 weighted alpha, 2 alpha
	samples       int
	tile, rows    int     // pixels a side of a tile, or rows of a strip; without both, all is one strip
	compression   uint16  // one of those in pack; others are there in name only
	also          []entry // further fields
	preview       bool    // of another picture in the file
	separate      bool    // each component by itself
	window        bool    // zlib declares a smaller one than it uses
	chroma        bool    // of YCbCr has a sample for 2 × 2 pixels
	orientation   uint16
	colors        []uint16 // of a palette
	sample        func(x, y, n int) uint32
}

// Photometric interpretations, and what else stands in their fields.
const (
	tiffWhiteIsZero = 0
	tiffBlackIsZero = 1
	tiffRGB         = 2
	tiffPalette     = 3
	tiffInks        = 5
	tiffYCbCr       = 6
)

// encodeTIFF writes one page after another: its pixels, then its directory.
func encodeTIFF(pages ...tiffFile) []byte {
	order := pages[0].order
	out := header(order)
	link := 4 // where the offset of the next directory is to stand
	for _, p := range pages {
		var offsets, lengths []uint32
		for _, block := range p.blocks() {
			offsets, lengths = append(offsets, uint32(len(out))), append(lengths, uint32(len(block)))
			out = append(out, block...)
			if len(out)%2 == 1 {
				out = append(out, 0)
			}
		}
		entries := p.entries(offsets, lengths)
		at := len(out)
		order.(binary.ByteOrder).PutUint32(out[link:], uint32(at))
		out = append(out, directory(order, at, entries)...)
		link = at + 2 + 12*len(entries)
	}
	return out
}

// entries are the fields of the directory of a page whose strips or tiles have these offsets and lengths.
func (p tiffFile) entries(offsets, lengths []uint32) []entry {
	entries := []entry{
		long(256, uint32(p.width)), long(257, uint32(p.height)), short(258, slices.Repeat([]uint16{p.bits}, p.samples)...),
		short(259, max(p.compression, 1)), short(262, p.photometric), short(277, uint16(p.samples)),
		short(284, map[bool]uint16{false: 1, true: 2}[p.separate]), short(339, slices.Repeat([]uint16{max(1, p.format)}, p.samples)...),
		long(254, map[bool]uint32{true: 1}[p.preview]),
	}
	if entries = append(entries, p.also...); p.orientation > 0 {
		entries = append(entries, short(274, p.orientation))
	}
	if p.tile > 0 {
		entries = append(entries, long(322, uint32(p.tile)), long(323, uint32(p.tile)), long(324, offsets...), long(325, lengths...))
	} else {
		entries = append(entries, long(278, uint32(p.stripRows())), long(273, offsets...), long(279, lengths...))
	}
	if len(p.extra) > 0 {
		entries = append(entries, short(338, p.extra...))
	}
	if len(p.colors) > 0 {
		entries = append(entries, short(320, p.colors...))
	}
	return entries
}

// blocks are the strips or tiles.
func (p tiffFile) blocks() [][]byte {
	w, h := p.width, p.stripRows()
	if p.tile > 0 {
		w, h = p.tile, p.tile
	}
	groups := [][]int{nil}
	for n := range p.samples {
		if p.separate && n > 0 {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], n)
	}
	var out [][]byte
	for _, group := range groups {
		for top := 0; top < p.height; top += h {
			for left := 0; left < p.width; left += w {
				bottom := top + h
				if p.tile == 0 {
					bottom = min(bottom, p.height)
				}
				out = append(out, p.pack(image.Rect(left, top, left+w, bottom), group))
			}
		}
	}
	return out
}

func (p tiffFile) stripRows() int {
	if p.rows > 0 {
		return p.rows
	}
	return p.height
}

func (p tiffFile) block(at image.Rectangle, samples []int) []byte {
	if p.chroma {
		return p.subsampled(at)
	}
	var out []byte
	for y := at.Min.Y; y < at.Max.Y; y++ {
		acc, bits := uint32(0), uint16(0) // what does not fill a byte yet
		for x := at.Min.X; x < at.Max.X; x++ {
			for _, n := range samples {
				s := p.sample(min(x, p.width-1), min(y, p.height-1), n)
				switch p.bits {
				case 32:
					out = p.order.AppendUint32(out, s)
				case 16:
					out = p.order.AppendUint16(out, uint16(s))
				default:
					acc, bits = acc<<p.bits|s, bits+p.bits
					for ; bits >= 8; bits -= 8 {
						out = append(out, byte(acc>>(bits-8)))
					}
				}
			}
		}
		if bits > 0 {
			out = append(out, byte(acc<<(8-bits)))
		}
	}
	return out
}

// tiffOf is a page of 8-bit samples that shows img.
func tiffOf(img *image.NRGBA) tiffFile {
	return tiffFile{
		width: img.Rect.Dx(), height: img.Rect.Dy(), order: binary.LittleEndian, photometric: tiffRGB, bits: 8, samples: 3,
		sample: func(x, y, n int) uint32 { return uint32(img.Pix[img.PixOffset(x, y)+n]) },
	}
}

func tiffs() []Picture {
	card, veil, grey := Card(Width, Height), Veil(Width, Height), toNRGBA(Grey(Width, Height))
	var all []Picture
	add := func(name string, data []byte, shows *image.NRGBA, psnr float64) {
		p := still(name+".tif", data, "tiff", shows, psnr)
		p.Shows.Output = map[bool]string{false: "jpeg", true: "png"}[p.Shows.Alpha]
		all = append(all, p)
	}
	of := func(name string, img, shows *image.NRGBA, psnr float64, change func(*tiffFile)) {
		f := tiffOf(img)
		change(&f)
		add(name, encodeTIFF(f), shows, psnr)
	}
	of("strip", card, card, exact, func(*tiffFile) {})
	of("big-endian", card, card, exact, func(f *tiffFile) { f.order = binary.BigEndian })
	of("tiled", card, card, exact, func(f *tiffFile) { f.tile = 64 })
	of("separate", card, card, exact, func(f *tiffFile) { f.separate = true })
	of("deflate", card, card, exact, func(f *tiffFile) { f.compression = tiffDeflate })
	of("tiled-deflate", card, card, exact, func(f *tiffFile) { f.tile, f.compression = 32, tiffDeflate })
	of("grey", grey, grey, exact, func(f *tiffFile) { f.photometric, f.samples = tiffBlackIsZero, 1 })
	of("white-is-zero", negative(grey), grey, exact, func(f *tiffFile) { f.photometric, f.samples = tiffWhiteIsZero, 1 })
	of("alpha", veil, veil, exact, func(f *tiffFile) { f.samples, f.extra = 4, []uint16{2} })
	weighted := mapped(veil, func(c color.NRGBA) color.NRGBA {
		w := func(v uint8) uint8 { return uint8((int(v)*int(c.A) + 127) / 255) }
		return color.NRGBA{w(c.R), w(c.G), w(c.B), c.A}
	})
	of("weighted-alpha", weighted, veil, lossy, func(f *tiffFile) { f.samples, f.extra = 4, []uint16{1} })
	of("16-bit", card, card, exact, func(f *tiffFile) {
		eight := f.sample
		f.bits, f.sample = 16, func(x, y, n int) uint32 { return 257 * eight(x, y, n) }
	})
	of("16-bit-grey", grey, grey, exact, func(f *tiffFile) {
		eight := f.sample
		f.photometric, f.samples = tiffBlackIsZero, 1
		f.bits, f.sample = 16, func(x, y, n int) uint32 { return 257 * eight(x, y, n) }
	})
	blackAndWhite := mapped(grey, func(c color.NRGBA) color.NRGBA {
		v := c.R / 128 * 255
		return color.NRGBA{v, v, v, 255}
	})
	for name, photometric := range map[string]uint16{"1-bit": tiffBlackIsZero, "1-bit-white-is-zero": tiffWhiteIsZero} {
		of(name, blackAndWhite, blackAndWhite, edges, func(f *tiffFile) {
			eight := f.sample
			f.photometric, f.samples, f.bits = photometric, 1, 1
			f.sample = func(x, y, n int) uint32 { return eight(x, y, n)/255 ^ uint32(1-photometric) }
		})
	}
	for _, depth := range []int{4, 8} {
		colors, index, shows := paletted(depth, card)
		of(fmt.Sprintf("palette-%d", depth), card, shows, edges, func(f *tiffFile) {
			f.photometric, f.samples, f.bits = tiffPalette, 1, uint16(depth)
			f.sample = func(x, y, _ int) uint32 { return uint32(index(x, y)) }
			for _, channel := range []func(color.NRGBA) uint8{
				func(c color.NRGBA) uint8 { return c.R }, func(c color.NRGBA) uint8 { return c.G }, func(c color.NRGBA) uint8 { return c.B },
			} {
				for _, c := range colors {
					f.colors = append(f.colors, 257*uint16(channel(c)))
				}
			}
		})
	}
	of("cmyk", card, card, inkPSNR, func(f *tiffFile) {
		f.photometric, f.samples = tiffInks, 4
		f.sample = func(x, y, n int) uint32 { return uint32(inks(card.NRGBAAt(x, y))[n]) }
	})
	for _, orientation := range []int{2, 3, 6, 7} {
		of(fmt.Sprintf("orientation-%d", orientation), stored(card, orientation), card, exact, func(f *tiffFile) { f.orientation = uint16(orientation) })
	}
	second := tiffOf(plain(300, 40, color.NRGBA{255, 0, 0, 255}))
	add("pages", encodeTIFF(tiffOf(card), second, second), card, exact)
	all = append(all, wholeAndCut(card, blackAndWhite)...)
	ycbcr := mapped(card, toYCbCr)
	whole := short(530, 1, 1) // no chroma is shared
	of("ycbcr", ycbcr, card, exact, func(f *tiffFile) { f.photometric, f.also = tiffYCbCr, []entry{whole} })
	of("ycbcr-separate", ycbcr, card, exact, func(f *tiffFile) { f.photometric, f.separate, f.also = tiffYCbCr, true, []entry{whole} })
	of("ycbcr-bt709", mapped(card, videoOf), card, exact-4, func(f *tiffFile) {
		f.photometric = tiffYCbCr
		f.also = []entry{whole, rational(529, 2126, 7152, 722), rational(532, 160000, 2350000, 1280000, 2400000, 1280000, 2400000)}
	})
	of("orientation-long", stored(card, 6), card, exact, func(f *tiffFile) { f.also = []entry{long(274, 6)} })
	// zlib says in its first byte how far back it looks: 256 bytes, but it is some 32 KB. Browsers mind that in a PNG no more.
	of("zlib-window", card, card, exact, func(f *tiffFile) { f.compression, f.window = tiffDeflate, true })
	for _, name := range []string{"lzw", "big"} { // by libtiff's tools
		add(name, file(name+".tif"), card, exact)
	}
	add("jpeg", file("jpeg.tif"), card, 30) // at libtiff's own quality
	add("fax", file("fax.tif"), blackAndWhite, edges)
	add("packbits", file("packbits.tif"), blackAndWhite, edges)

	reject := func(name, says string, change func(*tiffFile)) {
		f := tiffOf(card)
		change(&f)
		all = append(all, Picture{Name: name + ".tif", Data: encodeTIFF(f), Rejected: &Rejection{"unsupported", says}})
	}
	reject("float", "neither of 8 nor of 16 bits", func(f *tiffFile) {
		eight := f.sample
		f.bits, f.format, f.sample = 32, 3, func(x, y, n int) uint32 { return math.Float32bits(float32(eight(x, y, n)) / 255) }
	})
	reject("32-bit", "neither of 8 nor of 16 bits", func(f *tiffFile) {
		eight := f.sample
		f.bits, f.sample = 32, func(x, y, n int) uint32 { return 0x01010101 * eight(x, y, n) }
	})
	for _, depth := range []uint16{10, 12, 14} {
		reject(fmt.Sprintf("grey-%d", depth), fmt.Sprintf("a TIFF of %d bits per sample", depth), func(f *tiffFile) {
			eight := f.sample
			f.photometric, f.samples, f.bits = tiffBlackIsZero, 1, depth
			f.sample = func(x, y, n int) uint32 { return eight(x, y, n) << (depth - 8) }
		})
	}
	reject("rgb-4", "a TIFF of 3 samples of 4 bits", func(f *tiffFile) {
		eight := f.sample
		f.bits, f.sample = 4, func(x, y, n int) uint32 { return eight(x, y, n) >> 4 }
	})
	for name, tile := range map[string]int{"strip": 0, "tiles": 64} {
		reject("old-jpeg-"+name, "JPEG of the old style", func(f *tiffFile) { f.compression, f.tile = 6, tile })
	}
	reject("separate-tiles", "tiles for each channel", func(f *tiffFile) { f.separate, f.tile = true, 64 })
	reject("icclab", "photometric interpretation 9", func(f *tiffFile) { f.photometric = 9 })
	reject("zstd", "compression 50000", func(f *tiffFile) { f.compression = 50000 })
	reject("raw-sensor", "raw file", func(f *tiffFile) { f.photometric, f.samples = 32803, 1 })
	reject("raw-preview", "raw file", func(f *tiffFile) { f.preview = true })
	return all
}
