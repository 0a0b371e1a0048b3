package resize

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"s3resizer/internal/demo"
	"s3resizer/resize/internal/header"
	"s3resizer/resize/internal/jpeg"
	"s3resizer/resize/resizetest"
)

// What cameras, phones, browsers and design programs write takes a quarter of each limit at most: all good pictures that there are
// here, and the demo's photos. (Strips and tiles, and the data of HEIF's items, are in the tests of their packages.)
func TestOrdinaryPicturesAreFarFromTheLimits(t *testing.T) {
	type use struct {
		of   float64
		name string
	}
	most := map[string]use{}
	uses := func(limit, name string, n, of int64) {
		if u := (use{float64(n) / float64(of), name}); u.of > most[limit].of {
			most[limit] = u
		}
	}
	spec := Spec{Sizes: []Size{{Name: "small", Width: 368}, {Name: "medium", Width: 720}, {Name: "large", Width: 1440}}, Formats: []Format{AsSource}}
	seen := 0
	look := func(name string, data []byte) {
		source, err := Open(t.Context(), bytes.NewReader(data), limits)
		if err != nil {
			return // it is a bad one
		}
		defer source.Close()
		seen++
		uses("side", name, int64(max(source.Width, source.Height)), mostSide)
		if pictures, err := source.plan(spec); err == nil && source.Frames > 1 {
			uses("pixels of animations", name, source.animated(pictures), mostAnimated)
		}
		if source.input.streams {
			uses("bytes before the pixels", name, int64(source.input.head.Len()), header.Max)
		}
		if source.Format == JPEG {
			found := jpeg.Examine(t.Context(), data, limits.MaxPixels)
			uses("scans", name, int64(found.Scans), int64(jpeg.MostScans(found.Width, found.Height)))
		}
	}
	for _, p := range resizetest.Pictures() {
		if p.Shows != nil && !strings.Contains(p.Name, "655") { // which are meant to have the longest side
			look(p.Name, p.Data)
		}
	}
	err := filepath.WalkDir("testdata", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		look(path, data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !testing.Short() {
		photos, err := demo.Set()
		if err != nil {
			t.Fatal(err)
		}
		for _, photo := range photos {
			look(photo.Key, photo.Data)
		}
	}
	for limit, u := range most {
		t.Logf("%s: %.3f of the limit, %s", limit, u.of, u.name)
		if u.of > 0.25 {
			t.Errorf("%s: %s has %.2f of what the limit is", limit, u.name, u.of)
		}
	}
	if len(most) < 4 || seen < 150 {
		t.Errorf("%d limits, %d pictures", len(most), seen)
	}
}

// These are the largest animations that we have met.
func TestAnimationsMayBeLarge(t *testing.T) {
	spec := Spec{Sizes: []Size{{Name: "small", Width: 368}, {Name: "medium", Width: 720}, {Name: "large", Width: 1440}}, Formats: []Format{AsSource, WebP}}
	for _, a := range []struct {
		width, height, frames int
		passes                bool
	}{{480, 270, 300, true}, {1000, 175, 259, true}, {1280, 720, 60, true}, {547, 547, 500, false}, {65_535, 1, 500, true}} {
		source := &Source{Format: GIF, Width: a.width, Height: a.height, Frames: a.frames}
		pictures, err := source.plan(spec)
		if err != nil {
			t.Fatal(err)
		}
		if err := source.checkAnimation(pictures); a.passes != (err == nil) || err != nil && !tooLarge(err, "the limit is 100000000") {
			t.Errorf("%d × %d × %d, %d pixels: %v", a.width, a.height, a.frames, source.animated(pictures), err)
		}
	}
}
