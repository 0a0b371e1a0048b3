package planar

import (
	"bytes"
	"encoding/binary"
	"math"
)

// sampling is how many samples each component has, in relation to the others.
type sampling [][2]int

var (
	grey = sampling{{1, 1}}
	full = sampling{{1, 1}, {1, 1}, {1, 1}}
	half = sampling{{2, 2}, {1, 1}, {1, 1}}
)

// samplings are those that cameras and programs write, and odd ones.
var samplings = map[string]sampling{
	"grey": grey, "grey 2×2": {{2, 2}}, "4:4:4": full, "4:2:0": half, "4:2:2": {{2, 1}, {1, 1}, {1, 1}}, "4:4:0": {{1, 2}, {1, 1}, {1, 1}},
	"4:1:1": {{4, 1}, {1, 1}, {1, 1}}, "4:1:0": {{4, 2}, {1, 1}, {1, 1}}, "4:4:4 as 1×3": {{1, 3}, {1, 3}, {1, 3}},
	"4:2:0 and 4:2:2": {{2, 2}, {1, 1}, {1, 2}}, "more chroma than luma": {{1, 1}, {2, 2}, {2, 2}},
}

func (s sampling) largest() (h, v int) {
	for _, f := range s {
		h, v = max(h, f[0]), max(v, f[1])
	}
	return h, v
}

// picture is the value of a component at a place in a picture of the given dimensions, from 0 to 1 each.
type picture func(width, height, component int, x, y float64) float64

// waves are so even that resampling changes nothing, level at the edges, and different in each of the eight ways to turn
// them. In a small picture they are lower.
func waves(width, height, component int, x, y float64) float64 {
	a, b := [3]float64{70, -45, 20}[component], [3]float64{30, 25, -60}[component]
	across, down := math.Cos(math.Pi*x)*min(1, float64(width-1)/32), math.Cos(math.Pi*y)*min(1, float64(height-1)/32)
	return 128 + a*across + b*down + 12*across*down
}

// baseline writes a JPEG of the given dimensions, with all but no loss: the quantization steps are 1.
func baseline(width, height int, s sampling, restarts int, value picture) []byte {
	file := []byte("\xff\xd8\xff\xdb\x00\x43\x00")
	file = append(file, bytes.Repeat([]byte{1}, 64)...)
	file = append(file, 0xff, 0xc0, 0, byte(8+3*len(s)), 8, byte(height>>8), byte(height), byte(width>>8), byte(width), byte(len(s)))
	scan := []byte{0xff, 0xda, 0, byte(6 + 2*len(s)), byte(len(s))}
	for i, f := range s {
		file = append(file, byte(i+1), byte(f[0]<<4|f[1]), 0)
		scan = append(scan, byte(i+1), 0)
	}
	file = append(file, "\xff\xc4\x00\x1f\x00"+lumaDC+"\xff\xc4\x00\xb5\x10"+lumaAC...)
	file = binary.BigEndian.AppendUint16(append(file, 0xff, 0xdd, 0, 4), uint16(restarts))
	file = append(append(file, scan...), 0, 63, 0)

	w := &bitWriter{out: file, dc: codesOf(lumaDC), ac: codesOf(lumaAC)}
	hMax, vMax := s.largest()
	blocks := s
	if len(s) == 1 { // a scan of one component has its blocks one by one
		blocks = grey
	}
	hBlocks, vBlocks := blocks.largest()
	across, down := (width+8*hBlocks-1)/(8*hBlocks), (height+8*vBlocks-1)/(8*vBlocks)
	var before [3]int
	for mcu := range across * down {
		if restarts > 0 && mcu > 0 && mcu%restarts == 0 {
			w.flush()
			w.out = append(w.out, 0xff, byte(0xd0+(mcu/restarts-1)%8))
			before = [3]int{}
		}
		for i, f := range blocks {
			samplesX, samplesY := float64(width*s[i][0])/float64(hMax), float64(height*s[i][1])/float64(vMax)
			for n := range f[0] * f[1] {
				left, top := 8*(mcu%across*f[0]+n%f[0]), 8*(mcu/across*f[1]+n/f[0])
				before[i] = w.block(before[i], func(x, y int) float64 {
					return value(width, height, i, (float64(left+x)+0.5)/samplesX, (float64(top+y)+0.5)/samplesY) - 128
				})
			}
		}
	}
	w.flush()
	return append(w.out, 0xff, 0xd9)
}

type bitWriter struct {
	out    []byte
	acc    uint64
	n      int
	dc, ac map[byte][2]int
}

func (w *bitWriter) bits(value, count int) {
	w.acc, w.n = w.acc<<count|uint64(value)&(1<<count-1), w.n+count
	for w.n >= 8 {
		w.n -= 8
		w.out = append(w.out, byte(w.acc>>w.n))
		if byte(w.acc>>w.n) == 0xff {
			w.out = append(w.out, 0)
		}
	}
}

func (w *bitWriter) flush() {
	if w.n > 0 {
		w.bits(0xff, 8-w.n)
	}
}

// coefficient writes a code and the bits behind it (T.81, F.1.2).
func (w *bitWriter) coefficient(codes map[byte][2]int, run, value int) {
	size, rest := 0, value
	for v := max(value, -value); v > 0; v >>= 1 {
		size++
	}
	if value < 0 {
		rest += 1<<size - 1
	}
	code := codes[byte(run<<4|size)]
	w.bits(code[0], code[1])
	w.bits(rest, size)
}

// block writes 8 × 8 samples and returns their DC coefficient.
func (w *bitWriter) block(before int, sample func(x, y int) float64) int {
	var f [64]float64
	for i := range f {
		f[i] = sample(i%8, i/8)
	}
	dct := func(u, v int) int {
		sum := 0.0
		for i, value := range f {
			sum += value * cosines[u][i%8] * cosines[v][i/8]
		}
		return int(math.Round(sum))
	}
	dc := dct(0, 0)
	w.coefficient(w.dc, 0, dc-before)
	run := 0
	for _, at := range zigzag[1:] {
		value := dct(at%8, at/8)
		if value == 0 {
			run++
			continue
		}
		for ; run > 15; run -= 16 {
			w.bits(w.ac[0xf0][0], w.ac[0xf0][1])
		}
		w.coefficient(w.ac, run, value)
		run = 0
	}
	if run > 0 {
		w.bits(w.ac[0][0], w.ac[0][1])
	}
	return dc
}

// cosines are those of the DCT (T.81, A.3.3).
var cosines = func() (out [8][8]float64) {
	for u := range out {
		scale := 0.5
		if u == 0 {
			scale = math.Sqrt(1. / 8)
		}
		for x := range out[u] {
			out[u][x] = scale * math.Cos(float64((2*x+1)*u)*math.Pi/16)
		}
	}
	return out
}()

// zigzag is the order of the coefficients (T.81, figure A.6).
var zigzag = func() (out []int) {
	for diagonal := range 15 {
		for i := range 8 {
			x, y := i, diagonal-i
			if diagonal%2 == 1 {
				x, y = y, x
			}
			if x >= 0 && x < 8 && y >= 0 && y < 8 {
				out = append(out, 8*y+x)
			}
		}
	}
	return out
}()

// codesOf makes codes of a table's 16 counts and its symbols (T.81, annex C).
func codesOf(table string) map[byte][2]int {
	codes, code, symbol := map[byte][2]int{}, 0, 16
	for length := 1; length <= 16; length++ {
		for range table[length-1] {
			codes[table[symbol]] = [2]int{code, length}
			code, symbol = code+1, symbol+1
		}
		code <<= 1
	}
	return codes
}

// The tables of T.81, annex K.3, for luma.
const (
	lumaDC = "\x00\x01\x05\x01\x01\x01\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b"
	lumaAC = "\x00\x02\x01\x03\x03\x02\x04\x03\x05\x05\x04\x04\x00\x00\x01\x7d" +
		"\x01\x02\x03\x00\x04\x11\x05\x12\x21\x31\x41\x06\x13\x51\x61\x07\x22\x71\x14\x32\x81\x91\xa1\x08\x23\x42\xb1" +
		"\xc1\x15\x52\xd1\xf0\x24\x33\x62\x72\x82\x09\x0a\x16\x17\x18\x19\x1a\x25\x26\x27\x28\x29\x2a\x34\x35\x36\x37" +
		"\x38\x39\x3a\x43\x44\x45\x46\x47\x48\x49\x4a\x53\x54\x55\x56\x57\x58\x59\x5a\x63\x64\x65\x66\x67\x68\x69\x6a" +
		"\x73\x74\x75\x76\x77\x78\x79\x7a\x83\x84\x85\x86\x87\x88\x89\x8a\x92\x93\x94\x95\x96\x97\x98\x99\x9a\xa2\xa3" +
		"\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xc2\xc3\xc4\xc5\xc6\xc7\xc8\xc9\xca\xd2\xd3" +
		"\xd4\xd5\xd6\xd7\xd8\xd9\xda\xe1\xe2\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa"
)
