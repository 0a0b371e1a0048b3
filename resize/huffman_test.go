package resize

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

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
			t.Cleanup(picture.Close)
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
	picture := encoderPictures(t, 64, 64)["edge in 3 bands"]
	params := vips.JpegExportParams{Quality: 80}
	standard, _, err := picture.ExportJpeg(&params)
	if err != nil {
		t.Fatal(err)
	}
	params.Interlace = true
	progressive, _, err := picture.ExportJpeg(&params)
	if err != nil {
		t.Fatal(err)
	}
	end := []byte{0xff, markerEOI}
	data := bytes.TrimSuffix(standard, end)
	refused := map[string][]byte{
		"progressive":     progressive,
		"more behind it":  slices.Concat(data, []byte{1, 2, 3}, end),
		"a marker within": slices.Concat(data[:len(data)-9], []byte{0xff, markerRST0}, data[len(data)-9:], end),
	}
	for n := 1; n < len(scanOf(t, data))-20; n++ {
		refused[fmt.Sprintf("%d bytes missing", n)] = slices.Concat(data[:len(data)-n], end)
		refused[fmt.Sprintf("cut short by %d", n)] = data[:len(data)-n]
	}
	for name, file := range refused {
		if _, err := withOwnTables(file); err == nil {
			t.Errorf("%s: it was accepted", name)
		}
	}
	sequential := []string{"baseline.jpg", "optimized-444.jpg", "sampled-411.jpg", "sampled-oddly.jpg", "grey.jpg", "cmyk.jpg"}
	for name, file := range codings(t) {
		got, err := withOwnTables(file)
		if (err == nil) != slices.Contains(sequential, name) {
			t.Errorf("%s: %v", name, err)
		}
		if _, goTakesIt := jpeg.DecodeConfig(bytes.NewReader(file)); err == nil && goTakesIt == nil && name != "cmyk.jpg" {
			samePixels(t, file, got)
		}
	}
}

// Above so many bits a pixel the standard tables stay, which every encoder writes alike; below it, and where hardly
// anything but tables is in the file, it has its own.
func TestOwnTablesWhereTheyPay(t *testing.T) {
	standard := append([]byte{0}, standardTables[0].dcCounts...)
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
