package quality

import (
	"image"
	"math"
	"os"
	"testing"

	"s3resizer/internal/demo"
	"s3resizer/resize"
)

func TestMain(m *testing.M) {
	if err := resize.Startup(1); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func encode(t *testing.T, img image.Image, o demo.Options) []byte {
	t.Helper()
	data, err := demo.Encode(img, o)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func distance(t *testing.T, original, rendition []byte) Distance {
	t.Helper()
	o, err := Decode(original)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	d, err := o.Compare(rendition)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestThePictureItselfIsEqual(t *testing.T) {
	for name, file := range map[string][]byte{
		"opaque":     encode(t, demo.Scene(demo.City, 1, 90, 60), demo.Options{Format: "png"}),
		"with alpha": encode(t, demo.Sticker(1, 90, 60), demo.Options{Format: "png"}),
		"grey":       encode(t, demo.Gray(demo.Scene(demo.City, 1, 90, 60)), demo.Options{Format: "png"}),
	} {
		// Colors are weighed by alpha, and back, in bytes, which rounds.
		if d := distance(t, file, file); d.PSNR < 60 || d.SSIM < 0.9999 {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestPSNRIsThatOfTheKnownError(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	other := image.NewNRGBA(img.Rect)
	for i := range img.Pix {
		img.Pix[i], other.Pix[i] = 100, 105
		if i%4 == 3 {
			img.Pix[i], other.Pix[i] = 255, 255
		}
	}
	d := distance(t, encode(t, img, demo.Options{Format: "png"}), encode(t, other, demo.Options{Format: "png"}))
	if want := 20 * math.Log10(255.0/5); math.Abs(d.PSNR-want) > 1e-9 {
		t.Errorf("%.3f dB, want %.3f", d.PSNR, want)
	}
	// Of flat pictures only the means count: (2·100·105 + c1) / (100² + 105² + c1).
	if want := (2*100*105 + c1) / (100*100 + 105*105 + c1); math.Abs(d.SSIM-want) > 1e-9 {
		t.Errorf("SSIM %.6f, want %.6f", d.SSIM, want)
	}
}

func TestTheWorseAnEncodingTheFarther(t *testing.T) {
	scene := demo.Scene(demo.Meadow, 1, 400, 300)
	original := encode(t, scene, demo.Options{Format: "png"})
	better := distance(t, original, encode(t, scene, demo.Options{Format: "jpeg", Quality: 90}))
	worse := distance(t, original, encode(t, scene, demo.Options{Format: "jpeg", Quality: 40}))
	if better.PSNR <= worse.PSNR || better.SSIM <= worse.SSIM || worse.SSIM <= 0 {
		t.Errorf("quality 90: %+v, 40: %+v", better, worse)
	}
}

func TestARenditionIsComparedAtItsOwnSizeAndUpright(t *testing.T) {
	lying := demo.Options{Format: "jpeg", Quality: 95, Orientation: 6}
	big, small := demo.Scene(demo.Dunes, 1, 400, 600), demo.Scene(demo.Dunes, 1, 200, 300)
	if d := distance(t, encode(t, big, lying), encode(t, small, demo.Options{Format: "png"})); d.PSNR < 25 {
		t.Errorf("%+v", d)
	}
}
