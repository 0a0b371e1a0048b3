package icc

import (
	"encoding/binary"
	"math"
	"testing"
)

// The columns of a profile of sRGB's primaries are those of sRGB's own (IEC 61966-2-1, adapted to D50), and white is D50.
func TestColumnsOfSRGB(t *testing.T) {
	profile := Profile(BT709, false, Parametric(0, 2.2))
	data := tags(t, profile)
	for name, want := range map[string][3]float64{
		"rXYZ": {0.4361, 0.2225, 0.0139}, "gXYZ": {0.3851, 0.7169, 0.0971}, "bXYZ": {0.1431, 0.0606, 0.7141}, "wtpt": {0.9642, 1, 0.8249},
	} {
		for i, v := range want {
			if got := float64(int32(binary.BigEndian.Uint32(data[name][8+4*i:]))) / 65536; math.Abs(got-v) > 0.0005 {
				t.Errorf("%s is %g at %d, want %g", name, got, i, v)
			}
		}
	}
}

// tags returns the tags of a profile, and checks that the profile is as long as it says.
func tags(t *testing.T, profile []byte) map[string][]byte {
	t.Helper()
	if int(binary.BigEndian.Uint32(profile)) != len(profile) {
		t.Fatalf("%d bytes, and it says %d", len(profile), binary.BigEndian.Uint32(profile))
	}
	out := map[string][]byte{}
	for i := range int(binary.BigEndian.Uint32(profile[128:])) {
		entry := profile[132+12*i:]
		at, size := binary.BigEndian.Uint32(entry[4:]), binary.BigEndian.Uint32(entry[8:])
		out[string(entry[:4])] = profile[at : at+size]
	}
	return out
}

// The curves begin at black, end at white, and never go down.
func TestCurvesRise(t *testing.T) {
	for _, curve := range []Transfer{Gamma22, Gamma28, Linear, PQ, HLG, BT1886} {
		last := -1.0
		for i := range 1001 {
			light := curve.light(float64(i) / 1000)
			if light < last || light < 0 || light > 1 {
				t.Errorf("curve %d is %g at %d, after %g", curve, light, i, last)
			}
			last = light
		}
		if dark := curve.light(0); dark > 1e-6 || last < 0.99 {
			t.Errorf("curve %d goes from %g to %g", curve, dark, last)
		}
	}
}

func TestWhatIsSRGBHasNoProfile(t *testing.T) {
	for _, curve := range []Transfer{0, 1, 2, 6, 13} {
		if FromCICP(BT709, curve, false) != nil || FromCICP(Chromaticities{}, curve, false) != nil {
			t.Errorf("curve %d has a profile", curve)
		}
		if FromCICP(DisplayP3, curve, false) == nil || FromCICP(BT2020, curve, false) == nil {
			t.Errorf("curve %d has no profile with other primaries", curve)
		}
	}
}

// The white of paper is the same in both ways to code a high dynamic range.
func TestTheWhiteOfPaper(t *testing.T) {
	for curve, coded := range map[Transfer]float64{PQ: 0.5806, HLG: 0.75} {
		if light := curve.light(coded); math.Abs(light-0.52) > 0.005 { // 0.75 of sRGB's range
			t.Errorf("curve %d: %.3f", curve, light)
		}
	}
}

// Whatever the primaries and the curve, the profile is whole, or there is none.
func FuzzFromCICP(f *testing.F) {
	for _, c := range []Chromaticities{BT709, DisplayP3, BT2020, {}} {
		for _, curve := range []int{1, 4, 8, 16} {
			f.Add(c[0][0], c[0][1], c[1][0], c[1][1], c[2][0], c[2][1], c[3][0], c[3][1], curve)
		}
	}
	f.Fuzz(func(t *testing.T, wx, wy, rx, ry, gx, gy, bx, by float64, curve int) {
		colors := Chromaticities{{wx, wy}, {rx, ry}, {gx, gy}, {bx, by}}
		for _, profile := range [][]byte{FromCICP(colors, Transfer(curve), false), Profile(colors, true, Parametric(0, 2.2))} {
			if profile != nil {
				tags(t, profile)
			}
		}
	})
}
