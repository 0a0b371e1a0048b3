package main

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"testing"

	"s3resizer/internal/demo"
	"s3resizer/internal/report"
)

// A flag of three stripes, in sizes of every kind: what stays of it, and what is around it.
func TestBoxes(t *testing.T) {
	red, green, blue, around := color.NRGBA{200, 20, 30, 255}, color.NRGBA{20, 150, 40, 255}, color.NRGBA{10, 40, 190, 255}, color.NRGBA{240, 230, 120, 255}
	flag := image.NewNRGBA(image.Rect(0, 0, 1200, 600))
	for i, c := range []color.NRGBA{red, green, blue} {
		draw.Draw(flag, image.Rect(400*i, 0, 400*i+400, 600), image.NewUniform(c), image.Point{}, draw.Src)
	}
	startLibvips(t)
	data, err := demo.Encode(flag, demo.Options{Format: "jpeg", Orientation: 6})
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, "RESIZE_BACKGROUND=#f0e678", "RESIZE_SIZES=tall=x120,avatar=200x200:cover@right,card@2x=300x300:contain,banner=1600x400:cover:enlarge,small=2000x2000:cover")
	result := s.invoke(t, s.upload(t, "photos", "flag.jpg", data)).Results[0]
	want := []struct {
		size, key     string
		width, height int
		shows         map[image.Point]color.NRGBA
	}{
		{"tall", "tall-flag.jpg", 240, 120, map[image.Point]color.NRGBA{{20, 60}: red, {120, 60}: green, {220, 60}: blue}},
		{"avatar", "avatar-flag.jpg", 200, 200, map[image.Point]color.NRGBA{{20, 100}: green, {180, 100}: blue}},
		{"card@2x", "card@2x-flag.jpg", 300, 300, map[image.Point]color.NRGBA{{20, 150}: red, {280, 150}: blue, {150, 60}: around, {150, 240}: around}},
		{"banner", "banner-flag.jpg", 1600, 400, map[image.Point]color.NRGBA{{20, 20}: red, {800, 200}: green, {1580, 380}: blue}},
		{"small", "small-flag.jpg", 600, 600, map[image.Point]color.NRGBA{{20, 20}: red, {300, 300}: green, {580, 580}: blue}},
	}
	if result.Status != report.Resized || len(result.Renditions) != len(want) {
		t.Fatalf("%+v", result)
	}
	for i, w := range want {
		r := result.Renditions[i]
		if r.Size != w.size || r.Key != w.key || r.Width != w.width || r.Height != w.height {
			t.Errorf("%+v, want %+v", r, w)
		}
		object, err := s.Open(t.Context(), "photos-resized", w.key)
		if err != nil {
			t.Fatal(err)
		}
		defer object.Close()
		img, _, err := image.Decode(object)
		if err != nil || img.Bounds().Size() != image.Pt(w.width, w.height) {
			t.Fatalf("%s: %v, %v", w.key, img.Bounds(), err)
		}
		for at, c := range w.shows {
			got := color.NRGBAModel.Convert(img.At(at.X, at.Y)).(color.NRGBA)
			for _, pair := range [][2]uint8{{got.R, c.R}, {got.G, c.G}, {got.B, c.B}} {
				if math.Abs(float64(pair[0])-float64(pair[1])) > 8 {
					t.Errorf("%s: %v at %v, want %v", w.key, got, at, c)
					break
				}
			}
		}
	}
}
