package conformance

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"s3resizer/resize"
	"s3resizer/resize/resizetest/vips"
)

// row is a picture, and what is right.
type row struct {
	is         string                 // what it is
	file       func() ([]byte, error) // its bytes
	widths     []int                  // of the renditions; 368, 720 and 1440 unless they are given
	formats    []resize.Format        // of the renditions
	background resize.Color           // white unless it is given
	right      []expectation
	truth      string // where that is known from
	slow       bool   // too slow for the race detector, which finds nothing in loops over pixels: -short leaves it out
}

// expectation is something that must be true of what became of a picture.
type expectation interface {
	check(t *testing.T, got *outcome)
}

// outcome is what became of a picture.
type outcome struct {
	file       []byte
	source     *resize.Source // nil if its header was refused
	renditions map[string]resize.Rendition
	err        error
}

// rendition returns the one of a width, in pixels as asked for, and a format.
func (o *outcome) rendition(t *testing.T, width int, format resize.Format) resize.Rendition {
	t.Helper()
	r, ok := o.renditions[fmt.Sprint(width, " ", format)]
	if !ok {
		t.Fatalf("there is no rendition of width %d in %s", width, format)
	}
	return r
}

func TestMain(m *testing.M) {
	if err := resize.Startup(2); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestConformance(t *testing.T) {
	run(t, photoRows, orientationRows, oddRows, alphaRows, depthRows, chartRows, heicRows, tiffRows(), corpusRows())
}

func TestDemoPictures(t *testing.T) {
	if testing.Short() {
		t.Skip("loops over pixels")
	}
	run(t, demoRows(t))
}

func run(t *testing.T, tables ...[]row) {
	seen := map[string]bool{}
	for _, r := range slices.Concat(tables...) {
		if seen[r.is] || r.truth == "" || len(r.right) == 0 {
			t.Errorf("%q is there twice, or says nothing of what is right, or not why", r.is)
		}
		seen[r.is] = true
		t.Run(r.is, func(t *testing.T) {
			if r.slow && testing.Short() {
				t.Skip("loops over pixels")
			}
			got := r.render(t)
			if !slices.ContainsFunc(r.right, func(e expectation) bool { _, is := e.(rejected); return is }) {
				if got.err != nil {
					t.Fatal(got.err)
				}
				ofAnyPicture{}.check(t, got)
			}
			for _, e := range r.right {
				e.check(t, got)
			}
		})
	}
}

// render goes the whole way of a file.
func (r row) render(t *testing.T) *outcome {
	t.Helper()
	file, err := r.file()
	if err != nil {
		t.Fatal(err)
	}
	got := &outcome{file: file, renditions: map[string]resize.Rendition{}}
	spec := resize.Spec{Formats: r.formats, Quality: quality, Background: r.background}
	if spec.Background == (resize.Color{}) {
		spec.Background = resize.Color{R: 255, G: 255, B: 255}
	}
	for _, width := range r.sizes() {
		spec.Sizes = append(spec.Sizes, resize.Size{Name: strconv.Itoa(width), Width: width})
	}
	open := vips.OpenImageRefs()
	got.source, got.err = resize.Open(t.Context(), again{bytes.NewReader(file), file}, limits)
	if got.err == nil {
		got.err = got.render(t, spec)
		got.source.Close()
	}
	if n := vips.OpenImageRefs() - open; n != 0 {
		t.Fatalf("%d libvips images are still open", n)
	}
	return got
}

// again is a file that can be read again.
type again struct {
	*bytes.Reader
	file []byte
}

func (a again) Reopen(context.Context) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(a.file)), nil
}

func (o *outcome) render(t *testing.T, spec resize.Spec) error {
	var mu sync.Mutex
	emit := func(r resize.Rendition) error {
		mu.Lock()
		defer mu.Unlock()
		o.renditions[r.Size+" "+string(r.Format)] = r
		return nil
	}
	_, err := o.source.Render(t.Context(), spec, emit)
	return err
}

func (r row) sizes() []int {
	if r.widths == nil {
		return []int{368, 720, 1440}
	}
	return r.widths
}

var (
	limits  = resize.Limits{MaxPixels: 150_000_000, MaxFrames: 500, MaxMemory: 1 << 30}
	quality = resize.Quality{JPEG: 80, WebP: 80, AVIF: 50}
)

// ofAnyPicture is true of every rendition, whatever it was made of: its dimensions and format are what the rule and its bytes
// say, its samples are of 8 bits, and it has nothing of the metadata.
type ofAnyPicture struct{}

func (ofAnyPicture) check(t *testing.T, got *outcome) {
	t.Helper()
	if len(got.renditions) == 0 {
		t.Error("there are no renditions")
	}
	for name, r := range got.renditions {
		asked, err := strconv.Atoi(r.Size)
		if err != nil {
			t.Fatal(err)
		}
		width := min(asked, got.source.Width)
		height := max(1, int(math.Round(float64(got.source.Height)*float64(width)/float64(got.source.Width))))
		if r.Width != width || r.Height != height {
			t.Errorf("%s: said to be of %d × %d pixels, want %d × %d", name, r.Width, r.Height, width, height)
		}
		img, err := vips.NewImageFromBuffer(r.Data)
		if err != nil {
			t.Fatal(err)
		}
		defer img.Close()
		if img.Width() != width || img.PageHeight() != height {
			t.Errorf("%s: %d × %d pixels, want %d × %d", name, img.Width(), img.PageHeight(), width, height)
		}
		if img.BandFormat() != vips.BandFormatUchar {
			t.Errorf("%s: samples of the kind %v, want 8 bits", name, img.BandFormat())
		}
		if again, err := resize.Open(t.Context(), bytes.NewReader(r.Data), limits); err != nil || again.Format != r.Format {
			t.Errorf("%s: said to be a %s: %v", name, r.Format, err)
		} else {
			again.Close()
		}
		for _, field := range img.ImageFields() {
			// libvips before 8.15 writes an EXIF block of its own into WebP, whatever it is told: resolution and dimensions.
			own := r.Format == resize.WebP && vips.MajorVersion == 8 && vips.MinorVersion < 15 && !strings.Contains(field, "GPS")
			if strings.HasPrefix(field, "exif") && !own || strings.HasPrefix(field, "icc") || strings.HasPrefix(field, "xmp") || strings.HasPrefix(field, "iptc") {
				t.Errorf("%s has %s", name, field)
			}
		}
	}
}

// decoded is the picture in a file, as Go's decoders see it.
func decoded(t *testing.T, data []byte) image.Image {
	t.Helper()
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}
