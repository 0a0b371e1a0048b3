package resize

import (
	"bytes"
	"context"
	"errors"
	"image/jpeg"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"s3resizer/internal/demo"
	"s3resizer/resize/resizetest"
	"s3resizer/resize/resizetest/vips"
)

func spoiled(t testing.TB) []resizetest.Spoiled {
	t.Helper()
	all, err := resizetest.Spoil("testdata/jpeg")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// libjpeg makes up for corrupt data in the middle, so it used to pass, or was taken for a cut.
func TestSpoiledJPEGs(t *testing.T) {
	words := map[resizetest.Outcome]string{resizetest.Cut: "cut short at row", resizetest.Useless: "before its half", resizetest.Damaged: "damaged"}
	spec := Spec{Sizes: []Size{{Name: "all", Width: 203}}, Formats: []Format{PNG}}
	for _, s := range spoiled(t) {
		t.Run(s.Name, func(t *testing.T) {
			var got, want []byte
			if _, err := tryRender(s.Original, spec, func(r Rendition) { want = r.Data }); err != nil {
				t.Fatal(err)
			}
			_, err := tryRender(s.Data, spec, func(r Rendition) { got = r.Data })
			if n := vips.OpenImageRefs(); n != 0 {
				t.Errorf("%d libvips images are still open", n)
			}
			var rejection *Rejection
			switch {
			case s.Outcome == resizetest.Whole: // the original has gone by its planes; libvips has what was examined
				if err != nil {
					t.Error(err)
				} else if d := psnr(t, decoded(t, got), decoded(t, want)); d < 40 {
					t.Errorf("%.1f dB from the original", d)
				}
			case !errors.As(err, &rejection) || rejection.Class != ClassCorrupt || !strings.Contains(rejection.Reason, words[s.Outcome]) || (rejection.Remedy == RemedyAcceptTruncated) != (s.Outcome == resizetest.Cut) || got != nil:
				t.Errorf("%v, want class corrupt and %q", err, words[s.Outcome])
			}
		})
	}
}

func TestACutJPEGIsRenderedWhereThatIsWanted(t *testing.T) {
	spec := Spec{Sizes: []Size{{Name: "all", Width: 203}}, Formats: []Format{PNG}, AcceptTruncated: true}
	for _, s := range spoiled(t) {
		t.Run(s.Name, func(t *testing.T) {
			var got, want []byte
			if _, err := tryRender(s.Original, spec, func(r Rendition) { want = r.Data }); err != nil {
				t.Fatal(err)
			}
			summary, err := tryRender(s.Data, spec, func(r Rendition) { got = r.Data })
			if accepted := s.Outcome == resizetest.Whole || s.Outcome == resizetest.Cut; accepted != (err == nil) {
				t.Fatal(err)
			}
			if err != nil {
				return
			}
			if summary.Truncated != (s.Outcome == resizetest.Cut) {
				t.Errorf("truncated: %v", summary.Truncated)
			}
			// The upper half is as it was; in a progressive file, nearly so.
			a, b := upperHalf(t, got), upperHalf(t, want)
			if d := psnr(t, a, b); d < 30 {
				t.Errorf("the upper half is %.1f dB from that of the original", d)
			}
		})
	}
}

func upperHalf(t *testing.T, data []byte) *vips.ImageRef {
	t.Helper()
	img := decoded(t, data)
	if err := img.ExtractArea(0, 0, img.Width(), img.Height()/2); err != nil {
		t.Fatal(err)
	}
	return img
}

// No table has codes of ones alone, but libjpeg's fast path takes them for zeros without a warning. It is used as long as there
// are some kilobytes left to read.
func TestCodesThatCannotBeAreDamage(t *testing.T) {
	var color bytes.Buffer
	if err := jpeg.Encode(&color, demo.Scene(demo.City, 1, 1200, 900), &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	for name, whole := range map[string][]byte{"in grey": plainJPEG(t, 1200, 900), "in color": color.Bytes()} {
		for tenth := 2; tenth < 9; tenth++ {
			data := bytes.Clone(whole)
			copy(data[len(data)*tenth/10:], bytes.Repeat([]byte{0xff, 0}, 4))
			_, err := tryRender(data, Spec{Sizes: standard, Formats: []Format{AsSource}, Quality: quality}, func(Rendition) {})
			if rejection := (*Rejection)(nil); !errors.As(err, &rejection) || rejection.Class != ClassCorrupt {
				t.Errorf("%s, %d bytes, after %d tenths: %v", name, len(data), tenth, err)
			}
		}
	}
}

// A picture that is cut short causes a warning for each missing restart interval, and libvips gives up at the hundredth.
func TestACutJPEGOfManyRestartIntervals(t *testing.T) {
	data := codings(t)["restart-1.jpg"] // it has 494
	_, err := tryRender(data[:len(data)*6/10], Spec{Sizes: standard, Formats: []Format{AsSource}, Quality: quality, AcceptTruncated: true}, func(Rendition) {})
	if err != nil {
		t.Error(err)
	}
}

// The second reading can fail, too.
func TestTheSecondReadersErrorIsNotThePicturesFault(t *testing.T) {
	reset := errors.New("connection reset")
	cut := plainJPEG(t, 1200, 900)
	cut = cut[:len(cut)*7/10]
	spec := Spec{Sizes: standard, Formats: []Format{AsSource}, Quality: quality, AcceptTruncated: true}
	emit := func(Rendition) error { return nil }
	for name, c := range map[string]struct {
		second func(cancel context.CancelFunc) (io.ReadCloser, error)
		want   error
	}{
		"it can't be opened": {func(context.CancelFunc) (io.ReadCloser, error) { return nil, reset }, reset},
		"it breaks": {func(context.CancelFunc) (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(bytes.NewReader(cut[:len(cut)*8/10]), iotest.ErrReader(reset))), nil
		}, reset},
		"the context ends": {func(cancel context.CancelFunc) (io.ReadCloser, error) {
			cancel()
			return io.NopCloser(bytes.NewReader(cut)), nil
		}, context.Canceled},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		source, err := Open(ctx, file{bytes.NewReader(cut), func(context.Context) (io.ReadCloser, error) { return c.second(cancel) }}, limits)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := source.Render(ctx, spec, emit); !errors.Is(err, c.want) || errors.As(err, new(*Rejection)) {
			t.Errorf("%s: %v", name, err)
		}
		source.Close()
		cancel()
	}
}

// If a picture can't be read twice, it is rejected, but not called damaged.
func TestASuspectJPEGThatCannotBeReadAgainIsRejected(t *testing.T) {
	whole := plainJPEG(t, 1200, 900)
	source, err := Open(t.Context(), bytes.NewReader(whole[:len(whole)*7/10]), limits)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	_, err = source.Render(t.Context(), Spec{Sizes: standard, Formats: []Format{AsSource}, Quality: quality, AcceptTruncated: true}, func(Rendition) error { return nil })
	if rejection := (*Rejection)(nil); !errors.As(err, &rejection) || rejection.Class != ClassCorrupt || !strings.Contains(rejection.Reason, "can't be read again") {
		t.Errorf("%v", err)
	}
}
