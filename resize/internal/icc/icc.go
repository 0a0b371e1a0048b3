// Package icc makes ICC profiles (ICC.1:2010) of what files say of their colors in fewer words: of gAMA and cHRM in a PNG, of
// the code points of CICP in an AVIF or HEIC. libvips heeds profiles alone.
//
// Weighed: seehuhn.de/go/icc reads and writes profiles as tables of tags that its caller fills, and
// github.com/mandykoh/prism reads them. Neither makes one of primaries and a curve, which is what there is to do.
package icc

import "math"

// Chromaticities are x and y (CIE 1931) of white, red, green and blue.
type Chromaticities [4][2]float64

// The primaries of ITU-T H.273, table 2, that pictures have. White is D65 in all of them.
var (
	BT709     = Chromaticities{{0.3127, 0.3290}, {0.640, 0.330}, {0.300, 0.600}, {0.150, 0.060}} // sRGB's
	DisplayP3 = Chromaticities{{0.3127, 0.3290}, {0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}}
	BT2020    = Chromaticities{{0.3127, 0.3290}, {0.708, 0.292}, {0.170, 0.797}, {0.131, 0.046}}
)

// Near reports whether two are the same but for rounding.
func (c Chromaticities) Near(d Chromaticities) bool {
	for i := range c {
		if math.Abs(c[i][0]-d[i][0]) > 0.002 || math.Abs(c[i][1]-d[i][1]) > 0.002 {
			return false
		}
	}
	return true
}
