package resize

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"s3resizer/internal/demo"
	"s3resizer/resize/resizetest"
	"s3resizer/resize/resizetest/vips"
)

// Every target begins with pictures of its format that are stored in different ways and are not rejected.
func TestSeedsArePictures(t *testing.T) {
	for _, format := range []Format{JPEG, PNG, GIF, WebP, TIFF, AVIF} {
		pictures := seeds(t, format)
		if len(pictures) < 3 {
			t.Errorf("%s: %d seeds", format, len(pictures))
		}
		for _, seed := range pictures {
			name, data := seed.name, seed.data
			if got, err := detect(data[:min(len(data), sniffLength)]); err != nil || got != format {
				t.Errorf("%s is %s, %v", name, got, err)
			}
			if numbers := resizetest.Structure(data); len(numbers) < 4 && !strings.Contains(name, "big") { // a BigTIFF is not looked into
				t.Errorf("%s: %d numbers of its structure", name, len(numbers))
			}
			if _, err := tryRender(data, Spec{Sizes: []Size{{Name: "s", Width: 5}}, Formats: []Format{AsSource}, Quality: quality}, func(Rendition) {}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// The small files below testdata are seeds, too, and so are the small ones of the corpus. In a large file, most bytes make no
// difference to a decoder, but all of them take time.
const largestSeed = 16 << 10

// seed is a picture that the fuzzer begins with.
type seed struct {
	name string
	data []byte
}

// seeds are the pictures of a format, in the same order every time.
func seeds(t testing.TB, format Format) []seed {
	t.Helper()
	var out []seed
	for name, data := range drawn(t) {
		if strings.HasPrefix(name, string(format)+" ") {
			out = append(out, seed{name, data})
		}
	}
	for _, p := range resizetest.Pictures() {
		if got, err := detect(p.Data[:min(len(p.Data), sniffLength)]); err == nil && got == format && p.Shows != nil && len(p.Data) <= largestSeed {
			out = append(out, seed{p.Name, p.Data})
		}
	}
	slices.SortFunc(out, func(a, b seed) int { return strings.Compare(a.name, b.name) })
	err := filepath.WalkDir("testdata", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if got, err := detect(data[:min(len(data), sniffLength)]); err == nil && got == format && len(data) <= largestSeed {
			out = append(out, seed{path, data})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// drawn returns small pictures of every format, stored in the ways that the encoders at hand have.
func drawn(t testing.TB) map[string][]byte {
	t.Helper()
	sticker := demo.Sticker(1, 24, 20)
	scene := demo.Scene(demo.City, 5, 40, 30)
	out := map[string][]byte{}
	keep := func(name string) func([]byte, error) {
		return func(data []byte, err error) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			out[name] = data
		}
	}
	encoded := func(name string, picture image.Image, o demo.Options) {
		o.Format, _, _ = strings.Cut(name, " ")
		keep(name)(demo.Encode(picture, o))
	}
	encoded("jpeg 4:2:0", scene, demo.Options{})
	encoded("jpeg progressive, turned", scene, demo.Options{Progressive: true, Orientation: 6})
	encoded("jpeg grey", demo.Gray(scene), demo.Options{Quality: 50})
	encoded("png with alpha", sticker, demo.Options{})
	encoded("png interlaced", scene, demo.Options{Progressive: true})
	encoded("png grey, turned", demo.Gray(scene), demo.Options{Orientation: 3})
	encoded("webp with alpha", sticker, demo.Options{})
	encoded("webp turned", scene, demo.Options{Orientation: 8})
	encoded("gif with transparency", sticker, demo.Options{})
	encoded("gif still", scene, demo.Options{})
	encoded("tiff with alpha", sticker, demo.Options{})
	encoded("tiff turned", scene, demo.Options{Orientation: 5})
	encoded("tiff grey", demo.Gray(scene), demo.Options{})
	encoded("avif with alpha", sticker, demo.Options{})
	encoded("avif turned", scene, demo.Options{Orientation: 7})
	encoded("avif grey", demo.Gray(scene), demo.Options{})

	byGo := func(name string, picture image.Image) {
		var data bytes.Buffer
		err := png.Encode(&data, picture)
		keep(name)(data.Bytes(), err)
	}
	byGo("png 16 bits", image.NewNRGBA64(image.Rect(0, 0, 17, 9)))
	byGo("png grey, 16 bits", image.NewGray16(image.Rect(0, 0, 9, 17)))
	byGo("png 1 bit", image.NewPaletted(image.Rect(0, 0, 31, 9), color.Palette{color.Black, color.White}))
	byGo("png palette with alpha", image.NewPaletted(image.Rect(0, 0, 31, 9), color.Palette{color.Black, color.White, color.NRGBA{255, 0, 0, 100}, color.Transparent, color.White}))

	var moving bytes.Buffer
	err := gif.EncodeAll(&moving, &frames)
	keep("gif animated")(moving.Bytes(), err)

	from := func(data []byte, export func(*vips.ImageRef)) {
		params := vips.NewImportParams()
		params.NumPages.Set(-1)
		img, err := vips.LoadImageFromBuffer(data, params)
		if err != nil {
			t.Fatal(err)
		}
		defer img.Close()
		export(img)
	}
	from(out["gif animated"], func(img *vips.ImageRef) {
		data, _, err := img.ExportWebp(&vips.WebpExportParams{Lossless: true})
		keep("webp animated, lossless")(data, err)
		data, _, err = img.ExportWebp(&vips.WebpExportParams{Quality: 60})
		keep("webp animated")(data, err)
	})
	from(out["png with alpha"], func(img *vips.ImageRef) {
		data, _, err := img.ExportWebp(&vips.WebpExportParams{Lossless: true})
		keep("webp lossless with alpha")(data, err)
		data, _, err = img.ExportAvif(&vips.AvifExportParams{Lossless: true, Bitdepth: 8, Effort: 1})
		keep("avif lossless with alpha")(data, err)
	})
	from(out["png interlaced"], func(img *vips.ImageRef) {
		data, _, err := img.ExportJpeg(&vips.JpegExportParams{Quality: 90, SubsampleMode: vips.VipsForeignSubsampleOff, OptimizeCoding: true})
		keep("jpeg 4:4:4")(data, err)
		for name, compression := range map[string]vips.TiffCompression{
			"none": vips.TiffCompressionNone, "jpeg": vips.TiffCompressionJpeg, "deflate": vips.TiffCompressionDeflate, "packbits": vips.TiffCompressionPackbits,
		} {
			data, _, err := img.ExportTiff(&vips.TiffExportParams{Compression: compression, Quality: 80})
			keep("tiff "+name)(data, err)
		}
		data, _, err = img.ExportTiff(&vips.TiffExportParams{Compression: vips.TiffCompressionLzw, Predictor: vips.TiffPredictorHorizontal, Tile: true, TileWidth: 16, TileHeight: 16, Pyramid: true})
		keep("tiff of tiles")(data, err)
	})
	cmyk, err := vips.NewImageFromMemory(bytes.Repeat([]byte{10, 100, 200, 30}, 20*10), 20, 10, 4, vips.BandFormatUchar, vips.InterpretationCMYK)
	if err != nil {
		t.Fatal(err)
	}
	defer cmyk.Close()
	data, _, err := cmyk.ExportJpeg(&vips.JpegExportParams{Quality: 80})
	keep("jpeg cmyk")(data, err)
	data, _, err = cmyk.ExportTiff(&vips.TiffExportParams{Compression: vips.TiffCompressionNone})
	keep("tiff cmyk")(data, err)
	return out
}

// frames is an animation in which each frame covers only a part of the screen, and is disposed of in another way.
var frames = gif.GIF{
	Image: []*image.Paletted{
		image.NewPaletted(image.Rect(0, 0, 20, 15), color.Palette{color.Black, color.White}),
		image.NewPaletted(image.Rect(3, 4, 9, 12), color.Palette{color.White, color.Transparent, color.Black}),
		image.NewPaletted(image.Rect(5, 0, 20, 3), color.Palette{color.NRGBA{200, 0, 0, 255}, color.Transparent}),
	},
	Delay: []int{7, 0, 300}, Disposal: []byte{gif.DisposalNone, gif.DisposalPrevious, gif.DisposalBackground}, LoopCount: 2,
}
