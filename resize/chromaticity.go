package resize

import (
	"encoding/binary"
	"math"
)

// Some files tell their colors without an ICC profile: PNG by gAMA and cHRM, AVIF and HEIC by the code points of CICP.
// They get the profile that says the same.

// chromaticities are x and y (CIE 1931) of white, red, green and blue.
type chromaticities [4][2]float64

// White is D65 in all of them (ITU-T H.273, table 2).
var (
	bt709     = chromaticities{{0.3127, 0.3290}, {0.640, 0.330}, {0.300, 0.600}, {0.150, 0.060}} // sRGB's
	displayP3 = chromaticities{{0.3127, 0.3290}, {0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}}
	bt2020    = chromaticities{{0.3127, 0.3290}, {0.708, 0.292}, {0.170, 0.797}, {0.131, 0.046}}
)

// near tells whether two are the same but for rounding.
func (c chromaticities) near(d chromaticities) bool {
	for i := range c {
		if math.Abs(c[i][0]-d[i][0]) > 0.002 || math.Abs(c[i][1]-d[i][1]) > 0.002 {
			return false
		}
	}
	return true
}

// pngProfile returns the profile that the chunks before the pixels stand for, or nil where they have one themselves or
// tell nothing but sRGB. As in browsers, cHRM counts only beside gAMA (PNG, third edition, 4.3 and 11.3.2).
func pngProfile(head []byte) []byte {
	gamma, colors, grey := 0.0, bt709, len(head) > 25 && head[25]&2 == 0 // color types 0 and 4
	for head = head[min(8, len(head)):]; len(head) >= 8; {
		size := int64(binary.BigEndian.Uint32(head))
		name, data := string(head[4:8]), head[8:]
		if int64(len(data)) < size+4 || name == "IDAT" {
			break
		}
		data, head = data[:size], data[size+4:]
		number := func(i int) float64 { return float64(binary.BigEndian.Uint32(data[4*i:])) / 100_000 }
		switch {
		case name == "iCCP" || name == "sRGB" || name == "cICP":
			return nil
		case name == "gAMA" && size == 4:
			gamma = number(0)
		case name == "cHRM" && size == 32:
			for i := range colors {
				colors[i] = [2]float64{number(2 * i), number(2*i + 1)}
			}
		}
	}
	if gamma == 0 || math.Abs(gamma*2.2-1) < 0.01 && (grey || colors.near(bt709)) {
		return nil
	}
	return iccProfile(colors, grey, parametric(0, 1/gamma))
}

// avifProfile returns the profile that the file's CICP code points stand for, or nil where they are sRGB's. libvips heeds
// ICC profiles alone.
func avifProfile(file []byte) []byte {
	properties := box(box(box(file, "meta", 4), "iprp", 0), "ipco", 0)
	nclx := box(properties, "colr", 0)
	if len(nclx) < 8 || string(nclx[:4]) != "nclx" {
		return nil
	}
	colors := map[uint16]chromaticities{9: bt2020, 12: displayP3}[binary.BigEndian.Uint16(nclx[4:])]
	return cicpProfile(colors, transfer(binary.BigEndian.Uint16(nclx[6:])))
}

// cicpProfile returns the profile of primaries and a curve, or nil where they are sRGB's. Primaries that are not known, or
// span nothing, are taken for sRGB's.
func cicpProfile(colors chromaticities, curve transfer) []byte {
	if iccProfile(colors, false, nil) == nil {
		colors = bt709
	}
	switch curve {
	case gamma22, gamma28, linear, pq:
		return iccProfile(colors, false, sampled(curve.light))
	default:
		if colors.near(bt709) {
			return nil
		}
		return iccProfile(colors, false, parametric(3, 2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045)) // sRGB's
	}
}

// nclxProfile is that of a HEIC.
func nclxProfile(white, red, green, blue [2]float64, curve uint8) []byte {
	return cicpProfile(chromaticities{white, red, green, blue}, transfer(curve))
}

// transfer is a curve from a coded value to light, by its number in ITU-T H.273, table 3.
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
		return coded
	}
}

// box returns what is in the first box of a name, but for the first skip bytes, or nil.
func box(file []byte, name string, skip int) []byte {
	for content := range boxes(file, name, skip) {
		return content
	}
	return nil
}

// parametric is a curve of one of ICC's own types, by its parameters (ICC.1:2010, 10.16).
func parametric(curve byte, parameters ...float64) []byte {
	return append([]byte{'p', 'a', 'r', 'a', 0, 0, 0, 0, 0, curve, 0, 0}, fixed16(parameters...)...)
}

// sampled is a curve by its values at equal distances (ICC.1:2010, 10.5).
func sampled(curve func(float64) float64) []byte {
	const points = 4096
	out := binary.BigEndian.AppendUint32([]byte("curv\x00\x00\x00\x00"), points)
	for i := range points {
		out = binary.BigEndian.AppendUint16(out, uint16(math.Round(65535*curve(float64(i)/(points-1)))))
	}
	return out
}

// iccProfile makes an ICC profile (ICC.1:2010) of primaries and one curve for all. It returns nil if the primaries span
// nothing.
func iccProfile(c chromaticities, grey bool, curve []byte) []byte {
	columns := matrix{}
	for i, xy := range c[1:] {
		for row, v := range xyz(xy) {
			columns[row][i] = v
		}
	}
	weights := columns.inverse().apply(xyz(c[0])) // white is where all three are 1
	for _, weight := range weights {
		if !(weight > 0) { // nor is it a number
			return nil
		}
	}
	toXYZ := columns.times(diagonal(weights))
	// Profiles count from D50. Bradford's matrix is that of ICC.1:2010, annex E.
	bradford := matrix{{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}
	d50 := [3]float64{0.9642, 1, 0.8249}
	from, to := bradford.apply(xyz(c[0])), bradford.apply(d50)
	adapted := bradford.inverse().times(diagonal([3]float64{to[0] / from[0], to[1] / from[1], to[2] / from[2]})).times(bradford).times(toXYZ)
	for _, row := range adapted {
		for _, v := range row {
			if !(math.Abs(v) <= 10) { // nor if it is no number
				return nil
			}
		}
	}

	point := func(v ...float64) []byte { return append([]byte("XYZ \x00\x00\x00\x00"), fixed16(v...)...) }
	type tag struct {
		name string
		data []byte
	}
	space, tags := "GRAY", []tag{{"wtpt", point(d50[:]...)}, {"kTRC", curve}}
	if !grey {
		space, tags = "RGB ", []tag{{"wtpt", point(d50[:]...)}, {"rTRC", curve}, {"gTRC", curve}, {"bTRC", curve}}
		for i, name := range []string{"rXYZ", "gXYZ", "bXYZ"} {
			tags = append(tags, tag{name, point(adapted[0][i], adapted[1][i], adapted[2][i])})
		}
	}
	profile := make([]byte, 128)
	copy(profile[8:], "\x04\x30\x00\x00mntr"+space+"XYZ ")
	copy(profile[36:], "acsp")
	copy(profile[68:], fixed16(d50[:]...))
	profile = binary.BigEndian.AppendUint32(profile, uint32(len(tags)))
	at := len(profile) + 12*len(tags)
	for _, t := range tags {
		profile = binary.BigEndian.AppendUint32(append(profile, t.name...), uint32(at))
		profile = binary.BigEndian.AppendUint32(profile, uint32(len(t.data)))
		at += len(t.data)
	}
	for _, t := range tags {
		profile = append(profile, t.data...)
	}
	binary.BigEndian.PutUint32(profile, uint32(len(profile)))
	return profile
}

// fixed16 encodes numbers as s15Fixed16 (ICC.1:2010, 4.6).
func fixed16(values ...float64) []byte {
	var out []byte
	for _, v := range values {
		out = binary.BigEndian.AppendUint32(out, uint32(int32(math.Round(v*65536))))
	}
	return out
}

// xyz is a color of brightness 1.
func xyz(xy [2]float64) [3]float64 { return [3]float64{xy[0] / xy[1], 1, (1 - xy[0] - xy[1]) / xy[1]} }

type matrix [3][3]float64

func diagonal(v [3]float64) matrix { return matrix{{v[0], 0, 0}, {0, v[1], 0}, {0, 0, v[2]}} }

func (m matrix) apply(v [3]float64) (out [3]float64) {
	for i, row := range m {
		out[i] = row[0]*v[0] + row[1]*v[1] + row[2]*v[2]
	}
	return out
}

func (m matrix) times(n matrix) (out matrix) {
	for i := range 3 {
		for j := range 3 {
			out[i][j] = m[i][0]*n[0][j] + m[i][1]*n[1][j] + m[i][2]*n[2][j]
		}
	}
	return out
}

// inverse is by cofactors; of a matrix that has none, all is infinite or no number.
func (m matrix) inverse() (out matrix) {
	for i := range 3 {
		for j := range 3 {
			a, b, c, d := (j+1)%3, (j+2)%3, (i+1)%3, (i+2)%3
			out[i][j] = m[a][c]*m[b][d] - m[a][d]*m[b][c]
		}
	}
	determinant := m[0][0]*out[0][0] + m[0][1]*out[1][0] + m[0][2]*out[2][0]
	for i := range 3 {
		for j := range 3 {
			out[i][j] /= determinant
		}
	}
	return out
}
