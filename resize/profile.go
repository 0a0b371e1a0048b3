//go:build heic

package resize

import (
	"encoding/binary"
	"math"
)

// rgbSpace is an RGB color space as video names them: primaries, white, and the curve from a coded value to light.
type rgbSpace struct {
	red, green, blue, white chromaticity
	transfer                transfer
}

// chromaticity is a color without its brightness, in CIE 1931 x and y.
type chromaticity struct{ x, y float64 }

// transfer is a curve, by its number in ITU-T H.273, table 3.
type transfer int

const (
	gamma22 transfer = 4
	gamma28 transfer = 5
	linear  transfer = 8
	pq      transfer = 16 // SMPTE ST 2084, of BT.2100
)

// light is how much light, of the most that the picture has, a coded value stands for; both are of 0–1.
//
// All other curves are taken for sRGB's. That is what those of BT.709, BT.601 and BT.2020 are displayed with, near
// enough, by browsers too; an unspecified one is most likely that; and HLG (18) is made to be.
//
// PQ says how bright the display is to be, in nits. It is brought down to what sRGB can show by Reinhard's curve
// (Photographic Tone Reproduction, SIGGRAPH 2002, equation 4), from 1000 nits on white, channel by channel. The white of
// paper (203 nits, ITU-R BT.2408) comes out at 0.75 of the coded range, which is also where HLG has it.
func (t transfer) light(coded float64) float64 {
	switch t {
	case linear:
		return coded
	case gamma22:
		return math.Pow(coded, 2.2)
	case gamma28:
		return math.Pow(coded, 2.8)
	case pq:
		const m1, m2, c1, c2, c3 = 2610. / 16384, 2523. / 32, 3424. / 4096, 2413. / 128, 2392. / 128
		root := math.Pow(coded, 1/m2)
		nits := 10000 * math.Pow(max(0, root-c1)/(c2-c3*root), 1/m1)
		const paper, peak = 203., 1000.
		bright, most := nits/paper, peak/paper
		return min(1, bright*(1+bright/(most*most))/(1+bright))
	default:
		if coded <= 0.04045 {
			return coded / 12.92
		}
		return math.Pow((coded+0.055)/1.055, 2.4)
	}
}

// isSRGB tells whether the space is sRGB, or does not say what it is.
func (s rgbSpace) isSRGB() bool {
	switch s.transfer {
	case linear, gamma22, gamma28, pq:
		return false
	}
	near := func(a, b chromaticity) bool { return math.Hypot(a.x-b.x, a.y-b.y) < 0.005 }
	srgb := near(s.red, chromaticity{0.64, 0.33}) && near(s.green, chromaticity{0.30, 0.60}) && near(s.blue, chromaticity{0.15, 0.06})
	return srgb || !s.possible()
}

// possible tells whether the primaries span a triangle around the white; unspecified ones are zeros.
func (s rgbSpace) possible() bool {
	for _, c := range []chromaticity{s.red, s.green, s.blue, s.white} {
		if c.y <= 0 {
			return false
		}
	}
	weights := columns(s.red.xyz(), s.green.xyz(), s.blue.xyz()).inverse().times(s.white.xyz())
	return weights[0] > 0 && weights[1] > 0 && weights[2] > 0 // false for NaN too
}

// icc returns the space as an ICC profile: three columns and a curve, as ICC.1:2010 lays them out.
func (s rgbSpace) icc() []byte {
	if !s.possible() {
		s.red, s.green, s.blue, s.white = chromaticity{0.64, 0.33}, chromaticity{0.30, 0.60}, chromaticity{0.15, 0.06}, chromaticity{0.3127, 0.3290}
	}
	adapt := adaptation(s.white.xyz(), d50)
	primaries := columns(s.red.xyz(), s.green.xyz(), s.blue.xyz())
	weights := primaries.inverse().times(s.white.xyz())

	be := binary.BigEndian
	fixed := func(values ...float64) (out []byte) {
		for _, v := range values {
			out = be.AppendUint32(out, uint32(int32(math.Round(v*65536))))
		}
		return out
	}
	xyz := func(v vector) []byte { return append([]byte("XYZ \x00\x00\x00\x00"), fixed(v[:]...)...) }
	const points = 4096
	curve := be.AppendUint32([]byte("curv\x00\x00\x00\x00"), points)
	for i := range points {
		curve = be.AppendUint16(curve, uint16(math.Round(65535*s.transfer.light(float64(i)/(points-1)))))
	}
	text := append([]byte("mluc\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x0cenUS\x00\x00\x00\x08\x00\x00\x00\x1c"), "\x00n\x00c\x00l\x00x"...)
	chad := []byte("sf32\x00\x00\x00\x00")
	for _, row := range adapt {
		chad = append(chad, fixed(row[:]...)...)
	}

	type tag struct {
		names []string // those with the same data share it
		data  []byte
	}
	tags := []tag{{[]string{"desc", "cprt"}, text}, {[]string{"wtpt"}, xyz(d50)}, {[]string{"chad"}, chad}, {[]string{"rTRC", "gTRC", "bTRC"}, curve}}
	for i, name := range []string{"rXYZ", "gXYZ", "bXYZ"} {
		var one vector
		one[i] = weights[i]
		tags = append(tags, tag{[]string{name}, xyz(adapt.times(primaries.times(one)))})
	}
	const count = 10
	header := make([]byte, 128, 128+4+12*count)
	be.PutUint32(header[8:], 0x04200000) // version 4.2
	copy(header[12:], "mntrRGB XYZ ")
	copy(header[36:], "acsp")
	copy(header[68:], fixed(d50[:]...))
	out, data := be.AppendUint32(header, count), []byte(nil)
	for _, t := range tags {
		at := uint32(128 + 4 + 12*count + len(data))
		for _, name := range t.names {
			out = be.AppendUint32(be.AppendUint32(append(out, name...), at), uint32(len(t.data)))
		}
		data = append(data, t.data...)
		data = append(data, make([]byte, -len(data)&3)...)
	}
	out = append(out, data...)
	be.PutUint32(out, uint32(len(out)))
	return out
}

// d50 is the white of ICC's connection space, as it is rounded there.
var d50 = vector{0.9642, 1, 0.8249}

// adaptation leads from colors seen under one white to the same under another, by Bradford's method (ICC.1:2010, annex E).
func adaptation(from, to vector) matrix {
	bradford := matrix{{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}
	a, b := bradford.times(from), bradford.times(to)
	scaled := bradford
	for i := range scaled {
		for j := range scaled[i] {
			scaled[i][j] *= b[i] / a[i]
		}
	}
	inverse := bradford.inverse()
	return columns(inverse.times(scaled.column(0)), inverse.times(scaled.column(1)), inverse.times(scaled.column(2)))
}

type (
	vector [3]float64
	matrix [3]vector // rows
)

// xyz is the color at a luminance of 1.
func (c chromaticity) xyz() vector { return vector{c.x / c.y, 1, (1 - c.x - c.y) / c.y} }

func columns(a, b, c vector) matrix {
	return matrix{{a[0], b[0], c[0]}, {a[1], b[1], c[1]}, {a[2], b[2], c[2]}}
}

func (m matrix) column(i int) vector { return vector{m[0][i], m[1][i], m[2][i]} }

func (m matrix) times(v vector) (out vector) {
	for i, row := range m {
		out[i] = row[0]*v[0] + row[1]*v[1] + row[2]*v[2]
	}
	return out
}

func (m matrix) inverse() (out matrix) {
	cofactor := func(i, j int) float64 {
		a, b, c, d := (i+1)%3, (i+2)%3, (j+1)%3, (j+2)%3
		return m[a][c]*m[b][d] - m[a][d]*m[b][c]
	}
	determinant := m[0][0]*cofactor(0, 0) + m[0][1]*cofactor(0, 1) + m[0][2]*cofactor(0, 2)
	for i := range 3 {
		for j := range 3 {
			out[j][i] = cofactor(i, j) / determinant
		}
	}
	return out
}
