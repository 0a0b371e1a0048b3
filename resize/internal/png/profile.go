package png

import (
	"encoding/binary"
	"math"

	"s3resizer/resize/internal/icc"
)

// Profile returns the ICC profile that the chunks before the pixels stand for, or nil if there is a profile among them or
// they stand for sRGB. As in browsers, cHRM counts only together with gAMA (PNG, third edition, 4.3 and 11.3.2).
func Profile(head []byte) []byte {
	gamma, colors, grey := 0.0, icc.BT709, len(head) > 25 && head[25]&2 == 0 // color types 0 and 4
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
	if gamma == 0 || math.Abs(gamma*2.2-1) < 0.01 && (grey || colors.Near(icc.BT709)) {
		return nil
	}
	return icc.Profile(colors, grey, icc.Parametric(0, 1/gamma))
}
