package jpeg

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"slices"
	"testing"

	"s3resizer/resize/resizetest"
)

// A picture that is not sequential, not in one scan, or damaged is an error: nothing is made of a part of it.
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
	before, errA := resizetest.Planes(a)
	after, errB := resizetest.Planes(b)
	if errA != nil || errB != nil || !bytes.Equal(before, after) {
		t.Errorf("the pixels differ: %v, %v", errA, errB)
	}
}
