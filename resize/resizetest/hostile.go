package resizetest

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
)

// Hostile is a kind of small file that is made to take long, or much memory, in one of the containers that can carry it.
type Hostile struct {
	Name  string
	File  func(size int) []byte
	Sizes []int // for File, growing
	// From this size on, the header or the structure says that it is too much; 0 if they never do.
	From int
}

// Hostiles returns all kinds. At their largest sizes, the files are those that once took tens of seconds, or gigabytes.
func Hostiles() []Hostile {
	var all []Hostile
	add := func(name string, from int, file func(int) []byte, sizes ...int) {
		all = append(all, Hostile{name, file, sizes, from})
	}
	card := Card(Width, Height)
	for container, with := range map[string]func(profile []byte) []byte{
		"png": func(profile []byte) []byte {
			data, _ := pngOf(card, pngRGB, 8, false, chunk("iCCP", append([]byte("profile\x00\x00"), deflated(profile)...)...))
			return data
		},
		"jpeg": func(profile []byte) []byte { return with(encodeJPEG(card), iccSegments(profile)...) },
		"webp": func(profile []byte) []byte {
			return extendedWebP(0x20, Width, Height, riff("ICCP", profile), file("lossless.webp")[12:])
		},
		"avif": func(profile []byte) []byte {
			picture := codedAVIF("444.avif")
			picture.profile = profile
			return encodeAVIF(picture)
		},
		"tiff": func(profile []byte) []byte {
			f := tiffOf(card)
			f.also = []entry{{34675, kindUndefined, profile}}
			return encodeTIFF(f)
		},
	} {
		add(container+" with a profile of elements", 0, func(n int) []byte { return with(ManyElements(n)) }, 1000, 10_000, 100_000)
	}
	add("jpeg of scans", 0, func(n int) []byte { return ManyScans(12_000, n) }, 20, 100, 800)
	add("jpeg of scans, arithmetic", 0, func(n int) []byte { return ManyArithmeticScans(12_000, n) }, 20, 100, 800)
	add("tiff of a jpeg of scans, arithmetic", 0, func(n int) []byte { return tiffOfJPEG(12_000, ManyArithmeticScans(12_000, n)) }, 20, 100, 800)
	add("tiff of a jpeg of scans", 0, func(n int) []byte { return tiffOfJPEG(12_000, ManyScans(12_000, n)) }, 20, 100, 800)
	add("tiff of jpeg tiles", 12_000, func(side int) []byte { return tiffOfTiles(side, 16, tiffJPEG, encodeJPEG(Grey(16, 16))) }, 640, 5040, 12_000)
	add("tiff of jpeg tiles of scans", 0, func(side int) []byte { return tiffOfTiles(side, 64, tiffJPEG, ManyScans(64, 99)) }, 640, 3200, 12_160)
	add("tiff of tiles", 12_240, func(side int) []byte { return tiffOfTiles(side, 16, 1, make([]byte, 16*16)) }, 640, 5040, 12_240)
	add("tiff of planes", 0, func(side int) []byte { return flatTIFF(side, side, 3) }, 1000, 4000, 12_240)
	add("avif of items of the same bytes", 10, manyExtents, 10, 100, 1000)
	add("avif of the same tile", 5, gridAVIF, 1, 2, 3, 4, 5)
	add("avif", 12_000, func(int) []byte { return file("flat-12000.avif") }, 12_000)
	const most, long = 150_000_000, 65_535 // pixels, and of a side
	for _, kind := range []struct {
		name        string
		kind, depth int
	}{{"1-bit", pngGrey, 1}, {"grey", pngGrey, 8}, {"rgba-16", pngRGBA, 16}} {
		add("wide png, "+kind.name, 0, func(width int) []byte { return flatPNG(width, most/long, kind.kind, kind.depth) }, 1000, 10_000, long)
		add("low png, "+kind.name, long+1, func(width int) []byte { return flatPNG(width, 3, kind.kind, kind.depth) }, long, 10_000_000)
		add("narrow png, "+kind.name, long+1, func(height int) []byte { return flatPNG(1, height, kind.kind, kind.depth) }, long, 10_000_000)
	}
	add("low tiff", long+1, func(width int) []byte { return flatTIFF(width, 3, 1) }, long, 10_000_000)
	add("narrow tiff", long+1, func(height int) []byte { return flatTIFF(1, height, 1) }, long, 10_000_000)
	add("gif of 500 frames", 500, func(side int) []byte { return tinyGIF(side, 500) }, 100, 300, 547)
	add("gif of noise and 499 pixels", 0, func(side int) []byte { return noisyGIF(side, 500) }, 100, 200, 440)
	add("gif of 500 frames of new colors", 0, func(side int) []byte { return flickeringGIF(side, 500) }, 50, 100, 150, 200, 440)
	add("webp of 500 frames", 500, func(side int) []byte { return tinyWebP(side, 500) }, 100, 300, 547)
	slices.SortFunc(all, func(a, b Hostile) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// ManyScans is a progressive JPEG of grey that has so many scans: one for the first coefficients of all blocks, and those for the
// bits of the other 63. All but the first are of a few bytes: they say that the next blocks are at their end, as many as a code can.
func ManyScans(side, scans int) []byte {
	tables := segment(0xc4, "\x00\x01"+string(make([]byte, 15))+"\x00") // no difference is one bit
	runs := "\x10\x00\x00\x00\x0f" + string(make([]byte, 12))           // each power of two of blocks is four
	for n := range 15 {
		runs += string([]byte{byte(n << 4)})
	}
	blocks := (side + 7) / 8 * ((side + 7) / 8)
	var ends bitWriter
	for left := blocks; left > 0; {
		power := min(bits.Len(uint(left))-1, 14)
		run := min(left, 2<<power-1)
		ends.add(power, 4)
		ends.add(run-1<<power, power)
		left -= run
	}
	return progressive(0xc2, side, scans, append(tables, segment(0xc4, runs)...), make([]byte, (blocks+7)/8), ends.padded())
}

// ManyArithmeticScans is the same in arithmetic coding, in which a scan without data is one of blocks that are at their end.
func ManyArithmeticScans(side, scans int) []byte {
	return progressive(0xca, side, scans, nil, nil, nil)
}

func progressive(frame byte, side, scans int, tables, first, other []byte) []byte {
	size := string(binary.BigEndian.AppendUint16(nil, uint16(side)))
	file := slices.Concat([]byte("\xff\xd8"), segment(0xdb, string(append([]byte{0}, bytes.Repeat([]byte{1}, 64)...))), segment(frame, "\x08"+size+size+"\x01\x01\x11\x00"), tables)
	scan := func(coefficient, high, low int, data []byte) {
		file = append(file, segment(0xda, string([]byte{1, 1, 0, byte(coefficient), byte(coefficient), byte(high<<4 | low)}))...)
		file = append(file, data...)
	}
	scan(0, 0, 0, first)
	for coefficient := 1; coefficient < min(64, scans); coefficient++ {
		const most = 13 // the lowest bit that there can be
		depth := (scans - 1) / 63
		if coefficient <= (scans-1)%63 {
			depth++
		}
		scan(coefficient, 0, min(depth-1, most), other)
		for low := depth - 2; low >= 0; low-- {
			scan(coefficient, min(low+1, most), min(low, most-1), other)
		}
	}
	return append(file, 0xff, 0xd9)
}

// bitWriter writes the coded data of a JPEG, the highest bit first.
type bitWriter struct {
	out       []byte
	acc, have int
}

func (w *bitWriter) add(value, width int) {
	w.acc, w.have = w.acc<<width|value, w.have+width
	for ; w.have >= 8; w.have -= 8 {
		if w.out = append(w.out, byte(w.acc>>(w.have-8))); w.out[len(w.out)-1] == 0xff {
			w.out = append(w.out, 0)
		}
	}
	w.acc &= 1<<w.have - 1
}

// padded returns what was written, up to a whole byte.
func (w bitWriter) padded() []byte {
	w.out = slices.Clone(w.out)
	if w.have > 0 {
		w.add(1<<(8-w.have)-1, 8-w.have)
	}
	return w.out
}

// ManyElements is SwappedProfile with a multi-process element tag (ICC.1:2010, 10.14) of so many elements, all of which are the one
// matrix that changes nothing.
func ManyElements(n int) []byte {
	matrix := []byte("matf\x00\x00\x00\x00\x00\x03\x00\x03")
	for i := range 12 {
		matrix = binary.BigEndian.AppendUint32(matrix, map[bool]uint32{true: 0x3f800000}[i < 9 && i%4 == 0])
	}
	elements := binary.BigEndian.AppendUint32([]byte("mpet\x00\x00\x00\x00\x00\x03\x00\x03"), uint32(n))
	for range n {
		elements = binary.BigEndian.AppendUint32(elements, uint32(16+8*n))
		elements = binary.BigEndian.AppendUint32(elements, uint32(len(matrix)))
	}
	return rgbProfile(blueXYZ, greenXYZ, redXYZ, srgbCurve, 0, tag{"D2B0", append(elements, matrix...)})
}
