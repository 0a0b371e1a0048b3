package resize

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"sync"
	"testing"

	"s3resizer/internal/demo"
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

// loopsOverPixels is called by tests that compute what pixels should be. Under the race detector, they would take minutes and
// find nothing. `make test` runs them in a second round, without it.
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
	standard = []Size{{Name: "small", Width: 368}, {Name: "medium", Width: 720}, {Name: "large", Width: 1440}}
)

// render returns all renditions of a picture by size and format, and checks that nothing of libvips stays open.
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

// file is one that can be read again.
type file struct {
	*bytes.Reader
	reopen func(context.Context) (io.ReadCloser, error)
}

func (f file) Reopen(ctx context.Context) (io.ReadCloser, error) { return f.reopen(ctx) }

// renderFile opens and renders a file, and reports whether it was read again, to be examined.
func renderFile(data []byte, limits Limits, spec Spec, got func(Rendition)) (source *Source, summary Summary, again bool, err error) {
	source, err = Open(context.Background(), file{bytes.NewReader(data), func(context.Context) (io.ReadCloser, error) {
		again = true
		return io.NopCloser(bytes.NewReader(data)), nil
	}}, limits)
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
	summary, err = source.Render(context.Background(), spec, emit)
	return source, summary, again, err
}

// decoded returns the picture in a file, laid on mid-grey if it has alpha, so that invisible colors do not count.
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

// psnr returns the PSNR of two pictures of the same dimensions, in dB. It is infinite if they are equal.
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

// sharpsBytes returns how many bytes a rendition by sharp has. sharp decodes each size by itself, at 1/2 from a factor of 3 on,
// 1/4 from 5, 1/8 from 9, and encodes with optimized Huffman tables.
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

// A set of renditions is at most 2 % larger than sharp's at the same quality setting. (Single sizes differ more: sharp's small
// ones are smaller and blurrier, because it decodes them at 1/4 and 1/8.)
func TestJPEGsAreNoLargerThanSharps(t *testing.T) {
	loopsOverPixels(t)
	half := []Size{{Name: "small", Width: 184}, {Name: "medium", Width: 360}, {Name: "large", Width: 720}} // of half a phone's picture
	for _, kind := range demo.Kinds() {
		data := encode(t, demo.Scene(kind, 7, 2016, 1134), demo.Options{Format: "jpeg", Quality: 90})
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

func encode(t *testing.T, img image.Image, o demo.Options) []byte {
	t.Helper()
	data, err := demo.Encode(img, o)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
