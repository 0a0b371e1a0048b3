package icc

import (
	"encoding/binary"
	"math"
)

// SRGBCurve is sRGB's, as [Parametric] encodes it (IEC 61966-2-1).
var SRGBCurve = Parametric(3, 2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045)

// IsRGB reports whether a profile is for pictures with red, green and blue.
func IsRGB(profile []byte) bool { return len(profile) >= 20 && string(profile[16:20]) == "RGB " }

// IsSRGB reports whether a profile says what a picture without one means anyway: sRGB's primaries, but for how they are
// rounded, and its curves, to within half a level of 255. A profile that converts by look-up tables is not taken for one, whatever is in them.
func IsSRGB(profile []byte) bool {
	if len(profile) < 132 || string(profile[16:24]) != "RGB XYZ " {
		return false
	}
	tags := map[string][]byte{}
	for entry := profile[132:]; len(entry) >= 12 && len(tags) < int(binary.BigEndian.Uint32(profile[128:])); entry = entry[12:] {
		at, size := uint64(binary.BigEndian.Uint32(entry[4:])), uint64(binary.BigEndian.Uint32(entry[8:]))
		if at+size > uint64(len(profile)) {
			return false
		}
		tags[string(entry[:4])] = profile[at : at+size]
	}
	for _, table := range []string{"A2B0", "A2B1", "A2B2", "D2B0", "D2B1", "D2B2"} {
		if tags[table] != nil {
			return false
		}
	}
	// The primaries, adapted to D50 by Bradford's matrix, as every maker of profiles has them to three places or so.
	for name, want := range map[string][3]float64{
		"rXYZ": {0.4361, 0.2225, 0.0139}, "gXYZ": {0.3851, 0.7169, 0.0971}, "bXYZ": {0.1431, 0.0606, 0.7141},
	} {
		data := tags[name]
		if len(data) < 20 || string(data[:4]) != "XYZ " {
			return false
		}
		for i, v := range want {
			if math.Abs(fromFixed16(data[8+4*i:])-v) > 0.0005 {
				return false
			}
		}
	}
	return isSRGBCurve(tags["rTRC"]) && isSRGBCurve(tags["gTRC"]) && isSRGBCurve(tags["bTRC"])
}

func isSRGBCurve(data []byte) bool {
	curve := readCurve(data)
	if curve == nil {
		return false
	}
	for level := range 256 {
		light := curve(float64(level) / 255)
		encoded := 12.92 * light
		if light > 0.0031308 {
			encoded = 1.055*math.Pow(light, 1/2.4) - 0.055
		}
		if !(math.Abs(255*encoded-float64(level)) <= 0.5) { // or not a number
			return false
		}
	}
	return true
}

// readCurve returns what a tag encodes, or nil if it is neither a table nor a function of sRGB's type.
func readCurve(data []byte) func(float64) float64 {
	if len(data) < 12 {
		return nil
	}
	switch values := data[12:]; string(data[:4]) {
	case "curv":
		n := uint64(binary.BigEndian.Uint32(data[8:]))
		if n < 2 || uint64(len(values)) < 2*n { // a line, or a power, which sRGB's is not
			return nil
		}
		return func(x float64) float64 {
			at := min(int(x*float64(n-1)), int(n-2))
			low, high := float64(binary.BigEndian.Uint16(values[2*at:])), float64(binary.BigEndian.Uint16(values[2*at+2:]))
			return (low + (high-low)*(x*float64(n-1)-float64(at))) / 65535
		}
	case "para":
		if binary.BigEndian.Uint16(data[8:]) != 3 || len(values) < 20 {
			return nil
		}
		g, a, b, c, d := fromFixed16(values), fromFixed16(values[4:]), fromFixed16(values[8:]), fromFixed16(values[12:]), fromFixed16(values[16:])
		return func(x float64) float64 {
			if x < d {
				return c * x
			}
			return math.Pow(a*x+b, g)
		}
	default:
		return nil
	}
}

func fromFixed16(b []byte) float64 { return float64(int32(binary.BigEndian.Uint32(b))) / 65536 }
