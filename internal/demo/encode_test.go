package demo

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"s3resizer/resize/resizetest/vips"
)

func TestMain(m *testing.M) {
	vips.LoggingSettings(nil, vips.LogLevelWarning)
	m.Run()
}

// oldLibvips tells of a system's libvips that is older than the pinned one in what the tests see.
func oldLibvips() bool { return vips.MajorVersion == 8 && vips.MinorVersion < 15 }

func TestEncode(t *testing.T) {
	scene := Scene(Meadow, 4, 240, 160)

	for _, format := range []string{"jpeg", "png", "webp", "gif", "tiff", "avif"} {
		t.Run(format+" is read back as it was", func(t *testing.T) {
			defer vips.AssertNoLeaks(t)
			data, err := Encode(scene, Options{Format: format, Quality: 95})
			if err != nil {
				t.Fatal(err)
			}
			if got := vips.DetermineImageType(data); !strings.EqualFold(vips.ImageTypes[got], format) && format != "avif" {
				t.Errorf("the file is %s", vips.ImageTypes[got])
			}
			// libvips before 8.15 writes an EXIF block of its own into WebP, whatever it is told.
			if bytes.Contains(data, []byte("Exif")) && (format != "webp" || !oldLibvips()) {
				t.Error("has EXIF though none was asked for")
			}
			// A palette of 256 colours is further off than any lossy coder.
			if d := meanDifference(scene, reread(t, data)); d > 12 {
				t.Errorf("mean difference %.1f levels", d)
			}
		})
	}

	for orientation := 1; orientation <= 8; orientation++ {
		t.Run(fmt.Sprintf("orientation %d is upright once the tag is honoured", orientation), func(t *testing.T) {
			defer vips.AssertNoLeaks(t)
			data, err := Encode(scene, Options{Format: "jpeg", Quality: 95, Orientation: orientation})
			if err != nil {
				t.Fatal(err)
			}
			if got := header(t, data, (*vips.ImageRef).Orientation); got != orientation {
				t.Errorf("the tag says %d", got)
			}
			decoded, err := jpeg.Decode(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			shown := honour(decoded, orientation)
			if shown.Bounds().Size() != scene.Bounds().Size() {
				t.Fatalf("shown at %v", shown.Bounds().Size())
			}
			if d := meanDifference(scene, shown); d > 6 {
				t.Errorf("mean difference %.1f levels", d)
			}
		})
	}

	withEXIF := []string{"jpeg", "webp", "avif"}
	if !oldLibvips() { // which writes none into PNG
		withEXIF = append(withEXIF, "png")
	}
	for _, format := range withEXIF {
		t.Run(format+" with an orientation tells a GPS position", func(t *testing.T) {
			data, err := Encode(scene, Options{Format: format, Orientation: 1})
			if err != nil {
				t.Fatal(err)
			}
			latitude := header(t, data, func(ref *vips.ImageRef) string { return ref.GetString("exif-ifd3-GPSLatitude") })
			if !strings.HasPrefix(latitude, "33/1 5/1 4321/100") {
				t.Errorf("GPSLatitude %q", latitude)
			}
		})
	}

	t.Run("progressive JPEG and interlaced PNG", func(t *testing.T) {
		for _, progressive := range []bool{false, true} {
			data, err := Encode(scene, Options{Format: "jpeg", Progressive: progressive})
			if err != nil {
				t.Fatal(err)
			}
			if got := isProgressive(data); got != progressive {
				t.Errorf("JPEG: progressive %v, want %v", got, progressive)
			}
			if data, err = Encode(scene, Options{Format: "png", Progressive: progressive}); err != nil {
				t.Fatal(err)
			}
			// Interlace method: the last byte of IHDR.
			if got := data[28] == 1; got != progressive {
				t.Errorf("PNG: interlaced %v, want %v", got, progressive)
			}
		}
	})

	t.Run("alpha survives in PNG and lies on white in JPEG", func(t *testing.T) {
		sticker := Sticker(2, 120, 120)
		data, err := Encode(sticker, Options{Format: "png"})
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(decoded.(*image.NRGBA).Pix, sticker.Pix) {
			t.Error("PNG changed the pixels")
		}
		if data, err = Encode(sticker, Options{Format: "jpeg", Quality: 95}); err != nil {
			t.Fatal(err)
		}
		if r, _, _, _ := reread(t, data).At(1, 1).RGBA(); r>>8 < 250 {
			t.Errorf("the corner of the JPEG is %d", r>>8)
		}
	})

	t.Run("grey stays one channel", func(t *testing.T) {
		data, err := Encode(Gray(scene), Options{Format: "jpeg"})
		if err != nil {
			t.Fatal(err)
		}
		if bands := header(t, data, (*vips.ImageRef).Bands); bands != 1 {
			t.Errorf("%d channels", bands)
		}
	})

	t.Run("a sub-image is encoded alone", func(t *testing.T) {
		part := scene.SubImage(image.Rect(30, 20, 130, 90))
		data, err := Encode(part, Options{Format: "png"})
		if err != nil {
			t.Fatal(err)
		}
		if d := meanDifference(part, reread(t, data)); d != 0 {
			t.Errorf("mean difference %.1f levels", d)
		}
	})

	t.Run("Display P3 carries its profile and looks the same", func(t *testing.T) {
		defer vips.AssertNoLeaks(t)
		converted, profile, err := DisplayP3(scene)
		if err != nil {
			t.Fatal(err)
		}
		if d := meanDifference(scene, converted); d < 1 {
			t.Errorf("the numbers hardly changed: %.1f levels", d)
		}
		data, err := Encode(converted, Options{Format: "jpeg", Quality: 95, Profile: profile})
		if err != nil {
			t.Fatal(err)
		}
		if got := header(t, data, (*vips.ImageRef).GetICCProfile); !bytes.Equal(got, profile) {
			t.Errorf("profile of %d bytes, want %d", len(got), len(profile))
		}
		if d := meanDifference(scene, reread(t, data)); d > 6 {
			t.Errorf("mean difference once the profile is honoured: %.1f levels", d)
		}
	})

	t.Run("mistakes are named", func(t *testing.T) {
		for want, o := range map[string]Options{
			"bmp": {Format: "bmp"}, "orientation 9": {Format: "jpeg", Orientation: 9},
			"quality 101": {Format: "jpeg", Quality: 101}, "GIF": {Format: "gif", Orientation: 3},
		} {
			if _, err := Encode(scene, o); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: %v", o, err)
			}
		}
		if _, err := Encode(image.NewNRGBA(image.Rectangle{}), Options{Format: "jpeg"}); err == nil {
			t.Error("an empty picture was encoded")
		}
	})
}

// honour shows a stored picture as the EXIF orientation says, by the words of
// EXIF 2.3: mirroring and quarter turns, one after the other.
func honour(img image.Image, orientation int) image.Image {
	mirror := func(src image.Image) image.Image {
		w := src.Bounds().Dx()
		return redraw(src, w, src.Bounds().Dy(), func(x, y int) (int, int) { return w - 1 - x, y })
	}
	clockwise := func(src image.Image) image.Image {
		h := src.Bounds().Dy()
		return redraw(src, h, src.Bounds().Dx(), func(x, y int) (int, int) { return y, h - 1 - x })
	}
	quarters := map[int]int{3: 2, 4: 2, 5: 3, 6: 1, 7: 1, 8: 3}[orientation]
	if orientation == 2 || orientation == 4 || orientation == 5 || orientation == 7 {
		img = mirror(img)
	}
	for range quarters {
		img = clockwise(img)
	}
	return img
}

func redraw(src image.Image, width, height int, from func(x, y int) (int, int)) image.Image {
	dst := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			sx, sy := from(x, y)
			dst.Set(x, y, color.NRGBAModel.Convert(src.At(src.Bounds().Min.X+sx, src.Bounds().Min.Y+sy)))
		}
	}
	return dst
}

func header[T any](t *testing.T, data []byte, read func(*vips.ImageRef) T) T {
	t.Helper()
	ref, err := vips.NewImageFromBuffer(data)
	if err != nil {
		t.Fatal(err)
	}
	defer ref.Close()
	return read(ref)
}

// reread decodes a file to sRGB, its profile honoured.
func reread(t *testing.T, data []byte) image.Image {
	t.Helper()
	ref, err := vips.NewImageFromBuffer(data)
	if err != nil {
		t.Fatal(err)
	}
	defer ref.Close()
	if ref.HasICCProfile() {
		if err := ref.TransformICCProfileWithFallback("srgb", "srgb"); err != nil {
			t.Fatal(err)
		}
	}
	data, _, err = ref.ExportPng(&vips.PngExportParams{StripMetadata: true})
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// isProgressive walks a JPEG's segments to its frame header: SOF2 or another.
func isProgressive(data []byte) bool {
	for at := 2; at+4 <= len(data) && data[at] == 0xff; {
		marker := data[at+1]
		if marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc {
			return marker == 0xc2
		}
		at += 2 + int(data[at+2])<<8 + int(data[at+3])
	}
	return false
}
