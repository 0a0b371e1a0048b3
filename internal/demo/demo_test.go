package demo

import (
	"bytes"
	"image"
	"image/jpeg"
	"strings"
	"testing"
	"unicode"

	"s3resizer/resize/resizetest/vips"
)

func TestDemoSet(t *testing.T) {
	defer vips.AssertNoLeaks(t)
	photos, err := Set()
	if err != nil {
		t.Fatal(err)
	}
	if len(photos) < 9 {
		t.Errorf("%d photos, want at least nine", len(photos))
	}
	type traits struct {
		width, height, bands, orientation int
		format                            vips.ImageType
		alpha, profile, gps               bool
	}
	read := func(ref *vips.ImageRef) traits {
		return traits{ref.Width(), ref.Height(), ref.Bands(), ref.Orientation(), ref.Format(), ref.HasAlpha(), ref.HasICCProfile(),
			ref.GetString("exif-ifd3-GPSLatitude") != ""}
	}
	found := map[string]bool{}
	keys := map[string]bool{}
	for _, p := range photos {
		is := header(t, p.Data, read)
		megapixels := float64(is.width*is.height) / 1e6
		isJPEG := is.format == vips.ImageTypeJPEG
		progressive := isJPEG && isProgressive(p.Data)
		for trait, has := range map[string]bool{
			"baseline JPEG of 12 MP":           isJPEG && !progressive && is.width == 4032 && is.height == 3024,
			"progressive JPEG of about 9 MP":   progressive && megapixels > 8.5 && megapixels < 9.5,
			"PNG with alpha":                   is.format == vips.ImageTypePNG && is.alpha,
			"WebP":                             is.format == vips.ImageTypeWEBP && is.width == 3000,
			"portrait lying on its side":       is.orientation == 6 && is.width > is.height,
			"grey JPEG":                        isJPEG && is.bands == 1,
			"narrower than the small size":     is.width < 368,
			"profile":                          is.profile,
			"GPS position":                     is.gps,
			"key with spaces":                  strings.Contains(p.Key, " "),
			"key with a plus":                  strings.Contains(p.Key, "+"),
			"key in Korean":                    strings.ContainsFunc(p.Key, func(r rune) bool { return unicode.Is(unicode.Hangul, r) }),
			"key in a folder":                  strings.Contains(p.Key, "/"),
			"key at the root of the bucket":    !strings.Contains(p.Key, "/"),
			"file that holds no EXIF whatever": !bytes.Contains(p.Data, []byte("Exif\x00")),
		} {
			found[trait] = found[trait] || has
		}
		if keys[p.Key] {
			t.Errorf("two photos have the key %q", p.Key)
		}
		keys[p.Key] = true
		if p.Note == "" {
			t.Errorf("%s has no note", p.Key)
		}
	}
	for trait, has := range found {
		if !has {
			t.Errorf("no photo: %s", trait)
		}
	}
}

func TestContactSheet(t *testing.T) {
	pictures := []image.Image{
		Scene(Sea, 1, 200, 150), Scene(City, 1, 90, 160), Sticker(1, 100, 100), Scene(Dunes, 1, 300, 100),
		Scene(Mountains, 1, 160, 120), Gray(Scene(Aurora, 1, 120, 90)), Scene(Meadow, 1, 4, 3),
	}
	var file bytes.Buffer
	if err := ContactSheet(&file, pictures); err != nil {
		t.Fatal(err)
	}
	sheet, err := jpeg.Decode(&file)
	if err != nil {
		t.Fatal(err)
	}
	if sheet.Bounds().Dx() != sheetWidth {
		t.Errorf("width %d", sheet.Bounds().Dx())
	}
	if r, g, b, _ := sheet.At(3, 3).RGBA(); min(r, g, b)>>8 < 0xe8 {
		t.Errorf("the paper is %d %d %d", r>>8, g>>8, b>>8)
	}
	var laid int
	for _, row := range sheetRows(pictures) {
		laid += len(row)
	}
	if laid != len(pictures) {
		t.Errorf("%d of %d pictures laid out", laid, len(pictures))
	}

	t.Run("nothing to lay out", func(t *testing.T) {
		if err := ContactSheet(&file, nil); err == nil {
			t.Error("no error")
		}
	})
}
