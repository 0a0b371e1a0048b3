package resizetest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"math"
	"slices"
)

// Color types of PNG.
const (
	pngGrey      = 0
	pngRGB       = 2
	pngPalette   = 3
	pngGreyAlpha = 4
	pngRGBA      = 6
)

// pngFile is a PNG of any kind. Go's encoder makes only some of them.
type pngFile struct {
	width, height int
	kind, depth   int
	interlaced    bool
	chunks        []byte                  // between IHDR and IDAT
	sample        func(x, y int) []uint16 // valid until the next call
}

func chunk(name string, data ...byte) []byte {
	out := append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), name...)
	out = append(out, data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

const pngSignature = "\x89PNG\r\n\x1a\n"

func (p pngFile) encode() []byte { return p.of(p.data()) }

// of returns the file with compressed rows.
func (p pngFile) of(rows []byte) []byte {
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(p.width)), uint32(p.height))
	head = append(head, byte(p.depth), byte(p.kind), 0, 0, 0)
	if p.interlaced {
		head[12] = 1
	}
	return slices.Concat([]byte(pngSignature), chunk("IHDR", head...), p.chunks, chunk("IDAT", rows...), chunk("IEND"))
}

// data returns the compressed rows, pass by pass.
func (p pngFile) data() []byte {
	passes := [][4]int{{0, 0, 1, 1}} // first column and row, steps
	if p.interlaced {
		passes = [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} // Adam7
	}
	var rows []byte
	for _, pass := range passes {
		if pass[0] >= p.width {
			continue // an empty pass has no rows, not even filter types
		}
		for y := pass[1]; y < p.height; y += pass[3] {
			rows = append(rows, 0) // no filter
			bits := 0
			for x := pass[0]; x < p.width; x += pass[2] {
				for _, sample := range p.sample(x, y) {
					switch {
					case p.depth == 16:
						rows = binary.BigEndian.AppendUint16(rows, sample)
					case bits%8 == 0:
						rows = append(rows, byte(sample)<<(8-p.depth))
					default:
						rows[len(rows)-1] |= byte(sample) << (8 - p.depth - bits%8)
					}
					bits += p.depth
				}
			}
		}
	}
	return deflated(rows)
}

// pngOf stores a picture with as many levels as the depth has. It also returns what that file shows.
func pngOf(img *image.NRGBA, kind, depth int, interlaced bool, chunks ...[]byte) (data []byte, shows *image.NRGBA) {
	most := uint16(1<<depth - 1)
	quantize := func(v uint8) uint16 { return uint16(math.Round(float64(v) * float64(most) / 255)) }
	back := func(v uint16) uint8 { return uint8(math.Round(float64(v) * 255 / float64(most))) }
	shows = mapped(img, func(c color.NRGBA) color.NRGBA {
		return color.NRGBA{back(quantize(c.R)), back(quantize(c.G)), back(quantize(c.B)), back(quantize(c.A))}
	})
	samples := make([]uint16, 0, 4)
	data = pngFile{img.Rect.Dx(), img.Rect.Dy(), kind, depth, interlaced, slices.Concat(chunks...), func(x, y int) []uint16 {
		c := img.NRGBAAt(x, y)
		switch kind {
		case pngGrey:
			return append(samples, quantize(c.R))
		case pngGreyAlpha:
			return append(samples, quantize(c.R), quantize(c.A))
		case pngRGB:
			return append(samples, quantize(c.R), quantize(c.G), quantize(c.B))
		default:
			return append(samples, quantize(c.R), quantize(c.G), quantize(c.B), quantize(c.A))
		}
	}}.encode()
	return data, shows
}

// Power returns the samples of a picture by a curve that is a power.
func Power(img image.Image, gamma float64) *image.NRGBA {
	of := func(v uint8) uint8 { return level(255 * math.Pow(linear(v), 1/gamma)) }
	return mapped(toNRGBA(img), func(c color.NRGBA) color.NRGBA { return color.NRGBA{of(c.R), of(c.G), of(c.B), c.A} })
}

// Quarters has a level of grey in each.
func Quarters(levels ...uint8) *image.NRGBA {
	return paint(Width, Height, func(u, v float64) color.NRGBA {
		level := levels[2*int(2*v)+int(2*u)]
		return color.NRGBA{level, level, level, 255}
	})
}

// GreyVeil is Grey behind a veil.
func GreyVeil() *image.NRGBA {
	veil, grey := Veil(Width, Height), toNRGBA(Grey(Width, Height))
	for i := 3; i < len(grey.Pix); i += 4 {
		grey.Pix[i] = veil.Pix[i]
	}
	return grey
}

// paletted is a picture of 1<<depth colors, in stripes, each pixel by its index.
func paletted(depth int, from *image.NRGBA) (colors []color.NRGBA, index func(x, y int) int, shows *image.NRGBA) {
	n := 1 << depth
	for i := range n {
		colors = append(colors, from.NRGBAAt(i*Width/n, (i%2)*Height/2+Height/4))
	}
	index = func(x, y int) int {
		i := x * n / Width
		return i&^1 | y*2/Height
	}
	shows = image.NewNRGBA(image.Rect(0, 0, Width, Height))
	for y := range Height {
		for x := range Width {
			shows.SetNRGBA(x, y, colors[index(x, y)])
		}
	}
	return colors, index, shows
}

func pngs() []Picture {
	var all []Picture
	add := func(name string, data []byte, shows image.Image, psnr float64) {
		all = append(all, still(name+".png", data, "png", shows, psnr))
	}
	card, veil, grey := Card(Width, Height), Veil(Width, Height), toNRGBA(Grey(Width, Height))

	for _, interlaced := range []bool{false, true} {
		suffix := map[bool]string{true: "-interlaced"}[interlaced]
		for _, c := range []struct {
			name   string
			kind   int
			depths []int
			img    *image.NRGBA
		}{
			{"grey", pngGrey, []int{1, 2, 4, 8, 16}, grey}, {"rgb", pngRGB, []int{8, 16}, card},
			{"grey-alpha", pngGreyAlpha, []int{8, 16}, GreyVeil()}, {"rgba", pngRGBA, []int{8, 16}, veil},
		} {
			for _, depth := range c.depths {
				data, shows := pngOf(c.img, c.kind, depth, interlaced)
				add(fmt.Sprintf("%s-%d%s", c.name, depth, suffix), data, shows, map[bool]float64{true: edges, false: exact}[depth < 8])
			}
		}
		for _, depth := range []int{1, 2, 4, 8} {
			for _, from := range []*image.NRGBA{card, veil} {
				name := map[bool]string{true: "palette", false: "palette-alpha"}[from == card]
				colors, index, shows := paletted(depth, from)
				var plte, trns []byte
				for _, c := range colors {
					plte, trns = append(plte, c.R, c.G, c.B), append(trns, c.A)
				}
				chunks := chunk("PLTE", plte...)
				if from == veil {
					chunks = append(chunks, chunk("tRNS", trns...)...)
				}
				data := pngFile{Width, Height, pngPalette, depth, interlaced, chunks, func(x, y int) []uint16 { return []uint16{uint16(index(x, y))} }}.encode()
				add(fmt.Sprintf("%s-%d%s", name, depth, suffix), data, shows, edges)
			}
		}
		for _, size := range []image.Point{{1, 1}, {3, 2}, {5, 9}, {1, 300}, {3, 65_535}} { // some passes have no pixels
			data, shows := pngOf(Card(size.X, size.Y), pngRGB, 8, interlaced)
			add(fmt.Sprintf("%dx%d%s", size.X, size.Y, suffix), data, shows, few)
		}
	}

	// One color, or one level of grey, that is transparent.
	for _, depth := range []int{8, 16} {
		most := uint16(1<<depth - 1)
		key := func(kind int, samples ...uint16) []byte {
			var trns []byte
			for _, s := range samples {
				trns = binary.BigEndian.AppendUint16(trns, s)
			}
			return pngFile{Width, Height, kind, depth, false, chunk("tRNS", trns...), func(x, _ int) []uint16 {
				if x < Width/2 {
					return samples
				}
				return slices.Repeat([]uint16{most / 3}, len(samples))
			}}.encode()
		}
		third := color.NRGBA{85, 85, 85, 255}
		half := paint(Width, Height, func(u, _ float64) color.NRGBA {
			if u < 0.5 {
				return color.NRGBA{}
			}
			return third
		})
		add(fmt.Sprintf("key-grey-%d", depth), key(pngGrey, most), half, edges)
		add(fmt.Sprintf("key-rgb-%d", depth), key(pngRGB, most, 0, most), half, edges)
	}

	of := func(name string, img, shows *image.NRGBA, psnr float64, chunks ...[]byte) {
		data, _ := pngOf(img, pngRGB, 8, false, chunks...)
		add(name, data, shows, psnr)
	}
	gamma := func(v float64) []byte {
		return chunk("gAMA", binary.BigEndian.AppendUint32(nil, uint32(math.Round(v*1e5)))...)
	}
	primaries := chunk("cHRM", longs(31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)...) // sRGB's
	profile := chunk("iCCP", append([]byte("swapped\x00\x00"), deflated(SwappedProfile(0))...)...)
	of("gamma", Power(card, 2.2), card, exact-2, gamma(0.45455), primaries)
	of("gamma-alone", card, card, exact, gamma(0.45455))      // that of sRGB, as most mean it
	of("srgb", card, card, exact, chunk("sRGB", 0), gamma(1)) // sRGB has precedence
	of("profile", swapped(card), card, exact-4, profile)
	of("profile-gamma", swapped(card), card, exact-4, gamma(1), profile) // iCCP has precedence
	// Stored with another curve, or with the primaries of red and blue swapped.
	asLinear := func(img *image.NRGBA) *image.NRGBA {
		return mapped(img, func(c color.NRGBA) color.NRGBA {
			return color.NRGBA{level(255 * linear(c.R)), level(255 * linear(c.G)), level(255 * linear(c.B)), c.A}
		})
	}
	blueIsRed := chunk("cHRM", longs(31270, 32900, 15000, 6000, 30000, 60000, 64000, 33000)...)
	of("gamma-linear", asLinear(card), card, lossy, gamma(1))
	of("gamma-primaries", swapped(card), card, lossy, gamma(0.45455), blueIsRed)
	of("primaries-alone", card, card, exact, blueIsRed) // browsers want gAMA beside them
	of("primaries-broken", card, card, exact, gamma(0.45455), chunk("cHRM", longs(0, 0, 0, 0, 0, 0, 0, 0)...))
	data, _ := pngOf(asLinear(grey), pngGrey, 8, false, gamma(1))
	add("gamma-grey", data, grey, lossy)
	data, _ = pngOf(asLinear(veil), pngRGBA, 8, false, gamma(1))
	add("gamma-alpha", data, veil, lossy)

	// cICP has precedence over all of them: H.273's numbers of primaries and curve, RGB, full range.
	cicp := func(primaries, curve, full byte) []byte { return chunk("cICP", primaries, curve, 0, full) }
	of("cicp-p3", card, fromDisplayP3(card), exact-3, cicp(12, 13, 1))
	of("cicp-p3-srgb-gamma", card, fromDisplayP3(card), exact-3, gamma(1), chunk("sRGB", 0), cicp(12, 13, 1))
	of("cicp-srgb-profile", card, card, exact, cicp(1, 13, 1), profile)
	of("cicp-linear", asLinear(card), card, lossy, cicp(1, 8, 1))
	of("cicp-video", Power(card, 2.4), card, exact-2, cicp(1, 1, 1))
	of("cicp-unknown-curve", card, card, exact, cicp(12, 2, 1)) // browsers ignore this one and the next
	of("cicp-narrow", card, card, exact, cicp(12, 13, 0))
	data, _ = pngOf(asLinear(grey), pngGrey, 8, false, cicp(9, 8, 1))
	add("cicp-linear-grey", data, grey, lossy)

	// Of a high dynamic range: black, 30 nits, the white of paper, 1000 nits, on a screen without.
	shown := Quarters(0, 100, 191, 255)
	of("cicp-pq", Quarters(0, 100, 148, 192), shown, edges, cicp(9, 16, 1))
	of("cicp-hlg", Quarters(0, 102, 191, 255), shown, edges, cicp(9, 18, 1))

	// Nothing but the last chunk is missing.
	whole, _ := pngOf(card, pngRGB, 8, false)
	add("no-end", whole[:len(whole)-12], card, exact)
	add("half-an-end", whole[:len(whole)-6], card, exact)
	of("exif-turned", stored(card, 6), card, exact, chunk("eXIf", exif(binary.BigEndian, 6, 0)...))
	of("exif-long", card, card, exact, chunk("eXIf", longOrientation()...))
	all = append(all, still("small-window.png", smallWindow(), "png", card, exact))
	of("long-text", card, card, exact, chunk("tEXt", append([]byte("Comment\x00"), bytes.Repeat([]byte("long "), 40_000)...)...))

	// An animation shows its first frame, which may be another picture than the one for readers that know no animations.
	control := func(n byte) []byte { return chunk("acTL", longs(uint32(n), 0)...) }
	frame := func(sequence uint32) []byte {
		return chunk("fcTL", append(longs(sequence, Width, Height, 0, 0), 0, 50, 1, 244, 0, 0)...)
	}
	later := func(sequence uint32) []byte { // the data of a frame that the default image is not
		data := pngFile{width: Width, height: Height, kind: pngRGB, depth: 8, sample: func(x, y int) []uint16 {
			c := card.NRGBAAt(x, y)
			return []uint16{255 - uint16(c.R), 255 - uint16(c.G), 255 - uint16(c.B)}
		}}.data()
		return chunk("fdAT", append(longs(sequence), data...)...)
	}
	data, _ = pngOf(card, pngRGB, 8, false, control(2), frame(0))
	end := len(data) - 12
	add("animated", slices.Concat(data[:end], frame(1), later(2), data[end:]), card, exact)
	data, _ = pngOf(card, pngRGB, 8, false, control(1))
	end = len(data) - 12
	add("animated-hidden", slices.Concat(data[:end], frame(0), later(1), data[end:]), card, exact)
	return all
}

// smallWindow is a PNG whose pixels were compressed with a larger window than it says: 256 bytes (RFC 1950, 2.2). Old encoders
// computed it wrongly, and browsers don't heed it.
func smallWindow() []byte {
	data, _ := pngOf(Card(Width, Height), pngRGB, 8, false)
	at := bytes.Index(data, []byte("IDAT"))
	size := int(binary.BigEndian.Uint32(data[at-4:]))
	data[at+4], data[at+5] = 0x08, 0x1d
	binary.BigEndian.PutUint32(data[at+4+size:], crc32.ChecksumIEEE(data[at:at+4+size]))
	return data
}

func longs(values ...uint32) []byte {
	var out []byte
	for _, v := range values {
		out = binary.BigEndian.AppendUint32(out, v)
	}
	return out
}

func deflated(data []byte) []byte {
	var out bytes.Buffer
	z, err := zlib.NewWriterLevel(&out, zlib.BestSpeed)
	if err != nil {
		panic(err) // of a level that there is: a mistake in this package
	}
	_, _ = z.Write(data) // into memory
	_ = z.Close()
	return out.Bytes()
}
