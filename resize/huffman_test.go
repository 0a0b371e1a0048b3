package resize

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"testing"

	"github.com/davidbyttow/govips/v2/vips"

	"s3resizer/resize/resizetest"
)

// The encoder's own way to the same end tells what should come of it: the very same codes, in tables that it gives a
// segment each.
func TestOwnTablesAreTheOnesTheEncoderWouldMake(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {8, 8}, {17, 33}, {640, 427}} {
		for _, quality := range []int{1, 30, 80, 100} {
			for name, picture := range encoderPictures(t, size[0], size[1]) {
				t.Run(fmt.Sprintf("%s %d × %d at %d", name, size[0], size[1], quality), func(t *testing.T) {
					defer picture.Close()
					for _, mode := range []vips.SubsampleMode{vips.VipsForeignSubsampleOn, vips.VipsForeignSubsampleOff} {
						params := vips.JpegExportParams{Quality: quality, SubsampleMode: mode, StripMetadata: true}
						standard, _, err := picture.ExportJpeg(&params)
						if err != nil {
							t.Fatal(err)
						}
						params.OptimizeCoding = true
						want, _, err := picture.ExportJpeg(&params)
						if err != nil {
							t.Fatal(err)
						}
						got, err := withOwnTables(standard)
						if err != nil {
							t.Fatal(err)
						}
						if !bytes.Equal(scanOf(t, got), scanOf(t, want)) {
							t.Errorf("the scan differs from the encoder's: %d bytes of file, want %d", len(got), len(want))
						}
						if len(got) > len(want) {
							t.Errorf("%d bytes, the encoder's own: %d", len(got), len(want))
						}
						samePixels(t, standard, got)
					}
				})
			}
		}
	}
}

// encoderPictures are noise, a gradient with an edge, and one color; in color and in grey.
func encoderPictures(t *testing.T, width, height int) map[string]*vips.ImageRef {
	random := rand.New(rand.NewPCG(1, 2))
	pictures := map[string]*vips.ImageRef{}
	for _, bands := range []int{1, 3} {
		space := map[int]vips.Interpretation{1: vips.InterpretationBW, 3: vips.InterpretationSRGB}[bands]
		for name, sample := range map[string]func(x, y int) byte{
			"noise":     func(int, int) byte { return byte(random.IntN(256)) },
			"edge":      func(x, y int) byte { return byte(x + y + 128*(x/40%2)) },
			"one color": func(int, int) byte { return 77 },
		} {
			data := make([]byte, width*height*bands)
			for i := range data {
				data[i] = sample(i/bands%width, i/bands/width)
			}
			picture, err := vips.NewImageFromMemory(data, width, height, bands, vips.BandFormatUchar, space)
			if err != nil {
				t.Fatal(err)
			}
			pictures[fmt.Sprintf("%s in %d bands", name, bands)] = picture
		}
	}
	return pictures
}

func scanOf(t *testing.T, file []byte) []byte {
	t.Helper()
	at := bytes.Index(file, []byte{0xff, markerSOS})
	if at < 0 {
		t.Fatal("no scan")
	}
	return file[at:]
}

func samePixels(t *testing.T, a, b []byte) {
	t.Helper()
	var planes [2][]byte
	for i, file := range [][]byte{a, b} {
		decoded, err := jpeg.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		switch m := decoded.(type) {
		case *image.Gray:
			planes[i] = m.Pix
		case *image.YCbCr:
			planes[i] = bytes.Join([][]byte{m.Y, m.Cb, m.Cr}, nil)
		default:
			t.Fatalf("%T", decoded)
		}
	}
	if !bytes.Equal(planes[0], planes[1]) {
		t.Error("the pixels differ")
	}
}

// What is no sequential picture in one scan is an error, and so is what is damaged: nothing is made of half of it.
func TestOwnTablesForNothingElse(t *testing.T) {
	for _, p := range resizetest.Pictures() {
		if format, err := detect(p.Data); err != nil || format != JPEG {
			continue
		}
		got, err := withOwnTables(p.Data)
		if err != nil {
			continue
		}
		if _, err := jpeg.Decode(bytes.NewReader(p.Data)); err == nil {
			samePixels(t, p.Data, got)
		}
	}
	picture := encoderPictures(t, 64, 64)["edge in 3 bands"]
	standard, _, err := picture.ExportJpeg(&vips.JpegExportParams{Quality: 80})
	if err != nil {
		t.Fatal(err)
	}
	for length := range len(standard) {
		if _, err := withOwnTables(standard[:length]); err == nil {
			t.Errorf("cut short after %d of %d bytes, it was accepted", length, len(standard))
		}
	}
}
