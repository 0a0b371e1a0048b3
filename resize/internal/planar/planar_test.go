package planar

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"maps"
	"math"
	"slices"
	"testing"
	"unsafe"

	"s3resizer/resize/internal/crop"
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
	small, err := p.Resize(crop.Whole(width, height), crop.Turns[orientation], chroma)
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
	return farthestOf(p, crop.Whole(p.Width, p.Height), width, height, orientation, pixelsASample)
}

func farthestOf(p *Planes, v crop.View, width, height, orientation, pixelsASample int) float64 {
	worst := 0.0
	for i, rows := range samplesOf(p) {
		every := 1.0
		if i > 0 {
			every = float64(pixelsASample)
		}
		for y, row := range rows {
			for x, sample := range row {
				sx, sy := stored(orientation, (float64(v.Window.Min.X)+(float64(x)+0.5)*every)/float64(v.Whole.X),
					(float64(v.Window.Min.Y)+(float64(y)+0.5)*every)/float64(v.Whole.Y))
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

// Of a crop too, however its chroma lies to that of the whole, and at every load shrink.
func TestEverySampleOfACropIsWhereItBelongs(t *testing.T) {
	const width, height = 259, 190
	for _, name := range slices.Sorted(maps.Keys(samplings)) {
		file := baseline(width, height, samplings[name], 0, waves)
		for _, shrink := range []int{1, 2, 4} {
			planes := decoded(t, file, shrink)
			for orientation := 1; orientation <= 8; orientation++ {
				whole := image.Pt(61, 45)
				if orientation > 4 {
					whole = image.Pt(45, 61)
				}
				for _, window := range []image.Rectangle{image.Rect(0, 0, 20, 21), image.Rect(5, 9, 36, 40), image.Rect(12, 13, 45, 45), image.Rect(3, 0, 4, 45)} {
					for _, chroma := range []Chroma{Halved, Full} {
						v := crop.View{Whole: whole, Window: window}
						small, err := planes.Resize(v, crop.Turns[orientation], chroma)
						if err != nil {
							t.Fatal(err)
						}
						if worst := farthestOf(small, v, width, height, orientation, int(chroma)); worst > 3 || small.Width != window.Dx() || small.Height != window.Dy() {
							t.Errorf("1/%d, orientation %d, %v, chroma %d: off by %.1f", shrink, orientation, window, chroma, worst)
						}
						small.Close()
					}
				}
			}
		}
	}
}

// A picture of odd dimensions in a larger one: where the last sample of chroma is of both, it is between both.
func TestPaddingIsOfTheColorThatItHas(t *testing.T) {
	for _, s := range []sampling{half, grey} {
		picture := decoded(t, baseline(7, 5, s, 0, func(_, _, _ int, _, _ float64) float64 { return 100 }), 1)
		small := resizedTo(t, picture, 7, 5, 1, Halved)
		padded, err := small.Pad(image.Pt(2, 4), image.Pt(13, 12), [3]uint8{255, 0, 0})
		if err != nil {
			t.Fatal(err)
		}
		defer padded.Close()
		within := byte(100)
		if small.Grey() {
			within = 128
		}
		red := [3]byte{76, 85, 255}
		for i, rows := range samplesOf(padded) {
			for y, row := range rows {
				for x, sample := range row {
					in, want := image.Pt(x, y).In(image.Rect(2, 4, 9, 9)), red[i]
					switch {
					case i == 0 && in:
						want = 100
					case i > 0 && image.Pt(x, y).In(image.Rect(1, 2, 5, 5)):
						want = within
						if x == 4 {
							want = byte((int(want) + int(red[i]) + 1) / 2)
						}
						if y == 4 {
							want = byte((int(want) + int(red[i]) + 1) / 2)
						}
					}
					if d := int(sample) - int(want); d < -1 || d > 1 {
						t.Errorf("plane %d at %d, %d: %d, want %d", i, x, y, sample, want)
					}
				}
			}
		}
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
