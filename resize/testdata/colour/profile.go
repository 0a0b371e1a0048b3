//go:build ignore

package main

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os/exec"
	"strconv"
	"strings"
)

// transicc converts colours with Little CMS, in floating point, unbounded, with no precalculated
// tables and no -b (black point compensation). RGB is 0 to 255, ink 0 to 100.
func transicc(from, to string, intent int, colours [][]float64) ([][]float64, error) {
	var input strings.Builder
	for _, c := range colours {
		for _, v := range c {
			fmt.Fprintf(&input, "%.10g\n", v)
		}
	}
	input.WriteString("q\n")
	command := exec.Command("transicc", "-n", "-c0", "-t"+strconv.Itoa(intent), "-i"+from, "-o"+to)
	command.Stdin = strings.NewReader(input.String())
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%v: %w", command.Args, err)
	}
	var result [][]float64
	for line := range strings.Lines(string(output)) {
		var row []float64
		for field := range strings.FieldsSeq(line) {
			v, err := strconv.ParseFloat(field, 64)
			if err != nil {
				return nil, fmt.Errorf("%v printed %q", command.Args, line)
			}
			row = append(row, v)
		}
		if len(row) > 0 {
			result = append(result, row)
		}
	}
	if len(result) != len(colours) {
		return nil, fmt.Errorf("%v printed %d colours for %d", command.Args, len(result), len(colours))
	}
	return result, nil
}

// Containers.

// withICC inserts an iCCP chunk behind the header of a PNG.
func withICC(encoded, icc []byte) []byte {
	const headerEnd = 8 + 8 + 13 + 4
	var chunk bytes.Buffer
	chunk.WriteString("iCCP" + "Display P3\x00\x00")
	w := zlib.NewWriter(&chunk)
	w.Write(icc)
	w.Close()
	out := append([]byte{}, encoded[:headerEnd]...)
	out = binary.BigEndian.AppendUint32(out, uint32(chunk.Len()-4))
	out = append(out, chunk.Bytes()...)
	out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(chunk.Bytes()))
	return append(out, encoded[headerEnd:]...)
}

// tiffCMYK is an uncompressed TIFF in one strip.
func tiffCMYK(pixels, icc []byte) []byte {
	const short, long, undefined = 3, 4, 7
	order := binary.LittleEndian
	out := order.AppendUint32([]byte("II*\x00"), 0)
	place := func(b []byte) uint32 {
		at := uint32(len(out))
		out = append(out, b...)
		return at
	}
	pixelsAt, iccAt := place(pixels), place(append(icc, make([]byte, len(icc)%2)...))
	depthAt := place([]byte{8, 0, 8, 0, 8, 0, 8, 0})
	order.PutUint32(out[4:], uint32(len(out)))
	entries := [][4]uint32{ // tag, type, count, value
		{256, short, 1, side}, {257, short, 1, side}, {258, short, 4, depthAt}, {259, short, 1, 1},
		{262, short, 1, 5 /* separated */}, {273, long, 1, pixelsAt}, {277, short, 1, 4}, {278, short, 1, side},
		{279, long, 1, uint32(len(pixels))}, {284, short, 1, 1}, {332, short, 1, 1 /* CMYK */},
		{34675, undefined, uint32(len(icc)), iccAt},
	}
	out = order.AppendUint16(out, uint16(len(entries)))
	for _, e := range entries {
		out = order.AppendUint16(order.AppendUint16(out, uint16(e[0])), uint16(e[1]))
		out = order.AppendUint32(order.AppendUint32(out, e[2]), e[3])
	}
	return order.AppendUint32(out, 0)
}

// Profiles. Layout and encodings: ICC.1:2001-04 for version 2, ICC.1:2010 for version 4.

type tag struct {
	signature string
	data      []byte
}

func iccProfile(version uint32, class, space, pcs string, tags []tag) []byte {
	header := make([]byte, 128)
	be := binary.BigEndian
	be.PutUint32(header[8:], version)
	copy(header[12:], class+space+pcs)
	for i, v := range []uint16{2026, 1, 1} {
		be.PutUint16(header[24+2*i:], v)
	}
	copy(header[36:], "acsp")
	copy(header[68:], xyz(d50)[8:])
	out := be.AppendUint32(header, uint32(len(tags)))
	at := len(out) + 12*len(tags)
	var data []byte
	for _, t := range tags {
		out = append(out, t.signature...)
		out = be.AppendUint32(be.AppendUint32(out, uint32(at+len(data))), uint32(len(t.data)))
		data = append(data, t.data...)
		data = append(data, make([]byte, -len(data)&3)...)
	}
	out = append(out, data...)
	be.PutUint32(out, uint32(len(out)))
	return out
}

type vector [3]float64

// d50 is the profile connection space's white, as ICC profiles round it.
var d50 = vector{0.9642, 1, 0.8249}

func s15(v float64) []byte {
	return binary.BigEndian.AppendUint32(nil, uint32(int32(math.Round(v*65536))))
}

func xyz(v vector) []byte {
	return append(append(append([]byte("XYZ \x00\x00\x00\x00"), s15(v[0])...), s15(v[1])...), s15(v[2])...)
}

// text is a multiLocalizedUnicodeType with one record, for version 4.
func text(s string) []byte {
	out := []byte("mluc\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x0cenUS")
	out = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(out, uint32(2*len(s))), 28)
	for _, c := range s {
		out = binary.BigEndian.AppendUint16(out, uint16(c))
	}
	return out
}

// displayP3 is the RGB space of phones: DCI-P3 primaries (SMPTE RP 431-2), D65, sRGB's curve.
func displayP3() []byte {
	xyY := func(x, y float64) vector { return vector{x / y, 1, (1 - x - y) / y} }
	white := xyY(0.3127, 0.3290)
	primaries := [3]vector{xyY(0.680, 0.320), xyY(0.265, 0.690), xyY(0.150, 0.060)}
	columns := func(v [3]vector) (m [3]vector) {
		for i := range 3 {
			for j := range 3 {
				m[i][j] = v[j][i]
			}
		}
		return m
	}
	scale := apply(invert(columns(primaries)), white)
	bradford := [3]vector{{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}
	from, to := apply(bradford, white), apply(bradford, d50)
	adapt := func(v vector) vector {
		cone := apply(bradford, v)
		for i := range cone {
			cone[i] *= to[i] / from[i]
		}
		return apply(invert(bradford), cone)
	}
	chad := []byte("sf32\x00\x00\x00\x00")
	rows := columns([3]vector{adapt(vector{1}), adapt(vector{0, 1}), adapt(vector{0, 0, 1})})
	for _, row := range rows {
		for _, v := range row {
			chad = append(chad, s15(v)...)
		}
	}
	curve := []byte("para\x00\x00\x00\x00\x00\x03\x00\x00")
	for _, v := range []float64{2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045} {
		curve = append(curve, s15(v)...)
	}
	tags := []tag{{"desc", text("Display P3")}, {"cprt", text("Computed from published constants; no rights reserved")},
		{"wtpt", xyz(d50)}, {"chad", chad}}
	for i, name := range []string{"r", "g", "b"} {
		p := primaries[i]
		for j := range p {
			p[j] *= scale[i]
		}
		tags = append(tags, tag{name + "XYZ", xyz(adapt(p))}, tag{name + "TRC", curve})
	}
	return iccProfile(0x04200000, "mntr", "RGB ", "XYZ ", tags)
}

// press is an imaginary printing press, described by the Neugebauer equations with Yule and
// Nielsen's factor 2: unlike any real profile, and so unlike the one that libvips assumes when a
// CMYK picture has none. It is an input profile: it leads from ink to colour only.
//
// The relative table keeps the press's own black. In the perceptual one, black is moved to L* = 0,
// so that black point compensation, which some applications add to that intent, has no effect.
func press() []byte {
	// Indexed by the inks that are present: cyan 1, magenta 2, yellow 4, black 8.
	solids := [16]vector{
		{100, 0, 0}, {60, -30, -46}, {52, 68, 6}, {30, 26, -40}, {90, -2, 84}, {55, -60, 34}, {51, 62, 44}, {27, 4, 4},
		{20, 2, 3}, {14, -5, -8}, {13, 11, 1}, {10, 5, -6}, {18, 0, 14}, {13, -10, 6}, {12, 10, 8}, {9, 0, 0},
	}
	var reflectance [16]vector
	for i, lab := range solids {
		reflectance[i] = labToXYZ(lab)
	}
	black := reflectance[15][1]
	lut := func(perceptual bool) []byte {
		const points = 9
		out := []byte("mft2\x00\x00\x00\x00\x04\x03\x09\x00")
		for _, v := range []float64{1, 0, 0, 0, 1, 0, 0, 0, 1} { // required, though it applies to XYZ alone
			out = append(out, s15(v)...)
		}
		out = append(out, 0, 2, 0, 2)
		for range 4 {
			out = append(out, 0, 0, 0xff, 0xff)
		}
		for at := range points * points * points * points {
			var coverage [4]float64 // the last ink varies fastest
			for ink, rest := 3, at; ink >= 0; ink, rest = ink-1, rest/points {
				coverage[ink] = float64(rest%points) / (points - 1)
			}
			var sum vector
			for i := range reflectance {
				weight := 1.
				for ink := range 4 {
					if i>>ink&1 == 1 {
						weight *= coverage[ink]
					} else {
						weight *= 1 - coverage[ink]
					}
				}
				for j := range sum {
					sum[j] += weight * math.Sqrt(reflectance[i][j])
				}
			}
			for j := range sum {
				sum[j] *= sum[j]
				if perceptual {
					sum[j] = d50[j] * (sum[j]/d50[j] - black) / (1 - black)
				}
			}
			lab := xyzToLab(sum)
			for _, v := range []float64{lab[0] * 652.8, (lab[1] + 128) * 256, (lab[2] + 128) * 256} {
				out = binary.BigEndian.AppendUint16(out, uint16(math.Round(min(max(v, 0), 65535))))
			}
		}
		for range 3 {
			out = append(out, 0, 0, 0xff, 0xff)
		}
		return out
	}
	const name = "Imaginary press"
	desc := binary.BigEndian.AppendUint32([]byte("desc\x00\x00\x00\x00"), uint32(len(name)+1))
	desc = append(append(desc, name...), make([]byte, 1+4+4+2+1+67)...)
	return iccProfile(0x02400000, "scnr", "CMYK", "Lab ", []tag{
		{"desc", desc}, {"cprt", []byte("text\x00\x00\x00\x00Computed; no rights reserved\x00")}, {"wtpt", xyz(d50)},
		{"A2B0", lut(true)}, {"A2B1", lut(false)},
	})
}

func labToXYZ(lab vector) vector {
	f := (lab[0] + 16) / 116
	out := vector{f + lab[1]/500, f, f - lab[2]/200}
	for i, t := range out {
		if t > 6./29 {
			out[i] = d50[i] * t * t * t
		} else {
			out[i] = d50[i] * 3 * 36 / 841 * (t - 4./29)
		}
	}
	return out
}

func xyzToLab(v vector) vector {
	for i := range v {
		t := v[i] / d50[i]
		if t > 216./24389 {
			v[i] = math.Cbrt(t)
		} else {
			v[i] = t*841/108 + 4./29
		}
	}
	return vector{116*v[1] - 16, 500 * (v[0] - v[1]), 200 * (v[1] - v[2])}
}

func apply(m [3]vector, v vector) (out vector) {
	for i := range 3 {
		out[i] = m[i][0]*v[0] + m[i][1]*v[1] + m[i][2]*v[2]
	}
	return out
}

func invert(m [3]vector) (out [3]vector) {
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
