//go:build heic

package resize

import (
	"bytes"
	"context"
	"errors"
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

// Pictures with a few bytes changed are rejected, or decode to the same picture each time. By itself, libde265 left in place of
// what it could not decode what the memory held before, which may be another user's picture.
func TestDamagedHEIC(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 9))
	rejected, accepted := 0, 0
	try := func(data []byte) (out []byte) {
		_, err := tryRender(data, Spec{Sizes: []Size{{Name: "s", Width: 192}}, Formats: []Format{PNG}, Quality: quality}, func(r Rendition) { out = r.Data })
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

// The header says that the picture is small, but it is beyond the limit.
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
