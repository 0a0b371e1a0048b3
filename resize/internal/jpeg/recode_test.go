package jpeg

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"slices"
	"testing"
)

// What is no sequential picture in one scan is an error, and so is what is damaged: nothing is made of half of it.
func TestOwnTablesForNothingElse(t *testing.T) {
	picture := image.NewYCbCr(image.Rect(0, 0, 64, 64), image.YCbCrSubsampleRatio420)
	for i := range picture.Y {
		picture.Y[i] = byte(i%64 + i/64 + 128*(i%64/40%2))
	}
	var encoded bytes.Buffer
	if err := jpeg.Encode(&encoded, picture, &jpeg.Options{Quality: 80}); err != nil {
		t.Fatal(err)
	}
	standard := encoded.Bytes()
	progressive := codings(t)["progressive.jpg"]
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
		if _, err := Tuned(file); err == nil {
			t.Errorf("%s: it was accepted", name)
		}
	}
	sequential := []string{"baseline.jpg", "optimized-444.jpg", "sampled-411.jpg", "sampled-oddly.jpg", "grey.jpg", "cmyk.jpg"}
	for name, file := range codings(t) {
		got, err := Tuned(file)
		if (err == nil) != slices.Contains(sequential, name) {
			t.Errorf("%s: %v", name, err)
		}
		if _, goTakesIt := jpeg.DecodeConfig(bytes.NewReader(file)); err == nil && goTakesIt == nil && name != "cmyk.jpg" {
			samePixels(t, file, got)
		}
	}
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
