package demo

import (
	"bytes"
	"crypto/sha256"
	"image"
	"image/jpeg"
	"math"
	"runtime"
	"testing"

	"golang.org/x/image/draw"
)

func TestScene(t *testing.T) {
	for _, kind := range Kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			t.Run("the same arguments give the same bytes, on any number of cores", func(t *testing.T) {
				first := Scene(kind, 7, 401, 300)
				old := runtime.GOMAXPROCS(1)
				defer runtime.GOMAXPROCS(old)
				if second := Scene(kind, 7, 401, 300); !bytes.Equal(first.Pix, second.Pix) {
					t.Error("two renderings differ")
				}
				if other := Scene(kind, 8, 401, 300); bytes.Equal(first.Pix, other.Pix) {
					t.Error("another seed gives the same picture")
				}
			})
			t.Run("opaque", func(t *testing.T) {
				if !Scene(kind, 1, 64, 48).Opaque() {
					t.Error("has transparent pixels")
				}
			})
			t.Run("looks the same at another size", func(t *testing.T) {
				small := Scene(kind, 3, 320, 240)
				shrunk := image.NewNRGBA(small.Rect)
				big := Scene(kind, 3, 1280, 960)
				draw.ApproxBiLinear.Scale(shrunk, shrunk.Rect, halve(halve(big)), image.Rect(0, 0, 320, 240), draw.Src, nil)
				if d := meanDifference(small, shrunk); d > 9 {
					t.Errorf("mean difference of the small rendering from the big one shrunk: %.1f levels", d)
				}
			})
			t.Run("12 MP at quality 90 compress as a photo does", func(t *testing.T) {
				img := Scene(kind, 1, 4032, 3024)
				data, err := Encode(img, Options{Format: "jpeg", Quality: 90})
				if err != nil {
					t.Fatal(err)
				}
				bits := float64(len(data)) * 8 / (4032 * 3024)
				t.Logf("%.2f bits per pixel", bits)
				if bits < 2.5 || bits > 4.5 {
					t.Errorf("%.2f bits per pixel, want 2.5 to 4.5", bits)
				}
				decoded, err := jpeg.Decode(bytes.NewReader(data))
				if err != nil {
					t.Fatal(err)
				}
				if ratio := decoded.(*image.YCbCr).SubsampleRatio; ratio != image.YCbCrSubsampleRatio420 {
					t.Errorf("chroma subsampling %v, want 4:2:0", ratio)
				}
			})
		})
	}
	t.Run("odd sizes", func(t *testing.T) {
		for _, kind := range Kinds() {
			for _, size := range []image.Point{{1, 1}, {1, 200}, {200, 1}, {17, 5}, {100, 900}} {
				if got := Scene(kind, 5, size.X, size.Y).Rect.Max; got != size {
					t.Errorf("%v: %v, want %v", kind, got, size)
				}
			}
		}
	})
}

func TestGray(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 3, 1))
	copy(img.Pix, []byte{255, 255, 255, 255, 255, 0, 0, 255, 0, 255, 0, 255})
	if got, want := Gray(img).Pix, []byte{255, 76, 150}; !bytes.Equal(got, want) {
		t.Errorf("luma of white, red and green: %v, want %v", got, want)
	}
}

func TestSticker(t *testing.T) {
	s := Sticker(1, 400, 300)
	if again := Sticker(1, 400, 300); sha256.Sum256(s.Pix) != sha256.Sum256(again.Pix) {
		t.Error("two drawings differ")
	}
	var clear, partial, solid int
	for i := 3; i < len(s.Pix); i += 4 {
		switch s.Pix[i] {
		case 0:
			clear++
		case 255:
			solid++
		default:
			partial++
		}
	}
	pixels := 400 * 300
	if clear < pixels/5 || solid < pixels/10 || partial < pixels/100 {
		t.Errorf("of %d pixels %d are clear, %d translucent, %d solid", pixels, clear, partial, solid)
	}
}

// halve averages blocks of 2 × 2 pixels.
func halve(img *image.NRGBA) *image.NRGBA {
	half := image.NewNRGBA(image.Rect(0, 0, img.Rect.Dx()/2, img.Rect.Dy()/2))
	for y := range half.Rect.Dy() {
		for x := range half.Rect.Dx() {
			for c := range 4 {
				at := func(dx, dy int) int { return int(img.Pix[img.PixOffset(2*x+dx, 2*y+dy)+c]) }
				half.Pix[half.PixOffset(x, y)+c] = byte((at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1) + 2) / 4)
			}
		}
	}
	return half
}

// meanDifference is the mean absolute difference of two pictures of one size, in levels of 255.
func meanDifference(a, b image.Image) float64 {
	var sum float64
	size := a.Bounds().Size()
	for y := range size.Y {
		for x := range size.X {
			ar, ag, ab, _ := a.At(a.Bounds().Min.X+x, a.Bounds().Min.Y+y).RGBA()
			br, bg, bb, _ := b.At(b.Bounds().Min.X+x, b.Bounds().Min.Y+y).RGBA()
			sum += math.Abs(float64(ar)-float64(br)) + math.Abs(float64(ag)-float64(bg)) + math.Abs(float64(ab)-float64(bb))
		}
	}
	return sum / 257 / 3 / float64(size.X*size.Y)
}

func BenchmarkScene(b *testing.B) {
	for _, kind := range Kinds() {
		b.Run(kind.String(), func(b *testing.B) {
			for b.Loop() {
				Scene(kind, 1, 4032, 3024)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4032/3024, "ns/pixel")
		})
	}
}
