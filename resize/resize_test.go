package resize

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"maps"
	"reflect"
	"strings"
	"testing"

	"s3resizer/resize/resizetest/vips"
)

func plainJPEG(t *testing.T, width, height int) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = uint8(i*i>>8) ^ uint8(i/width)
	}
	var data bytes.Buffer
	if err := jpeg.Encode(&data, img, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

func plainPNG(t *testing.T, width, height int) []byte {
	t.Helper()
	var data bytes.Buffer
	if err := png.Encode(&data, image.NewRGBA(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

func TestLoadShrinkLeavesWhatTheWidestSizeNeeds(t *testing.T) {
	for _, c := range []struct {
		format       Format
		source, want int
		shrink       int
	}{
		{JPEG, 4032, 1440, 2}, {JPEG, 2600, 1000, 2}, {JPEG, 2599, 1000, 1}, {JPEG, 5200, 1000, 4}, {JPEG, 20000, 1440, 8}, {JPEG, 65500, 10, 8},
		{WebP, 4032, 1440, 2}, {PNG, 4032, 1440, 1}, {TIFF, 9000, 1440, 1},
		{JPEG, 1051, 360, 2}, {JPEG, 1003, 360, 2}, {JPEG, 2001, 360, 4}, {JPEG, 1999, 180, 8}, {JPEG, 667, 225, 2}, // as the names of rows in package conformance say
	} {
		s := &Source{Format: c.format, Width: c.source, Height: 1000, Frames: 1}
		if got := s.loadShrink(c.want); got != c.shrink {
			t.Errorf("%s of width %d for %d: 1/%d, want 1/%d", c.format, c.source, c.want, got, c.shrink)
		}
	}
}

func TestRejections(t *testing.T) {
	whole := plainJPEG(t, 1200, 900)
	for name, c := range map[string]struct {
		data   []byte
		limits Limits
		class  Class
		reason string
	}{
		"nothing":               {nil, limits, ClassUnsupported, "empty"},
		"text":                  {[]byte("hello, this is not a picture"), limits, ClassUnsupported, "not an image"},
		"two bytes":             {[]byte{0xff, 0xd8}, limits, ClassUnsupported, "not an image"},
		"SVG":                   {[]byte(`<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="9" height="9"/></svg>`), limits, ClassUnsupported, "SVG"},
		"PDF":                   {[]byte("%PDF-1.7\n%âãÏÓ\n1 0 obj\n"), limits, ClassUnsupported, "PDF"},
		"a header cut short":    {whole[:100], limits, ClassCorrupt, "header"},
		"half a JPEG":           {whole[:len(whole)/2], limits, ClassCorrupt, "cut short"},
		"all but the last 2 %":  {whole[:len(whole)*98/100], limits, ClassCorrupt, "cut short"},
		"half a PNG":            {plainPNG(t, 900, 900)[:1500], limits, ClassCorrupt, "cut short"},
		"too many pixels":       {whole, Limits{1200*900 - 1, 500, 1 << 30}, ClassTooLarge, "1079999"},
		"a bomb, in its header": {pngHeader(65535, 65535), limits, ClassTooLarge, "limit"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, _, err := renderFile(c.data, c.limits, Spec{Sizes: standard, Formats: []Format{AsSource}, Quality: quality}, func(r Rendition) {
				t.Errorf("%s was made of it", r.Size)
			})
			var rejection *Rejection
			if !errors.As(err, &rejection) || rejection.Class != c.class || !strings.Contains(rejection.Reason, c.reason) {
				t.Errorf("got %v, want class %s and %q", err, c.class, c.reason)
			}
			if n := vips.OpenImageRefs(); n != 0 {
				t.Errorf("%d libvips images are still open", n)
			}
		})
	}
}

// pngHeader is the start of a PNG of the given dimensions: signature, IHDR, and an IDAT that holds nothing.
func pngHeader(width, height uint32) []byte {
	var b bytes.Buffer
	b.WriteString("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")
	ihdr := []byte{byte(width >> 24), byte(width >> 16), byte(width >> 8), byte(width), byte(height >> 24), byte(height >> 16), byte(height >> 8), byte(height), 1, 0, 0, 0, 0}
	b.Write(ihdr)
	crc := crc32.ChecksumIEEE(append([]byte("IHDR"), ihdr...))
	b.Write([]byte{byte(crc >> 24), byte(crc >> 16), byte(crc >> 8), byte(crc)})
	b.WriteString("\x00\x00\x00\x00IDAT\x35\xaf\x06\x1e")
	return b.Bytes()
}

// A WebP has 16383 pixels a side at most. That used to cost a picture all of its renditions, in all formats.
func TestAFormatThatCantHoldTheSizeHoldsLess(t *testing.T) {
	got := map[string]string{}
	spec := Spec{Sizes: []Size{{Name: "all", Width: 340}, {Name: "narrow", Width: 170}}, Formats: []Format{PNG, WebP}, Quality: quality}
	if _, err := tryRender(plainPNG(t, 340, 17000), spec, func(r Rendition) {
		got[r.Size+" "+string(r.Format)] = fmt.Sprint(r.Width, " ", r.Height)
		if source, err := Open(t.Context(), bytes.NewReader(r.Data), limits); err != nil || source.Width != r.Width || source.Height != r.Height {
			t.Errorf("%s %s: it is of other dimensions, %v", r.Size, r.Format, err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"all png": "340 17000", "narrow png": "170 8500", "all webp": "327 16350", "narrow webp": "170 8500"}
	if !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// A load shrink would leave nothing of a picture that is only a few rows high; libvips before 8.15 aborts then.
func TestLinesAreResizedToo(t *testing.T) {
	for _, c := range [][2]int{{8000, 1}, {1, 8000}, {3744, 1}, {7488, 2}, {15000, 7}, {65500, 3}, {1, 1}} {
		_, out := render(t, plainJPEG(t, c[0], c[1]), standard, JPEG)
		for name, r := range out {
			if w := min(standard[2].Width, c[0]); name == "large jpeg" && (r.Width != w || r.Height != max(1, (c[1]*w+c[0]/2)/c[0])) {
				t.Errorf("%d × %d, %s: %d × %d", c[0], c[1], name, r.Width, r.Height)
			}
		}
	}
}

func TestSamplesOfUnknownRangeAreRejected(t *testing.T) {
	for _, format := range []vips.BandFormat{vips.BandFormatFloat, vips.BandFormatUint} {
		img, err := vips.NewImageFromMemory(make([]byte, 4*64*64), 64, 64, 1, format, vips.InterpretationBW)
		if err != nil {
			t.Fatal(err)
		}
		data, _, err := img.ExportTiff(nil)
		img.Close()
		if err != nil {
			t.Fatal(err)
		}
		_, err = Open(t.Context(), bytes.NewReader(data), limits)
		var rejection *Rejection
		if !errors.As(err, &rejection) || rejection.Class != ClassUnsupported || !strings.Contains(rejection.Reason, "8 nor of 16 bits") {
			t.Errorf("band format %v: %v", format, err)
		}
	}
}

// Some encoders write the general brand for images as the major brand, and AVIF's only among the compatible ones.
func TestAnAVIFOfAnotherMajorBrand(t *testing.T) {
	_, out := render(t, plainJPEG(t, 300, 200), []Size{{Name: "s", Width: 200}}, AVIF)
	data := bytes.Replace(out["s avif"].Data, []byte("ftypavif"), []byte("ftypmif1"), 1)
	if bytes.Equal(data, out["s avif"].Data) {
		t.Fatal("the brand was not changed: the test shows nothing")
	}
	if source, _ := render(t, data, []Size{{Name: "s", Width: 100}}, JPEG); source.Format != AVIF || source.Width != 200 {
		t.Errorf("%+v", source)
	}
}

func TestFormatsInAndOut(t *testing.T) {
	source := plainJPEG(t, 600, 400)
	_, out := render(t, source, []Size{{Name: "s", Width: 300}}, JPEG, PNG, WebP, AVIF)
	tiff := func() []byte {
		img, err := vips.NewImageFromBuffer(source)
		if err != nil {
			t.Fatal(err)
		}
		defer img.Close()
		data, _, err := img.ExportTiff(nil)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}()
	inputs := map[Format][]byte{
		JPEG: out["s jpeg"].Data, PNG: out["s png"].Data, WebP: out["s webp"].Data, AVIF: out["s avif"].Data, GIF: animation(t), TIFF: tiff,
	}
	for format, data := range inputs {
		source, again := render(t, data, []Size{{Name: "s", Width: 100}}, AsSource)
		if source.Format != format {
			t.Errorf("%s was taken for %s", format, source.Format)
		}
		want := format
		if format == TIFF {
			want = JPEG // browsers don't show TIFF
		}
		r, ok := again[fmt.Sprint("s ", want)]
		if !ok {
			t.Errorf("%s became %v", format, again)
			continue
		}
		if got, err := detect(r.Data[:min(len(r.Data), sniffLength)]); got != want || err != nil {
			t.Errorf("%s became %s by name and %s by its bytes, %v", format, want, got, err)
		}
	}
}

// animation is a GIF of three frames: red, green, blue, 70, 110 and 150 ms, played twice.
func animation(t *testing.T) []byte {
	t.Helper()
	g := gif.GIF{LoopCount: 1, Delay: []int{7, 11, 15}}
	for _, c := range []color.RGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}} {
		frame := image.NewPaletted(image.Rect(0, 0, 300, 201), color.Palette{c, color.Black})
		g.Image = append(g.Image, frame)
	}
	var data bytes.Buffer
	if err := gif.EncodeAll(&data, &g); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

func TestAnimationsStayAnimated(t *testing.T) {
	source, out := render(t, animation(t), []Size{{Name: "s", Width: 100}, {Name: "m", Width: 200}}, GIF, WebP, JPEG)
	if source.Frames != 3 || source.Height != 201 {
		t.Errorf("%d frames of height %d", source.Frames, source.Height)
	}
	for _, format := range []Format{GIF, WebP} {
		r := out[fmt.Sprint("s ", format)]
		if r.Width != 100 || r.Height != 67 {
			t.Errorf("%s: frames of %d × %d, want 100 × 67", format, r.Width, r.Height)
		}
		params := vips.NewImportParams()
		params.NumPages.Set(-1)
		img, err := vips.LoadImageFromBuffer(r.Data, params)
		if err != nil {
			t.Fatal(err)
		}
		delay, err := img.PageDelay()
		if err != nil || !reflect.DeepEqual(delay, []int{70, 110, 150}) || img.Pages() != 3 || img.PageHeight() != 67 || img.Loop() != 2 {
			t.Errorf("%s: %d frames of height %d, delays %v, loop %d, %v", format, img.Pages(), img.PageHeight(), delay, img.Loop(), err)
		}
		// No frame bleeds into the next: the first and the last row of each are of its own color.
		for frame, want := range [][]float64{{255, 0, 0}, {0, 255, 0}, {0, 0, 255}} {
			for _, row := range []int{0, 66} {
				got, err := img.GetPoint(50, frame*67+row)
				if err != nil {
					t.Fatal(err)
				}
				for i := range want {
					if d := got[i] - want[i]; d > 6 || d < -6 {
						t.Errorf("%s: frame %d, row %d is %v, want %v", format, frame, row, got, want)
						break
					}
				}
			}
		}
		img.Close()
	}
	still := decoded(t, out["s jpeg"].Data)
	if p, err := still.GetPoint(50, 30); still.Height() != 67 || err != nil || p[0] < 240 {
		t.Errorf("a JPEG has the first frame: height %d, %v, %v", still.Height(), p, err)
	}
	if _, err := tryRender(animation(t), Spec{}, nil); err == nil {
		t.Error("no sizes: want an error")
	}
	if _, err := Open(t.Context(), bytes.NewReader(animation(t)), Limits{1e9, 2, 1 << 30}); err == nil || !strings.Contains(err.Error(), "more than 2 frames") {
		t.Errorf("three frames, two allowed: %v", err)
	}
	if _, err := Open(t.Context(), bytes.NewReader(animation(t)), Limits{3*300*201 - 1, 3, 1 << 30}); err == nil {
		t.Error("pixels are counted in all frames")
	}
}

// Browsers show animations as they are stored. When all frames were turned as one picture, they were cut to pieces.
func TestAnimationsAreNotTurned(t *testing.T) {
	_, out := render(t, animation(t), []Size{{Name: "s", Width: 200}}, WebP)
	params := vips.NewImportParams()
	params.NumPages.Set(-1)
	img, err := vips.LoadImageFromBuffer(out["s webp"].Data, params)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	if err := img.SetOrientation(6); err != nil {
		t.Fatal(err)
	}
	data, _, err := img.ExportWebp(&vips.WebpExportParams{Quality: 80})
	if err != nil {
		t.Fatal(err)
	}
	source, out := render(t, data, []Size{{Name: "s", Width: 100}}, WebP)
	if r := out["s webp"]; source.Frames != 3 || source.Width != 200 || r.Width != 100 || r.Height != 67 {
		t.Errorf("%+v, %d × %d", source, r.Width, r.Height)
	}
}
