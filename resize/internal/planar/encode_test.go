package planar

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"runtime"
	"testing"
)

// Whatever a sample has seen, there is a code for everything, and none is of ones alone.
func TestASampleGivesCodesForAll(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		for _, all := range [][]byte{dcSymbols(), acSymbols()} {
			var often [256]int
			for _, symbol := range all[:1+random.IntN(len(all))] {
				often[symbol] = 1 << random.IntN(30)
			}
			codes := bestCodes(&often).with(all)
			seen, space := map[byte]bool{}, 0
			for i, n := range codes.lengths {
				space += int(n) << (longest - 1 - i)
			}
			for _, symbol := range codes.symbols {
				seen[symbol] = true
			}
			if len(seen) != len(all) || len(codes.symbols) != len(all) || space >= 1<<longest {
				t.Fatalf("%d symbols of %d, %d of %d bits of space", len(seen), len(all), space, 1<<longest)
			}
		}
	}
}

// calm is a picture of which a sample says nothing: one color, but for a square of noise that no sample meets in full.
func calm(width, height int) *image.RGBA {
	random := rand.New(rand.NewPCG(3, 4))
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			at := color.RGBA{200, 100, 50, 255}
			if x > width/2 && x < width/2+150 && y > height/3 && y < height/3+150 {
				at = color.RGBA{uint8(255 * random.IntN(2)), uint8(255 * random.IntN(2)), uint8(255 * random.IntN(2)), 255}
			}
			img.SetRGBA(x, y, at)
		}
	}
	return img
}

// A sample decides how many bytes a file has, not what the picture looks like: it has the very coefficients that it has with
// the best codes. A picture of few rows gets these.
func TestASampleChangesNoPixel(t *testing.T) {
	for name, height := range map[string]int{"few rows": 16 * fewRows, "one more": 16*fewRows + 1, "many": 1100} {
		for bands, kind := range map[int]string{1: "grey", 3: "RGB"} {
			for _, quality := range []int{1, 80, 100} {
				img := calm(700, height)
				var samples []byte
				for at := 0; at < len(img.Pix); at += 4 {
					samples = append(samples, img.Pix[at:at+bands]...)
				}
				got, err := Encode(samples, 700, height, bands, quality)
				if err != nil {
					t.Fatal(err)
				}
				var pinned runtime.Pinner
				pinned.Pin(&samples[0])
				best, err := compress(interleaved(samples, 700, height, bands), quality, new(tables), false)
				pinned.Unpin()
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(pixels(t, got), pixels(t, best)) {
					t.Errorf("%s, %s, at %d: other pixels than with the best codes", kind, name, quality)
				}
			}
		}
	}
}

// The codes of a sample are nearly as good as the best ones, though the top of the picture is calm and its bottom is not.
func TestASampleIsEnough(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	const width, height = 1440, 810
	samples := make([]byte, 3*width*height)
	for i := range samples {
		samples[i] = byte(128 + random.IntN(1+i/(3*width)/8))
	}
	got, err := Encode(samples, width, height, 3, 80)
	if err != nil {
		t.Fatal(err)
	}
	var pinned runtime.Pinner
	defer pinned.Unpin()
	pinned.Pin(&samples[0])
	best, err := compress(interleaved(samples, width, height, 3), 80, new(tables), false)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) > len(best)*101/100 {
		t.Errorf("%d bytes, %d with the best codes", len(got), len(best))
	}
}

func pixels(t *testing.T, file []byte) []byte {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	switch img := img.(type) {
	case *image.Gray:
		return img.Pix
	case *image.YCbCr:
		return append(append(bytes.Clone(img.Y), img.Cb...), img.Cr...)
	default:
		t.Fatalf("%T", img)
		return nil
	}
}
