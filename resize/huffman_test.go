package resize

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	jpegs "s3resizer/resize/internal/jpeg"
	"s3resizer/resize/resizetest/vips"
)

// The encoder's own way to the same end tells what should come of it: the very same codes, in tables that it gives a
// segment each.
func TestOwnTablesAreTheOnesTheEncoderWouldMake(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {8, 8}, {17, 33}, {640, 427}} {
		for _, quality := range []int{1, 30, 80, 100} {
			for name, picture := range encoderPictures(t, size[0], size[1]) {
				t.Run(fmt.Sprintf("%s %d × %d at %d", name, size[0], size[1], quality), func(t *testing.T) {
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
						got, err := jpegs.Tuned(standard)
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
			t.Cleanup(picture.Close)
			pictures[fmt.Sprintf("%s in %d bands", name, bands)] = picture
		}
	}
	return pictures
}

func scanOf(t *testing.T, file []byte) []byte {
	t.Helper()
	at := bytes.Index(file, []byte{0xff, 0xda})
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

// Above so many bits a pixel the standard tables stay, which every encoder writes alike; below it, and where hardly
// anything but tables is in the file, it has its own.
func TestOwnTablesWhereTheyPay(t *testing.T) {
	standard := []byte("\x00\x00\x01\x05\x01\x01\x01\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00") // that of DC coefficients of luma: T.81, table K.3
	for name, own := range map[string]bool{"noise in 3 bands 300": false, "edge in 3 bands 300": true, "edge in 1 bands 48": true, "one color in 3 bands 1": true} {
		t.Run(name, func(t *testing.T) {
			picture, side, _ := strings.Cut(name, " bands ")
			width, _ := strconv.Atoi(side)
			data, err := inRoom(t, encoderPictures(t, width, width)[picture+" bands"]).encode(JPEG, Spec{Quality: quality})
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(data, standard) == own {
				t.Errorf("tables of its own: %v, want %v (%d bytes)", !own, own, len(data))
			}
		})
	}
}
