package icc

import (
	"encoding/binary"
	"math"
	"testing"
)

func srgbLight(x float64) float64 {
	if x < 0.04045 {
		return x / 12.92
	}
	return math.Pow((x+0.055)/1.055, 2.4)
}

// Phones, cameras and editors write sRGB as a function, or as a table of 1024 values or so.
func TestIsSRGB(t *testing.T) {
	table := func(n int) []byte {
		out := binary.BigEndian.AppendUint32([]byte("curv\x00\x00\x00\x00"), uint32(n))
		for i := range n {
			out = binary.BigEndian.AppendUint16(out, uint16(math.Round(65535*srgbLight(float64(i)/float64(n-1)))))
		}
		return out
	}
	linear := []byte("curv\x00\x00\x00\x00\x00\x00\x00\x00")
	for name, c := range map[string]struct {
		profile []byte
		want    bool
	}{
		"a function":              {Profile(BT709, false, SRGBCurve), true},
		"a table of 1024":         {Profile(BT709, false, table(1024)), true},
		"a table of 256":          {Profile(BT709, false, table(256)), true},
		"a table too coarse":      {Profile(BT709, false, table(8)), false},
		"another curve":           {Profile(BT709, false, Parametric(0, 2.2)), false},
		"a power as a table":      {Profile(BT709, false, sampled(func(x float64) float64 { return math.Pow(x, 2.2) })), false},
		"a line":                  {Profile(BT709, false, linear), false},
		"Display P3":              {Profile(DisplayP3, false, SRGBCurve), false},
		"grey":                    {Profile(BT709, true, SRGBCurve), false},
		"a function not a number": {Profile(BT709, false, Parametric(3, -20000, -1, 0, 1/12.92, 0.04045)), false},
	} {
		if got := IsSRGB(c.profile); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// A table beside the curves has the first word.
func TestAProfileWithTablesIsNotTakenForSRGB(t *testing.T) {
	profile := Profile(BT709, false, SRGBCurve)
	copy(profile[132:], "A2B0") // in the place of wtpt, which nobody asks for
	if IsSRGB(profile) {
		t.Error("it is")
	}
}

func FuzzIsSRGB(f *testing.F) {
	whole := Profile(BT709, false, SRGBCurve)
	for _, profile := range [][]byte{nil, whole, Profile(BT709, false, sampled(srgbLight)), whole[:200]} {
		f.Add(profile)
	}
	f.Fuzz(func(_ *testing.T, profile []byte) { IsSRGB(profile) })
}

func TestACutProfileIsNotSRGB(t *testing.T) {
	whole := Profile(BT709, false, SRGBCurve)
	for n := range whole {
		if IsSRGB(whole[:n:n]) {
			t.Errorf("its first %d of %d bytes are", n, len(whole))
		}
	}
}
