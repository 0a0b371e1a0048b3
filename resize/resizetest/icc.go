package resizetest

import (
	"encoding/binary"
	"math"
)

// The columns of sRGB's primaries (on D50) and its curve.
var (
	redXYZ, greenXYZ, blueXYZ = [3]float64{0.4360, 0.2225, 0.0139}, [3]float64{0.3851, 0.7169, 0.0971}, [3]float64{0.1431, 0.0606, 0.7141}
	srgbCurve                 = append([]byte("para\x00\x00\x00\x00\x00\x03\x00\x00"), fixed(2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045)...)
)

// SwappedProfile is an ICC profile (ICC.1:2010, matrix/TRC) of sRGB in which the primaries of red and blue have changed places, so
// that a reader that ignores it shows red for blue. It is at least size bytes long, since some camera makers' are long.
func SwappedProfile(size int) []byte { return rgbProfile(blueXYZ, greenXYZ, redXYZ, srgbCurve, size) }

func powerCurve(gamma float64) []byte {
	return append([]byte("para\x00\x00\x00\x00\x00\x00\x00\x00"), fixed(gamma)...)
}

func rgbProfile(red, green, blue [3]float64, curve []byte, size int, more ...tag) []byte {
	return profileOf("RGB ", append([]tag{
		{"rXYZ", xyz(red)}, {"gXYZ", xyz(green)}, {"bXYZ", xyz(blue)}, {"rTRC", curve}, {"gTRC", curve}, {"bTRC", curve},
		{"fill", append([]byte("data\x00\x00\x00\x00\x00\x00\x00\x01"), make([]byte, size)...)},
	}, more...))
}

// GreyProfile is a profile for grey pictures, with a curve that is a power.
func GreyProfile(gamma float64) []byte { return profileOf("GRAY", []tag{{"kTRC", powerCurve(gamma)}}) }

type tag struct {
	name string
	data []byte
}

func xyz(v [3]float64) []byte { return append([]byte("XYZ \x00\x00\x00\x00"), fixed(v[:]...)...) }

func profileOf(space string, more []tag) []byte {
	text := func(s string) []byte { // multiLocalizedUnicode, one string
		out := append([]byte("mluc\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x0cenUS"), 0, 0, 0, byte(2*len(s)), 0, 0, 0, 28)
		for _, c := range s {
			out = append(out, 0, byte(c))
		}
		return out
	}
	tags := append([]tag{{"desc", text("for tests")}, {"cprt", text("public domain")}, {"wtpt", xyz([3]float64{0.9642, 1, 0.8249})}}, more...)
	table := binary.BigEndian.AppendUint32(nil, uint32(len(tags)))
	var data []byte
	for _, tag := range tags {
		for len(tag.data)%4 != 0 {
			tag.data = append(tag.data, 0)
		}
		table = append(table, tag.name...)
		table = binary.BigEndian.AppendUint32(table, uint32(128+4+12*len(tags)+len(data)))
		table = binary.BigEndian.AppendUint32(table, uint32(len(tag.data)))
		data = append(data, tag.data...)
	}
	head := make([]byte, 128)
	binary.BigEndian.PutUint32(head, uint32(128+len(table)+len(data)))
	copy(head[8:], "\x04\x30\x00\x00mntr"+space+"XYZ ")
	copy(head[24:], "\x07\xe8\x00\x01\x00\x01") // a date: 2024-01-01
	copy(head[36:], "acsp")
	copy(head[68:], fixed(0.9642, 1, 0.8249))
	return append(append(head, table...), data...)
}

// fixed encodes as s15Fixed16.
func fixed(values ...float64) []byte {
	var out []byte
	for _, v := range values {
		out = binary.BigEndian.AppendUint32(out, uint32(int32(math.Round(v*65536))))
	}
	return out
}
