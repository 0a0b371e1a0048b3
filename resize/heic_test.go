//go:build heic

package resize

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"s3resizer/resize/resizetest/vips"
)

func FuzzHEIC(f *testing.F) { fuzzPictures(f, HEIC) }

func heicFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/heic/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// What the patches of testdata/heic ought to be in sRGB: by Little CMS for those in P3, by the standards' own formulas
// for the others.
func TestHEICColours(t *testing.T) {
	p3 := patches(t, "testdata/colour/p3.csv", "perceptual")
	stored := patches(t, "testdata/colour/p3.csv", "p3")
	var wide []patch
	for _, p := range stored {
		p.r, p.g, p.b = bt2020ToSRGB(p.r, p.g, p.b)
		wide = append(wide, p)
	}
	for name, want := range map[string][]patch{
		"icc.heic":    p3,     // a P3 profile
		"nclx.heic":   p3,     // P3 by number
		"deep.heic":   p3,     // the same in 10 bits
		"grid.heic":   p3,     // the same in tiles, as phones have it, the last ones in part outside the picture
		"srgb.heic":   stored, // sRGB by number
		"turned.heic": stored, // turned, and its EXIF says so once more
		"bt2020.heic": wide,
	} {
		t.Run(name, func(t *testing.T) {
			source, out := render(t, heicFile(t, name), []Size{{"half", 96}}, PNG, AsSource)
			if source.Format != HEIC || source.Width != 192 || source.Height != 192 || source.Alpha {
				t.Errorf("%+v", source)
			}
			if out["half jpeg"].Data == nil {
				t.Error("not a JPEG, unless told otherwise")
			}
			agrees(t, out["half png"].Data, want)
		})
	}
}

// bt2020ToSRGB converts gamma-encoded colors, 0–255, by the matrix of ITU-R BT.2087.
func bt2020ToSRGB(r, g, b float64) (float64, float64, float64) {
	r, g, b = srgbLinear(r), srgbLinear(g), srgbLinear(b)
	coded := func(light float64) float64 {
		light = max(0, min(1, light))
		if light <= 0.0031308 {
			return 255 * 12.92 * light
		}
		return 255 * (1.055*math.Pow(light, 1/2.4) - 0.055)
	}
	return coded(1.6605*r - 0.5876*g - 0.0728*b), coded(-0.1246*r + 1.1329*g - 0.0083*b), coded(-0.0182*r - 0.1006*g + 1.1187*b)
}

// Black, the white of paper, and 1000 nits.
func TestHEICOfHighDynamicRange(t *testing.T) {
	_, out := render(t, heicFile(t, "pq.heic"), []Size{{"s", 96}}, PNG)
	img, _, err := image.Decode(bytes.NewReader(out["s png"].Data))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0, 191, 255} {
		r, g, b, _ := img.At(32*i+16, 16).RGBA()
		for _, v := range []uint32{r, g, b} {
			if math.Abs(float64(v)/257-want) > 2 {
				t.Errorf("patch %d is %d %d %d, want %g", i, r/257, g/257, b/257, want)
				break
			}
		}
	}
}

func TestHEICWithAlpha(t *testing.T) {
	for _, name := range []string{"alpha.heic", "weighted.heic"} {
		t.Run(name, func(t *testing.T) {
			source, out := render(t, heicFile(t, name), []Size{{"half", 96}}, AsSource)
			if !source.Alpha || out["half png"].Data == nil {
				t.Fatalf("%+v became %v", source, out)
			}
			img, _, err := image.Decode(bytes.NewReader(out["half png"].Data))
			if err != nil {
				t.Fatal(err)
			}
			for i, p := range patches(t, "testdata/colour/p3.csv", "p3") {
				got := color.NRGBAModel.Convert(img.At(p.x/2+8, p.y/2+8)).(color.NRGBA)
				// A weighted color has fewer steps, the fewer the less it is seen.
				alpha := 60 + 5*i
				near := 4 + 255/float64(alpha)
				if math.Abs(float64(got.A)-float64(alpha)) > 2 || math.Abs(float64(got.R)-p.r) > near || math.Abs(float64(got.G)-p.g) > near || math.Abs(float64(got.B)-p.b) > near {
					t.Errorf("patch %d is %v, want %v and alpha %d", i, got, p, alpha)
				}
			}
		})
	}
}

func TestHEICOfOddDimensions(t *testing.T) {
	source, out := render(t, heicFile(t, "odd.heic"), []Size{{"s", 191}}, PNG)
	if r := out["s png"]; source.Width != 191 || source.Height != 189 || r.Width != 191 || r.Height != 189 {
		t.Errorf("%d × %d became %d × %d", source.Width, source.Height, r.Width, r.Height)
	}
}

func TestTruncatedHEIC(t *testing.T) {
	whole := heicFile(t, "grid.heic")
	for n := 30; n < len(whole); n += 7 {
		_, err := tryRender(whole[:n], Spec{Sizes: standard, Formats: []Format{AsSource}, Quality: quality}, func(r Rendition) {
			t.Errorf("%s was made of %d of %d bytes", r.Size, n, len(whole))
		})
		if rejection := (*Rejection)(nil); !errors.As(err, &rejection) || rejection.Class != ClassCorrupt {
			t.Errorf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
	if n := vips.OpenImageRefs(); n != 0 {
		t.Errorf("%d libvips images are still open", n)
	}
}

// Pictures with a few bytes changed are rejected, or decode to something: always to the same. libde265 by itself filled
// what it could not decode with what the memory held before, which may be another user's picture.
func TestDamagedHEIC(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 9))
	rejected, accepted := 0, 0
	try := func(data []byte) (out []byte) {
		_, err := tryRender(data, Spec{Sizes: []Size{{"s", 192}}, Formats: []Format{PNG}, Quality: quality}, func(r Rendition) { out = r.Data })
		if rejection := (*Rejection)(nil); err != nil && !errors.As(err, &rejection) {
			t.Error(err)
		}
		return out
	}
	for _, name := range []string{"grid.heic", "icc.heic", "alpha.heic", "turned.heic", "deep.heic"} {
		whole := heicFile(t, name)
		for range 60 {
			data := bytes.Clone(whole)
			for range 1 + random.IntN(4) {
				data[24+random.IntN(len(data)-24)] = byte(random.Uint32())
			}
			first := try(data)
			if first == nil {
				rejected++
				continue
			}
			accepted++
			if !bytes.Equal(first, try(data)) {
				t.Errorf("%s, damaged, differs from one time to the next", name)
			}
		}
	}
	t.Logf("%d were rejected, %d accepted", rejected, accepted)
	if rejected == 0 || accepted == 0 {
		t.Error("the test shows nothing")
	}
}

// A file that calls itself small and holds a picture beyond the limit.
func TestHEICLargerThanItsHeaderSays(t *testing.T) {
	data := heicFile(t, "large.heic")
	source, err := Open(t.Context(), bytes.NewReader(data), limits)
	if err != nil || source.Width != 2048 {
		t.Fatalf("%+v, %v", source, err)
	}
	source.Close()
	_, err = Open(t.Context(), bytes.NewReader(data), Limits{100_000, 1, 1 << 30})
	if rejection := (*Rejection)(nil); !errors.As(err, &rejection) || rejection.Class != ClassTooLarge {
		t.Errorf("%v", err)
	}
	at := bytes.Index(data, []byte("ispe")) + 8 // its width and height
	copy(data[at:], []byte{0, 0, 0, 64, 0, 0, 0, 64})
	source, err = Open(t.Context(), bytes.NewReader(data), Limits{100_000, 1, 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	_, err = source.Render(t.Context(), Spec{Sizes: standard, Formats: []Format{AsSource}, Quality: quality}, func(Rendition) error { return nil })
	if rejection := (*Rejection)(nil); !errors.As(err, &rejection) || rejection.Class != ClassCorrupt {
		t.Errorf("%v", err)
	}
}

func TestTheEndOfTheContextEndsAHEIC(t *testing.T) {
	source, err := Open(t.Context(), bytes.NewReader(heicFile(t, "large.heic")), limits)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = source.Render(ctx, Spec{Sizes: standard, Formats: []Format{AsSource}, Quality: quality}, func(Rendition) error { return nil })
	if !errors.Is(err, context.Canceled) || errors.As(err, new(*Rejection)) {
		t.Errorf("%v", err)
	}
	for deadline := time.Now().Add(time.Minute); vips.OpenImageRefs() != 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the decoder that was left behind does not end")
		}
	}
}
