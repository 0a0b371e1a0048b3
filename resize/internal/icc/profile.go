package icc

import (
	"encoding/binary"
	"math"
)

// Parametric encodes a curve as one of ICC's function types with its parameters (ICC.1:2010, 10.16).
func Parametric(curve byte, parameters ...float64) []byte {
	return append([]byte{'p', 'a', 'r', 'a', 0, 0, 0, 0, 0, curve, 0, 0}, fixed16(parameters...)...)
}

// sampled encodes a curve by its values at equal distances (ICC.1:2010, 10.5).
func sampled(curve func(float64) float64) []byte {
	const points = 4096
	out := binary.BigEndian.AppendUint32([]byte("curv\x00\x00\x00\x00"), points)
	for i := range points {
		out = binary.BigEndian.AppendUint16(out, uint16(math.Round(65535*curve(float64(i)/(points-1)))))
	}
	return out
}

// Profile makes an ICC profile (ICC.1:2010) from primaries and one curve for all channels, or for the one of a grey picture.
// It returns nil if the primaries span no colors.
func Profile(c Chromaticities, grey bool, curve []byte) []byte {
	columns := matrix{}
	for i, xy := range c[1:] {
		for row, v := range xyz(xy) {
			columns[row][i] = v
		}
	}
	weights := columns.inverse().apply(xyz(c[0])) // so much of each primary makes white
	for _, weight := range weights {
		if !(weight > 0) { // or not a number
			return nil
		}
	}
	toXYZ := columns.times(diagonal(weights))
	// The white of profiles is D50. Bradford's matrix is that of ICC.1:2010, annex E.
	bradford := matrix{{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}
	d50 := [3]float64{0.9642, 1, 0.8249}
	from, to := bradford.apply(xyz(c[0])), bradford.apply(d50)
	adapted := bradford.inverse().times(diagonal([3]float64{to[0] / from[0], to[1] / from[1], to[2] / from[2]})).times(bradford).times(toXYZ)
	for _, row := range adapted {
		for _, v := range row {
			if !(math.Abs(v) <= 10) { // or not a number
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
