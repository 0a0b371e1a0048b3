// Package icc makes ICC profiles (ICC.1:2010) for files that describe their colors in another way: a PNG by the chunks gAMA
// and cHRM, or cICP, an AVIF or HEIC by the code points of CICP. libvips knows profiles only.
//
// Libraries that were weighed: github.com/mandykoh/prism reads profiles, and seehuhn.de/go/icc, which is under the GPL, reads
// and writes their tags. Neither makes a profile from primaries and a curve, which is what has to be done here.
package icc

import "math"

// Chromaticities are the coordinates x and y (CIE 1931) of white, red, green and blue.
type Chromaticities [4][2]float64

// The primaries that most pictures have.
var (
	BT709     = primaries[1] // sRGB's
	DisplayP3 = primaries[12]
	BT2020    = primaries[9]
)

// primaries are those of ITU-T H.273, table 2, by their numbers, but for CIE XYZ's, which no screen has.
var primaries = map[int]Chromaticities{
	1:  {{0.3127, 0.3290}, {0.640, 0.330}, {0.300, 0.600}, {0.150, 0.060}},
	4:  {{0.310, 0.316}, {0.67, 0.33}, {0.21, 0.71}, {0.14, 0.08}},         // BT.470, system M
	5:  {{0.3127, 0.3290}, {0.64, 0.33}, {0.29, 0.60}, {0.15, 0.06}},       // BT.601, 625 lines
	6:  {{0.3127, 0.3290}, {0.630, 0.340}, {0.310, 0.595}, {0.155, 0.070}}, // BT.601, 525 lines
	7:  {{0.3127, 0.3290}, {0.630, 0.340}, {0.310, 0.595}, {0.155, 0.070}}, // SMPTE 240M
	8:  {{0.310, 0.316}, {0.681, 0.319}, {0.243, 0.692}, {0.145, 0.049}},   // film
	9:  {{0.3127, 0.3290}, {0.708, 0.292}, {0.170, 0.797}, {0.131, 0.046}}, // BT.2020
	11: {{0.314, 0.351}, {0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}},   // DCI-P3
	12: {{0.3127, 0.3290}, {0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}}, // Display P3
	22: {{0.3127, 0.3290}, {0.630, 0.340}, {0.295, 0.605}, {0.155, 0.077}}, // EBU Tech 3213
}

// Primaries returns the primaries with a number, or those of sRGB for one that is not known.
func Primaries(number int) Chromaticities {
	if known, ok := primaries[number]; ok {
		return known
	}
	return BT709
}

// Near reports whether c and d are the same but for rounding.
func (c Chromaticities) Near(d Chromaticities) bool {
	for i := range c {
		if math.Abs(c[i][0]-d[i][0]) > 0.002 || math.Abs(c[i][1]-d[i][1]) > 0.002 {
			return false
		}
	}
	return true
}
