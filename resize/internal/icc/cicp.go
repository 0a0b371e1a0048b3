package icc

import "math"

// FromCICP returns the profile for primaries and a curve, or nil if they are sRGB's. Primaries that span no colors, such as
// the zero value, are taken for sRGB's.
func FromCICP(colors Chromaticities, curve Transfer) []byte {
	if Profile(colors, false, nil) == nil {
		colors = BT709
	}
	switch curve {
	case Gamma22, Gamma28, Linear, PQ:
		return Profile(colors, false, sampled(curve.light))
	default:
		if colors.Near(BT709) {
			return nil
		}
		return Profile(colors, false, Parametric(3, 2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045)) // sRGB's
	}
}

// Transfer is a curve from coded values to light, by its number in ITU-T H.273, table 3.
type Transfer int

// The curves that are not taken for sRGB's.
const (
	Gamma22 Transfer = 4
	Gamma28 Transfer = 5
	Linear  Transfer = 8
	PQ      Transfer = 16 // SMPTE ST 2084, of BT.2100
)

// light returns how much light a coded value stands for. Both are from 0 to 1, which is the brightest that a picture has.
//
// Curves that are not listed above are taken for sRGB's. Browsers, too, display those of BT.709, BT.601 and BT.2020 with a
// curve close to it; an unspecified curve is most likely sRGB's; and HLG (18) is designed to be viewed like that.
//
// PQ stands for the brightness of the display, in nits. It is brought down to what sRGB can show by Reinhard's curve
// (Photographic Tone Reproduction, SIGGRAPH 2002, equation 4), channel by channel, with 1000 nits and more as white. The
// white of paper (203 nits, ITU-R BT.2408) becomes 0.75 of the coded range, as it is in HLG.
func (t Transfer) light(coded float64) float64 {
	switch t {
	case Gamma22:
		return math.Pow(coded, 2.2)
	case Gamma28:
		return math.Pow(coded, 2.8)
	case PQ:
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
