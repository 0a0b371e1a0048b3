package conformance

import (
	"math"
	"testing"
)

// deltaE2000 is the CIEDE2000 colour difference (CIE 142-2001) between two CIELAB colours, with
// kL = kC = kH = 1. Of two flat patches side by side, 1 is about what a trained eye can tell.
//
// The names and the order of the steps are those of G. Sharma, W. Wu, E. N. Dalal: The CIEDE2000
// Color-Difference Formula: Implementation Notes, Supplementary Test Data, and Mathematical
// Observations, Color Research and Application 30 (2005) 21–30.
func deltaE2000(lab1, lab2 [3]float64) float64 {
	const pow25to7 = 6103515625
	const degree = math.Pi / 180
	l1, a1, b1 := lab1[0], lab1[1], lab1[2]
	l2, a2, b2 := lab2[0], lab2[1], lab2[2]

	meanC7 := math.Pow((math.Hypot(a1, b1)+math.Hypot(a2, b2))/2, 7)
	g := 0.5 * (1 - math.Sqrt(meanC7/(meanC7+pow25to7)))
	a1, a2 = a1*(1+g), a2*(1+g)
	c1, c2 := math.Hypot(a1, b1), math.Hypot(a2, b2)
	h1, h2 := hueDegrees(a1, b1), hueDegrees(a2, b2)

	deltaHue, meanHue := 0.0, h1+h2 // for a colour without chroma, which has no hue
	if c1*c2 != 0 {
		deltaHue, meanHue = h2-h1, (h1+h2)/2
		if math.Abs(deltaHue) > 180 { // the shorter way round goes through 0°
			deltaHue -= math.Copysign(360, deltaHue)
			meanHue -= math.Copysign(180, meanHue-180)
		}
	}
	deltaL, deltaC := l2-l1, c2-c1
	deltaH := 2 * math.Sqrt(c1*c2) * math.Sin(deltaHue/2*degree)

	meanL, meanC := (l1+l2)/2, (c1+c2)/2
	t := 1 - 0.17*math.Cos((meanHue-30)*degree) + 0.24*math.Cos(2*meanHue*degree) +
		0.32*math.Cos((3*meanHue+6)*degree) - 0.20*math.Cos((4*meanHue-63)*degree)
	deltaTheta := 30 * math.Exp(-math.Pow((meanHue-275)/25, 2))
	meanC7 = math.Pow(meanC, 7)
	rC := 2 * math.Sqrt(meanC7/(meanC7+pow25to7))
	fromMiddle := (meanL - 50) * (meanL - 50)
	l := deltaL / (1 + 0.015*fromMiddle/math.Sqrt(20+fromMiddle))
	c := deltaC / (1 + 0.045*meanC)
	h := deltaH / (1 + 0.015*meanC*t)
	return math.Sqrt(l*l + c*c + h*h - math.Sin(2*deltaTheta*degree)*rC*c*h)
}

// hueDegrees is the angle of (a, b), from 0 to 360.
func hueDegrees(a, b float64) float64 {
	h := math.Atan2(b, a) * 180 / math.Pi
	if h < 0 {
		h += 360
	}
	return h
}

// srgbToLab converts gamma-encoded sRGB, 0 to 255 and fractions of it, to CIELAB under sRGB's own
// white, D65, without chromatic adaptation: equal channels have a* = b* = 0.
func srgbToLab(r, g, b float64) [3]float64 {
	r, g, b = srgbLinear(r), srgbLinear(g), srgbLinear(b)
	// IEC 61966-2-1, with each row divided by its sum, which is the white's X, Y or Z.
	x := (0.4124*r + 0.3576*g + 0.1805*b) / (0.4124 + 0.3576 + 0.1805)
	y := (0.2126*r + 0.7152*g + 0.0722*b) / (0.2126 + 0.7152 + 0.0722)
	z := (0.0193*r + 0.1192*g + 0.9505*b) / (0.0193 + 0.1192 + 0.9505)
	fx, fy, fz := labRoot(x), labRoot(y), labRoot(z)
	return [3]float64{116*fy - 16, 500 * (fx - fy), 200 * (fy - fz)}
}

// srgbLinear undoes the transfer curve of IEC 61966-2-1, from 0…255 to 0…1.
func srgbLinear(v float64) float64 {
	v /= 255
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

// labRoot is the f of CIE 15's definition of CIELAB.
func labRoot(t float64) float64 {
	if t > 216.0/24389 {
		return math.Cbrt(t)
	}
	return t*841/108 + 4.0/29
}

// TestDeltaE2000 checks the formula against the data that Sharma, Wu and Dalal publish for it.
func TestDeltaE2000(t *testing.T) {
	for _, pair := range []struct {
		lab1, lab2 [3]float64
		want       float64
	}{
		{[3]float64{50, 2.6772, -79.7751}, [3]float64{50, 0, -82.7485}, 2.0425},
		{[3]float64{50, 3.1571, -77.2803}, [3]float64{50, 0, -82.7485}, 2.8615},
		{[3]float64{50, 2.8361, -74.0200}, [3]float64{50, 0, -82.7485}, 3.4412},
		{[3]float64{50, -1.3802, -84.2814}, [3]float64{50, 0, -82.7485}, 1.0000},
		{[3]float64{50, -1.1848, -84.8006}, [3]float64{50, 0, -82.7485}, 1.0000},
		{[3]float64{50, -0.9009, -85.5211}, [3]float64{50, 0, -82.7485}, 1.0000},
		{[3]float64{50, 0, 0}, [3]float64{50, -1, 2}, 2.3669},
		{[3]float64{50, -1, 2}, [3]float64{50, 0, 0}, 2.3669},
		{[3]float64{50, 2.4900, -0.0010}, [3]float64{50, -2.4900, 0.0009}, 7.1792},
		{[3]float64{50, 2.4900, -0.0010}, [3]float64{50, -2.4900, 0.0010}, 7.1792},
		{[3]float64{50, 2.4900, -0.0010}, [3]float64{50, -2.4900, 0.0011}, 7.2195},
		{[3]float64{50, 2.4900, -0.0010}, [3]float64{50, -2.4900, 0.0012}, 7.2195},
		{[3]float64{50, -0.0010, 2.4900}, [3]float64{50, 0.0009, -2.4900}, 4.8045},
		{[3]float64{50, -0.0010, 2.4900}, [3]float64{50, 0.0010, -2.4900}, 4.8045},
		{[3]float64{50, -0.0010, 2.4900}, [3]float64{50, 0.0011, -2.4900}, 4.7461},
		{[3]float64{50, 2.5, 0}, [3]float64{50, 0, -2.5}, 4.3065},
		{[3]float64{50, 2.5, 0}, [3]float64{73, 25, -18}, 27.1492},
		{[3]float64{50, 2.5, 0}, [3]float64{61, -5, 29}, 22.8977},
		{[3]float64{50, 2.5, 0}, [3]float64{56, -27, -3}, 31.9030},
		{[3]float64{50, 2.5, 0}, [3]float64{58, 24, 15}, 19.4535},
		{[3]float64{50, 2.5, 0}, [3]float64{50, 3.1736, 0.5854}, 1.0000},
		{[3]float64{50, 2.5, 0}, [3]float64{50, 3.2972, 0}, 1.0000},
		{[3]float64{50, 2.5, 0}, [3]float64{50, 1.8634, 0.5757}, 1.0000},
		{[3]float64{50, 2.5, 0}, [3]float64{50, 3.2592, 0.3350}, 1.0000},
		{[3]float64{60.2574, -34.0099, 36.2677}, [3]float64{60.4626, -34.1751, 39.4387}, 1.2644},
		{[3]float64{63.0109, -31.0961, -5.8663}, [3]float64{62.8187, -29.7946, -4.0864}, 1.2630},
		{[3]float64{61.2901, 3.7196, -5.3901}, [3]float64{61.4292, 2.2480, -4.9620}, 1.8731},
		{[3]float64{35.0831, -44.1164, 3.7933}, [3]float64{35.0232, -40.0716, 1.5901}, 1.8645},
		{[3]float64{22.7233, 20.0904, -46.6940}, [3]float64{23.0331, 14.9730, -42.5619}, 2.0373},
		{[3]float64{36.4612, 47.8580, 18.3852}, [3]float64{36.2715, 50.5065, 21.2231}, 1.4146},
		{[3]float64{90.8027, -2.0831, 1.4410}, [3]float64{91.1528, -1.6435, 0.0447}, 1.4441},
		{[3]float64{90.9257, -0.5406, -0.9208}, [3]float64{88.6381, -0.8985, -0.7239}, 1.5381},
		{[3]float64{6.7747, -0.2908, -2.4247}, [3]float64{5.8714, -0.0985, -2.2286}, 0.6377},
		{[3]float64{2.0776, 0.0795, -1.1350}, [3]float64{0.9033, -0.0636, -0.5514}, 0.9082},
	} {
		for _, got := range []float64{deltaE2000(pair.lab1, pair.lab2), deltaE2000(pair.lab2, pair.lab1)} {
			if math.Abs(got-pair.want) > 1e-4 {
				t.Errorf("between %v and %v: %.5f, published %.4f", pair.lab1, pair.lab2, got, pair.want)
			}
		}
	}
}

// TestSRGBToLab checks the corners of the cube, by the values commonly printed for sRGB under D65.
func TestSRGBToLab(t *testing.T) {
	for _, test := range []struct{ rgb, want [3]float64 }{
		{[3]float64{0, 0, 0}, [3]float64{0, 0, 0}},
		{[3]float64{255, 255, 255}, [3]float64{100, 0, 0}},
		{[3]float64{119, 119, 119}, [3]float64{50.034, 0, 0}},
		{[3]float64{255, 0, 0}, [3]float64{53.233, 80.109, 67.220}},
		{[3]float64{0, 255, 0}, [3]float64{87.737, -86.185, 83.181}},
		{[3]float64{0, 0, 255}, [3]float64{32.303, 79.197, -107.864}},
	} {
		got := srgbToLab(test.rgb[0], test.rgb[1], test.rgb[2])
		for i := range got {
			if math.Abs(got[i]-test.want[i]) > 0.02 {
				t.Errorf("%v: got %.4f, want %v", test.rgb, got, test.want)
				break
			}
		}
	}
}
