package icc

import "math"

// FromCICP returns the profile for primaries and a curve, or nil if they are sRGB's. Primaries that span no colors, such as
// the zero value, are taken for sRGB's. Of a grey picture, only the curve matters.
func FromCICP(colors Chromaticities, curve Transfer, grey bool) []byte {
	if Profile(colors, false, nil) == nil {
		colors = BT709
	}
	switch curve {
	case Gamma22, Gamma28, Linear, PQ, HLG, BT1886:
		return Profile(colors, grey, sampled(curve.light))
	default:
		if grey || colors.Near(BT709) {
			return nil
		}
		return Profile(colors, false, SRGBCurve)
	}
}

// Transfer is a curve from coded values to light, by its number in ITU-T H.273, table 3.
type Transfer int

// The curves that are not taken for sRGB's, and that one.
const (
	Gamma22 Transfer = 4
	Gamma28 Transfer = 5
	Linear  Transfer = 8
	SRGB    Transfer = 13
	PQ      Transfer = 16 // SMPTE ST 2084, of BT.2100
	HLG     Transfer = 18 // of BT.2100
	BT1886  Transfer = -1 // a display's for video, which has no number: 2.4
)

// light returns how much light a coded value stands for. Both are from 0 to 1, which is the brightest that a picture has.
//
// Curves that are not listed above are taken for sRGB's. Browsers, too, display an AVIF with those of BT.709, BT.601 and
// BT.2020 so; and an unspecified curve is most likely sRGB's.
//
// PQ stands for the brightness of the display, in nits, and HLG for that of a display of 1000 nits, to which the system's
// gamma of 1.2 belongs (BT.2100, tables 4 and 5; here channel by channel). It is brought down to what sRGB can show by
// Reinhard's curve (Photographic Tone Reproduction, SIGGRAPH 2002, equation 4), channel by channel, with 1000 nits and more as
// white. The white of paper (203 nits, ITU-R BT.2408, three quarters of HLG's range) becomes 0.75 of the coded range.
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
		return onScreen(nits)
	case HLG:
		const a, b, c = 0.17883277, 0.28466892, 0.55991073
		scene := coded * coded / 3
		if coded > 0.5 {
			scene = (math.Exp((coded-c)/a) + b) / 12
		}
		return onScreen(brightest * math.Pow(scene, 1.2))
	case BT1886:
		return math.Pow(coded, 2.4)
	default:
		return coded
	}
}

// brightest is the brightness that becomes white, in nits.
const brightest = 1000.

func onScreen(nits float64) float64 {
	const paper = 203.
	bright, most := nits/paper, brightest/paper
	return min(1, bright*(1+bright/(most*most))/(1+bright))
}
