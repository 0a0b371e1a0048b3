// Package icc makes ICC profiles (ICC.1:2010) for files that describe their colors in another way: a PNG by the chunks gAMA
// and cHRM, an AVIF or HEIC by the code points of CICP. libvips knows profiles only.
//
// Libraries that were weighed: github.com/mandykoh/prism reads profiles, and seehuhn.de/go/icc, which is under the GPL, reads
// and writes their tags. Neither makes a profile from primaries and a curve, which is what has to be done here.
package icc

import "math"

// Chromaticities are the coordinates x and y (CIE 1931) of white, red, green and blue.
type Chromaticities [4][2]float64

// Primaries of ITU-T H.273, table 2. The white of all of them is D65.
var (
	BT709     = Chromaticities{{0.3127, 0.3290}, {0.640, 0.330}, {0.300, 0.600}, {0.150, 0.060}} // sRGB's
	DisplayP3 = Chromaticities{{0.3127, 0.3290}, {0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}}
	BT2020    = Chromaticities{{0.3127, 0.3290}, {0.708, 0.292}, {0.170, 0.797}, {0.131, 0.046}}
)

// Near reports whether c and d are the same but for rounding.
func (c Chromaticities) Near(d Chromaticities) bool {
	for i := range c {
		if math.Abs(c[i][0]-d[i][0]) > 0.002 || math.Abs(c[i][1]-d[i][1]) > 0.002 {
			return false
		}
	}
	return true
}
