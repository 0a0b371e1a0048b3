package png

import (
	"encoding/binary"
	"math"

	"s3resizer/resize/internal/icc"
)

// Profile returns the ICC profile that the chunks before the pixels stand for, or nil if they stand for sRGB, and whether it has
// precedence over a profile among them: cICP's has. gAMA's does not count beside a profile or sRGB, and cHRM's only beside gAMA
// (PNG, third edition, 4.3, 11.3.2 and 12.12). What the standard leaves open is as in browsers.
func Profile(head []byte) (profile []byte, precedes bool) {
	gamma, colors, grey := 0.0, icc.BT709, len(head) > 25 && head[25]&2 == 0 // color types 0 and 4
	named, primaries := false, false
	for head = head[min(8, len(head)):]; len(head) >= 8; {
		size := int64(binary.BigEndian.Uint32(head))
		name, data := string(head[4:8]), head[8:]
		if int64(len(data)) < size+4 || name == "IDAT" {
			break
		}
		data, head = data[:size], data[size+4:]
		number := func(i int) float64 { return float64(binary.BigEndian.Uint32(data[4*i:])) / 100_000 }
		switch {
		case name == "cICP" && size == 4 && data[2] == 0 && data[3] == 1: // RGB of full range
			if curve, known := transfers[data[1]]; known {
				return icc.FromCICP(icc.Primaries(int(data[0])), curve, grey), true
			}
		case name == "iCCP" || name == "sRGB":
			named = true
		case name == "gAMA" && size == 4:
			gamma = number(0)
		case name == "cHRM" && size == 32:
			primaries = true
			for i := range colors {
				colors[i] = [2]float64{number(2 * i), number(2*i + 1)}
			}
		}
	}
	if named || gamma == 0 || !primaries && math.Abs(gamma*2.2-1) < 0.01 { // most who write 1/2.2 alone mean sRGB
		return nil, false
	}
	return icc.Profile(colors, grey, icc.Parametric(0, 1/gamma)), false
}

// transfers are the curves for which browsers heed cICP. The numbers of cameras' curves stand for that of a display for them.
var transfers = map[byte]icc.Transfer{
	1: icc.BT1886, 6: icc.BT1886, 11: icc.BT1886, 14: icc.BT1886, 15: icc.BT1886,
	4: icc.Gamma22, 5: icc.Gamma28, 8: icc.Linear, 13: icc.SRGB, 16: icc.PQ, 18: icc.HLG,
}
