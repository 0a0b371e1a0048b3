package main

import (
	"bytes"
	"image"
	"math"
	"os"
	"strings"
	"testing"

	"s3resizer/internal/report"
)

// A phone's picture: what reads HEIC makes JPEGs of it, with its P3 colors in sRGB; what does not says what would.
// HEIC tells which is tested, as it tells make which to build.
func TestHEIC(t *testing.T) {
	data, err := os.ReadFile("../../resize/testdata/heic/grid.heic")
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t)
	result := s.invoke(t, s.upload(t, "photos", "a.heic", data)).Results[0]
	if os.Getenv("HEIC") == "" {
		if result.Status != report.Rejected || result.Class != "unsupported" || !strings.Contains(result.Reason, "s3resizer:heic") {
			t.Errorf("%+v", result)
		}
		return
	}
	if result.Status != report.Resized || len(result.Renditions) != 3 {
		t.Fatalf("%+v", result)
	}
	object, err := s.Open(t.Context(), "photos-resized", "small-a.heic.jpg")
	if err != nil {
		t.Fatal(err)
	}
	defer object.Close()
	if object.ContentType != "image/jpeg" {
		t.Errorf("is %s", object.ContentType)
	}
	var body bytes.Buffer
	if _, err := body.ReadFrom(object); err != nil {
		t.Fatal(err)
	}
	img, _, err := image.Decode(&body)
	if err != nil {
		t.Fatal(err)
	}
	// The last patches of resize/testdata/colour/p3.csv.
	for i, want := range [][3]float64{{25, 45, 240}, {30, 230, 235}, {235, 35, 230}, {245, 240, 40}, {250, 120, 20}, {120, 20, 245}} {
		x, y := (30+i)%6*32+16, (30+i)/6*32+16
		r, g, b, _ := img.At(x, y).RGBA()
		for channel, v := range []uint32{r, g, b} {
			if math.Abs(float64(v)/257-want[channel]) > 8 {
				t.Errorf("(%d, %d) is %d %d %d, want %v", x, y, r/257, g/257, b/257, want)
				break
			}
		}
	}
}
