package planar

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"maps"
	"math"
	"slices"
	"testing"
	"unsafe"
)

// samplesOf are those of each plane, row by row.
func samplesOf(p *Planes) [][][]byte {
	var planes [][][]byte
	for _, c := range p.c {
		var rows [][]byte
		for y := range int(c.height) {
			rows = append(rows, unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(c.samples), y*int(c.stride))), int(c.width)))
		}
		planes = append(planes, rows)
	}
	return planes
}

func decoded(t testing.TB, file []byte, shrink int) *Planes {
	t.Helper()
	d, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	p, err := d.Decode(t.Context(), bytes.NewReader(file[d.Header:]), shrink)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func resizedTo(t testing.TB, p *Planes, width, height, orientation int, chroma Chroma) *Planes {
	t.Helper()
	small, err := p.Resize(width, height, orientation, chroma)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(small.Close)
	return small
}

// stored is where a place of the upright picture is in the stored one.
func stored(orientation int, x, y float64) (float64, float64) {
	switch orientation {
	case 2:
		return 1 - x, y
	case 3:
		return 1 - x, 1 - y
	case 4:
		return x, 1 - y
	case 5:
		return y, x
	case 6:
		return y, 1 - x
	case 7:
		return 1 - y, 1 - x
	case 8:
		return 1 - y, x
	default:
		return x, y
	}
}

// farthest is how far a sample is, at most, from what the waves have there that were stored in so many pixels.
func farthest(p *Planes, width, height, orientation, pixelsASample int) float64 {
	worst := 0.0
	for i, rows := range samplesOf(p) {
		every := 1.0
		if i > 0 {
			every = float64(pixelsASample)
		}
		for y, row := range rows {
			for x, sample := range row {
				sx, sy := stored(orientation, (float64(x)+0.5)*every/float64(p.Width), (float64(y)+0.5)*every/float64(p.Height))
				worst = max(worst, math.Abs(float64(sample)-waves(width, height, i, sx, sy)))
			}
		}
	}
	return worst
}

// Every sampling, orientation and size from 1 to 33, with restart intervals and without: each sample is where it should be.
func TestEverySampleIsWhereItBelongs(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(samplings)) {
		t.Run(name, func(t *testing.T) {
			for width := 1; width <= 33; width++ {
				height := width*23%33 + 1
				file := baseline(width, height, samplings[name], []int{0, 1, 3}[width%3], waves)
				planes := decoded(t, file, 1)
				for orientation := 1; orientation <= 8; orientation++ {
					uprightW, uprightH := width, height
					if orientation > 4 {
						uprightW, uprightH = height, width
					}
					for _, by := range []float64{1, 1.4, 2.7} {
						w, h := max(1, int(float64(uprightW)/by)), max(1, int(float64(uprightH)/by))
						allowed := 3.0
						if min(w, h) == 1 { // half a sample is much there
							allowed = 11
						} else if min(w, h) < 8 {
							allowed = 6
						}
						for _, chroma := range []Chroma{Halved, Full} {
							small := resizedTo(t, planes, w, h, orientation, chroma)
							if worst := farthest(small, width, height, orientation, int(chroma)); worst > allowed {
								t.Errorf("%d × %d to %d × %d, orientation %d, chroma %d: off by %.1f", width, height, w, h, orientation, chroma, worst)
							}
						}
					}
				}
			}
		})
	}
}

// A shrunk side that is no whole number of samples ends within the last one.
func TestLoadShrinksStayInRegister(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(samplings)) {
		for _, size := range [][2]int{{301, 203}, {259, 190}, {160, 331}} {
			file := baseline(size[0], size[1], samplings[name], 0, waves)
			for _, shrink := range []int{1, 2, 4, 8} {
				small := resizedTo(t, decoded(t, file, shrink), size[0]/10, size[1]/10, 1, Halved)
				if worst := farthest(small, size[0], size[1], 1, 2); worst > 2 {
					t.Errorf("%s, %d × %d, 1/%d: off by %.1f", name, size[0], size[1], shrink, worst)
				}
			}
		}
	}
}

func TestWhatIsEncodedIsThePicture(t *testing.T) {
	for name, s := range map[string]sampling{"color": half, "grey": grey} {
		for side := 1; side <= 33; side++ {
			width, height := side, side*23%33+1
			t.Run(fmt.Sprintf("%s, %d × %d", name, width, height), func(t *testing.T) {
				planes := resizedTo(t, decoded(t, baseline(width, height, s, 0, waves), 1), width, height, 1, Halved)
				file, err := planes.Encode(100)
				if err != nil {
					t.Fatal(err)
				}
				if config, err := jpeg.DecodeConfig(bytes.NewReader(file)); err != nil || config.Width != width || config.Height != height {
					t.Errorf("%d × %d, %v", config.Width, config.Height, err)
				}
				if worst := farthest(decoded(t, file, 1), width, height, 1, 2); worst > 4 {
					t.Errorf("off by %.1f", worst)
				}
			})
		}
	}
}
