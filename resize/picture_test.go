package resize

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"strings"
	"sync"
	"testing"

	"s3resizer/bench/photos"
	room "s3resizer/resize/internal/vips"
	"s3resizer/resize/resizetest/vips"
)

func TestMain(m *testing.M) {
	if renderEverything() {
		return
	}
	if err := Startup(2); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if measureMemory() || renderPictures() {
		return
	}
	os.Exit(m.Run())
}

// loopsOverPixels is for tests that would take minutes under the race detector and show nothing by it: they compute what
// pixels should be. `make test` runs them in a second round, without it.
func loopsOverPixels(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("loops over pixels")
	}
}

var (
	limits   = Limits{MaxPixels: 150_000_000, MaxFrames: 500, MaxMemory: 1 << 30}
	quality  = Quality{JPEG: 80, WebP: 80, AVIF: 50}
	white    = Color{255, 255, 255}
	standard = []Size{{"small", 368}, {"medium", 720}, {"large", 1440}}
)

// render gives all renditions of a picture by size and format, and checks that nothing of libvips stays behind.
func render(t *testing.T, data []byte, sizes []Size, formats ...Format) (*Source, map[string]Rendition) {
	t.Helper()
	out, open := map[string]Rendition{}, vips.OpenImageRefs()
	source, _, _, err := renderFile(data, limits, Spec{Sizes: sizes, Formats: formats, Quality: quality, Background: white}, func(r Rendition) {
		out[fmt.Sprint(r.Size, " ", r.Format)] = r
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := vips.OpenImageRefs() - open; n != 0 {
		t.Fatalf("%d libvips images are still open", n)
	}
	return source, out
}

func tryRender(data []byte, spec Spec, got func(Rendition)) (Summary, error) {
	_, summary, _, err := renderFile(data, limits, spec, got)
	return summary, err
}

// renderFile goes the whole way of a file, and reports whether it was read again, to be examined.
func renderFile(data []byte, limits Limits, spec Spec, got func(Rendition)) (source *Source, summary Summary, again bool, err error) {
	source, err = Open(context.Background(), bytes.NewReader(data), limits)
	if err != nil {
		return nil, summary, false, err
	}
	defer source.Close()
	var mu sync.Mutex
	emit := func(r Rendition) error {
		mu.Lock()
		defer mu.Unlock()
		got(r)
		return nil
	}
	spec.Reopen = func(context.Context) (io.ReadCloser, error) {
		again = true
		return io.NopCloser(bytes.NewReader(data)), nil
	}
	summary, err = source.Render(context.Background(), spec, emit)
	return source, summary, again, err
}

// decoded is the picture in a file, flattened onto mid-grey where it has alpha, so that what can't be seen does not
// count.
func decoded(t *testing.T, data []byte) *vips.ImageRef {
	t.Helper()
	img, err := vips.NewImageFromBuffer(data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(img.Close)
	visible(t, img)
	return img
}

func visible(t *testing.T, img *vips.ImageRef) {
	t.Helper()
	if img.HasAlpha() {
		if err := img.Flatten(&vips.Color{R: 128, G: 128, B: 128}); err != nil {
			t.Fatal(err)
		}
	}
	if err := img.ToColorSpace(vips.InterpretationSRGB); err != nil {
		t.Fatal(err)
	}
}

// reference is what a picture ought to become: all of it decoded, turned upright, one Lanczos step.
func reference(t *testing.T, data []byte, width, height int) *vips.ImageRef {
	t.Helper()
	img, err := vips.NewImageFromBuffer(data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(img.Close)
	if err := img.AutoRotate(); err != nil {
		t.Fatal(err)
	}
	if err := img.ResizeWithVScale(float64(width)/float64(img.Width()), float64(height)/float64(img.Height()), vips.KernelLanczos3); err != nil {
		t.Fatal(err)
	}
	if img.HasICCProfile() {
		if err := img.TransformICCProfileWithFallback("srgb", "srgb"); err != nil {
			t.Fatal(err)
		}
	}
	return img
}

// inRoom is a picture of govips as one that was rendered.
func inRoom(t *testing.T, img *vips.ImageRef) *pixels {
	t.Helper()
	samples, err := img.ToBytes()
	if err != nil {
		t.Fatal(err)
	}
	image, err := room.New(samples, img.Width(), img.Height(), img.Bands(), img.Interpretation())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(image.Close)
	return &pixels{image: image, space: image.Space(), frames: 1}
}

// psnr of two pictures of the same dimensions, in dB; infinite for equal ones.
func psnr(t *testing.T, a, b *vips.ImageRef) float64 {
	t.Helper()
	if a.Width() != b.Width() || a.Height() != b.Height() || a.Bands() != b.Bands() {
		t.Fatalf("%d × %d × %d and %d × %d × %d can't be compared", a.Width(), a.Height(), a.Bands(), b.Width(), b.Height(), b.Bands())
	}
	x, err := a.ToBytes()
	if err != nil {
		t.Fatal(err)
	}
	y, err := b.ToBytes()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for i := range x {
		d := float64(x[i]) - float64(y[i])
		sum += d * d
	}
	return 10 * math.Log10(255*255*float64(len(x))/sum)
}

// Every picture of the demo, against a full decode and one Lanczos step: the dimensions, the pixels before encoding,
// and what encoding adds.
func TestRenditionsOfTheDemoPictures(t *testing.T) {
	loopsOverPixels(t)
	set, err := photos.DemoSet()
	if err != nil {
		t.Fatal(err)
	}
	for _, photo := range set {
		t.Run(photo.Note, func(t *testing.T) {
			source, out := render(t, photo.Data, standard, PNG, AsSource)
			format := source.asSource()
			for _, size := range standard {
				width := min(size.Width, source.Width)
				height := max(1, int(math.Round(float64(source.Height)*float64(width)/float64(source.Width))))
				exact, encoded := out[size.Name+" png"], out[fmt.Sprint(size.Name, " ", format)]
				if exact.Width != width || exact.Height != height || encoded.Width != width || encoded.Height != height {
					t.Errorf("%s: %d × %d and %d × %d, want %d × %d", size.Name, exact.Width, exact.Height, encoded.Width, encoded.Height, width, height)
				}
				want := reference(t, photo.Data, width, height)
				encodedWant, err := inRoom(t, want).encode(format, Spec{Quality: quality, Background: white})
				if err != nil {
					t.Fatal(err)
				}
				visible(t, want)

				before, least := psnr(t, decoded(t, exact.Data), want), 38.0
				if size.Name == "large" {
					least = 35 // the load shrink costs a little on noisy pictures
				}
				if before < least {
					t.Errorf("%s, before encoding: %.1f dB, want at least %.0f", size.Name, before, least)
				}
				after, bound := psnr(t, decoded(t, encoded.Data), want), psnr(t, decoded(t, encodedWant), want)
				lossless := math.IsInf(bound, 1) // then what counts was checked before
				if !lossless && after < bound-0.6 {
					t.Errorf("%s, as %s: %.1f dB; the reference through the same encoder has %.1f", size.Name, format, after, bound)
				}
				t.Logf("%-6s %4d × %4d  before encoding %5.1f dB; as %s %.1f dB, reference %.1f dB; %d bytes", size.Name, width, height, before, format, after, bound, len(encoded.Data))
			}
		})
	}
}

// sharp decodes each size by itself: 1/2 from a factor of 3, 1/4 from 5, 1/8 from 9, and encodes with optimised Huffman
// tables.
func sharpsBytes(t *testing.T, data []byte, width, height int) int {
	t.Helper()
	full, err := vips.NewImageFromBuffer(data)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	params := vips.NewImportParams()
	factor, shrink := float64(full.Width())/float64(width), 1
	for _, step := range []struct {
		from   float64
		shrink int
	}{{3, 2}, {5, 4}, {9, 8}} {
		if factor >= step.from {
			shrink = step.shrink
		}
	}
	params.JpegShrinkFactor.Set(shrink)
	img, err := vips.LoadImageFromBuffer(data, params)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	if err := img.ResizeWithVScale(float64(width)/float64(img.Width()), float64(height)/float64(img.Height()), vips.KernelLanczos3); err != nil {
		t.Fatal(err)
	}
	out, _, err := img.ExportJpeg(&vips.JpegExportParams{Quality: 80, SubsampleMode: vips.VipsForeignSubsampleOn, OptimizeCoding: true, StripMetadata: true})
	if err != nil {
		t.Fatal(err)
	}
	return len(out)
}

// A set of renditions is at most 2 % larger than sharp's at the same quality setting. (Size by size they differ: sharp's
// small ones are smaller and blurrier, because it decodes them at 1/4 and 1/8.)
func TestJPEGsAreNoLargerThanSharps(t *testing.T) {
	loopsOverPixels(t)
	half := []Size{{"small", 184}, {"medium", 360}, {"large", 720}} // of half a phone's picture
	for _, kind := range photos.Kinds() {
		data := encode(t, photos.Scene(kind, 7, 2016, 1134), photos.Options{Format: "jpeg", Quality: 90})
		_, out := render(t, data, half, JPEG)
		ours, theirs := 0, 0
		for _, size := range half {
			r := out[size.Name+" jpeg"]
			ours += len(r.Data)
			theirs += sharpsBytes(t, data, r.Width, r.Height)
		}
		t.Logf("%v: %d bytes, sharp's have %d (%.3f)", kind, ours, theirs, float64(ours)/float64(theirs))
		if float64(ours) > 1.02*float64(theirs) {
			t.Errorf("%v: %d bytes, sharp's have %d (%.3f)", kind, ours, theirs, float64(ours)/float64(theirs))
		}
	}
}

// Dimensions that a load-time shrink does not divide: libvips drops the fraction of a pixel, and a picture stretched to
// make up for it was 10 dB off (31 instead of 41) and shifted by up to half a pixel at its far edges.
func TestOddDimensionsStayInRegister(t *testing.T) {
	loopsOverPixels(t)
	for _, c := range []struct{ width, height, size, shrink int }{
		{1051, 701, 360, 2}, {1003, 669, 360, 2}, {2001, 1335, 360, 4}, {1999, 1333, 180, 8}, {667, 1001, 225, 2},
	} {
		scene := photos.Scene(photos.City, 5, c.width, c.height)
		for _, orientation := range []int{1, 6} {
			data := encode(t, scene, photos.Options{Format: "jpeg", Quality: 92, Orientation: orientation})
			source, out := render(t, data, []Size{{"s", c.size}}, PNG)
			if got := source.loadShrink(c.size); got != c.shrink {
				t.Fatalf("%d × %d for %d is loaded at 1/%d, not 1/%d: the test shows nothing", c.width, c.height, c.size, got, c.shrink)
			}
			r := out["s png"]
			want := reference(t, data, r.Width, r.Height)
			visible(t, want)
			if db := psnr(t, decoded(t, r.Data), want); db < 38 {
				t.Errorf("%d × %d, orientation %d, at width %d: %.1f dB, want at least 38", c.width, c.height, orientation, c.size, db)
			}
		}
	}
}

func encode(t *testing.T, img image.Image, o photos.Options) []byte {
	t.Helper()
	data, err := photos.Encode(img, o)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestUprightWhateverTheOrientation(t *testing.T) {
	scene := photos.Scene(photos.Mountains, 3, 1700, 1100)
	upright := encode(t, scene, photos.Options{Format: "jpeg", Quality: 95})
	want := reference(t, upright, 720, 466)
	visible(t, want)
	for orientation := 1; orientation <= 8; orientation++ {
		data := encode(t, scene, photos.Options{Format: "jpeg", Quality: 95, Orientation: orientation})
		source, out := render(t, data, standard, PNG)
		if source.Width != 1700 || source.Height != 1100 {
			t.Errorf("orientation %d: the source is %d × %d upright, want 1700 × 1100", orientation, source.Width, source.Height)
		}
		if r := out["large png"]; r.Width != 1440 || r.Height != 932 {
			t.Errorf("orientation %d: large is %d × %d, want 1440 × 932", orientation, r.Width, r.Height)
		}
		if db := psnr(t, decoded(t, out["medium png"].Data), want); db < 36 {
			t.Errorf("orientation %d: %.1f dB from the upright picture", orientation, db)
		}
	}
}

func TestMetadataStaysBehind(t *testing.T) {
	loopsOverPixels(t)
	scene := photos.Scene(photos.Sea, 3, 900, 600)
	data := encode(t, scene, photos.Options{Format: "jpeg", Quality: 90, Orientation: 6})
	if !bytes.Contains(data, []byte("Exif\x00\x00")) {
		t.Fatal("the source has no EXIF: the test shows nothing")
	}
	p3, err := os.ReadFile("testdata/colour/p3.png")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(p3, []byte("iCCP")) {
		t.Fatal("the source has no profile: the test shows nothing")
	}
	for _, source := range [][]byte{data, p3} {
		_, out := render(t, source, standard, JPEG, PNG, WebP, AVIF)
		for name, r := range out {
			img, err := vips.NewImageFromBuffer(r.Data)
			if err != nil {
				t.Fatal(err)
			}
			for _, field := range img.ImageFields() {
				// libvips before 8.15 writes an EXIF block of its own into WebP, whatever it is told: resolution and dimensions.
				own := r.Format == WebP && vips.MajorVersion == 8 && vips.MinorVersion < 15 && !strings.Contains(field, "GPS")
				if strings.HasPrefix(field, "exif") && !own || strings.HasPrefix(field, "icc") || strings.HasPrefix(field, "xmp") || strings.HasPrefix(field, "iptc") {
					t.Errorf("%s has %s", name, field)
				}
			}
			img.Close()
		}
	}
}

func TestAlpha(t *testing.T) {
	loopsOverPixels(t)
	sticker := encode(t, photos.Sticker(1, 1600, 1200), photos.Options{Format: "png"})
	t.Run("kept where the format has it, flattened where not", func(t *testing.T) {
		_, out := render(t, sticker, standard, PNG, WebP, AVIF, JPEG)
		for name, r := range out {
			img, err := vips.NewImageFromBuffer(r.Data)
			if err != nil {
				t.Fatal(err)
			}
			if img.HasAlpha() != (r.Format != JPEG) {
				t.Errorf("%s: alpha %v", name, img.HasAlpha())
			}
			img.Close()
		}
	})
	t.Run("invisible colors do not bleed", func(t *testing.T) {
		// Opaque white beside fully transparent black: the edge must stay white, only thinner.
		img := image.NewNRGBA(image.Rect(0, 0, 2000, 200))
		for y := range 200 {
			for x := range 1001 {
				img.SetNRGBA(x, y, color.NRGBA{255, 255, 255, 255})
			}
		}
		_, out := render(t, encode(t, img, photos.Options{Format: "png"}), standard, PNG)
		for name, r := range out {
			got, _, err := image.Decode(bytes.NewReader(r.Data))
			if err != nil {
				t.Fatal(err)
			}
			for x := range r.Width {
				if c := color.NRGBAModel.Convert(got.At(x, r.Height/2)).(color.NRGBA); c.A > 20 && c.R < 245 {
					t.Errorf("%s: the edge is %v at x = %d", name, c, x)
					break
				}
			}
		}
	})
	t.Run("the background is the one of the settings", func(t *testing.T) {
		img := image.NewNRGBA(image.Rect(0, 0, 64, 64))
		data := encode(t, img, photos.Options{Format: "png"})
		_, err := tryRender(data, Spec{Sizes: []Size{{"s", 32}}, Formats: []Format{JPEG}, Quality: quality, Background: Color{200, 40, 90}}, func(r Rendition) {
			got, _, err := image.Decode(bytes.NewReader(r.Data))
			if err != nil {
				t.Fatal(err)
			}
			c := color.NRGBAModel.Convert(got.At(16, 16)).(color.NRGBA)
			if math.Abs(float64(c.R)-200) > 4 || math.Abs(float64(c.G)-40) > 4 || math.Abs(float64(c.B)-90) > 4 {
				t.Errorf("the background is %v", c)
			}
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestGreyStaysGreyAnd16BitsBecome8(t *testing.T) {
	deep := image.NewGray16(image.Rect(0, 0, 800, 600))
	for y := range 600 {
		for x := range 800 {
			deep.SetGray16(x, y, color.Gray16{uint16(x*80 + y)})
		}
	}
	wide := image.NewNRGBA64(image.Rect(0, 0, 800, 600))
	for y := range 600 {
		for x := range 800 {
			wide.SetNRGBA64(x, y, color.NRGBA64{uint16(x * 80), uint16(y * 100), 30000, 65535})
		}
	}
	for name, c := range map[string]struct {
		img  image.Image
		want color.NRGBA // in the middle
	}{"grey": {deep, color.NRGBA{126, 126, 126, 255}}, "color": {wide, color.NRGBA{125, 117, 117, 255}}} {
		var file bytes.Buffer // by Go's encoder, which keeps 16 bits
		if err := png.Encode(&file, c.img); err != nil {
			t.Fatal(err)
		}
		_, out := render(t, file.Bytes(), standard, PNG, JPEG)
		r := out["small png"]
		got, err := vips.NewImageFromBuffer(r.Data)
		if err != nil {
			t.Fatal(err)
		}
		if got.BandFormat() != vips.BandFormatUchar {
			t.Errorf("%s: %v, want 8 bits", name, got.BandFormat())
		}
		if name == "grey" && got.Bands() != 1 {
			t.Errorf("grey became %d bands", got.Bands())
		}
		got.Close()
		img, _, err := image.Decode(bytes.NewReader(r.Data))
		if err != nil {
			t.Fatal(err)
		}
		middle := color.NRGBAModel.Convert(img.At(r.Width/2, r.Height/2)).(color.NRGBA)
		for i, pair := range [][2]uint8{{middle.R, c.want.R}, {middle.G, c.want.G}, {middle.B, c.want.B}} {
			if math.Abs(float64(pair[0])-float64(pair[1])) > 2 {
				t.Errorf("%s: channel %d is %d in the middle, want %d", name, i, pair[0], pair[1])
			}
		}
	}
}
