package resize

import (
	"errors"
	"maps"
	"os"
	"slices"
	"testing"

	"s3resizer/internal/demo"
	"s3resizer/resize/resizetest/vips"
)

// everyFormat returns pictures in each format, and in each of its forms, by name.
func everyFormat(t *testing.T) map[string][]byte {
	t.Helper()
	cmyk, err := os.ReadFile("testdata/colour/cmyk.tif")
	if err != nil {
		t.Fatal(err)
	}
	moving := animation(t)
	scene := demo.Scene(demo.Dunes, 5, 240, 180)
	out := map[string][]byte{
		"GIF, animated": moving, "TIFF with a profile behind its pixels": cmyk, "PNG of one color": plainPNG(t, 20, 20),
		"WebP without loss": lossless(t, encode(t, scene, demo.Options{Format: "png"})),
	}
	if _, err := tryRender(moving, Spec{Sizes: []Size{{Name: "all", Width: 64}}, Formats: []Format{WebP}, Quality: quality}, func(r Rendition) { out["WebP, animated"] = r.Data }); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"jpeg", "png", "webp", "gif", "tiff", "avif"} {
		out[format] = encode(t, scene, demo.Options{Format: format})
		out[format+", interlaced"] = encode(t, scene, demo.Options{Format: format, Progressive: true})
		out[format+" with EXIF"] = encode(t, scene, demo.Options{Format: format, Orientation: 1})
	}
	return out
}

func lossless(t *testing.T, data []byte) []byte {
	t.Helper()
	image, err := vips.NewImageFromBuffer(data)
	if err != nil {
		t.Fatal(err)
	}
	defer image.Close()
	out, _, err := image.ExportWebp(&vips.WebpExportParams{Lossless: true})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// harmless is how many bytes may be missing at the end of a file that begins with a byte: the end marker of a JPEG, the trailer
// of a GIF, the last chunk of a PNG. All pixels are there.
var harmless = map[byte]int{0xff: 2, 'G': 1, 0x89: 12}

// GIFs used to pass that were cut between two frames, and so did TIFFs without the profile at their end.
func TestACutFileNeverPassesAsWhole(t *testing.T) {
	files := everyFormat(t)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		t.Run(name, func(t *testing.T) {
			data := files[name]
			var lengths []int
			for step := range 40 {
				lengths = append(lengths, len(data)*(1000+step*98000/39)/100000)
			}
			for missing := 1; missing <= 30; missing++ {
				lengths = append(lengths, len(data)-missing)
			}
			for _, length := range lengths {
				_, err := tryRender(data[:length], Spec{Sizes: []Size{{Name: "s", Width: 100}}, Formats: []Format{AsSource}, Quality: quality}, func(Rendition) {})
				missing := len(data) - length
				switch rejected := errors.As(err, new(*Rejection)); {
				case missing <= harmless[data[0]]:
					if err != nil {
						t.Errorf("%d of %d bytes: %v", length, len(data), err)
					}
				case data[0] == 0x89 && missing <= harmless[0x89]+8:
					// The checksums of its pixels, which a decoder may or may not ask for.
				case !rejected:
					t.Errorf("%d of %d bytes: %v", length, len(data), err)
				}
			}
			if n := vips.OpenImageRefs(); n != 0 {
				t.Errorf("%d libvips images are still open", n)
			}
		})
	}
}
