package resize

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"maps"
	"math"
	"math/rand/v2"
	"testing"

	"s3resizer/internal/demo"
	"s3resizer/resize/resizetest"
	"s3resizer/resize/resizetest/vips"
)

func TestFit(t *testing.T) {
	for _, c := range []struct {
		sourceW, sourceH int
		size             Size
		w, h             int
	}{
		{4032, 3024, Size{Width: 1440}, 1440, 1080},
		{6001, 3375, Size{Width: 1440}, 1440, 810}, // 809.9
		{3000, 2001, Size{Width: 720}, 720, 480},   // 480.2
		{1001, 333, Size{Width: 500}, 500, 166},    // 166.3
		{3, 2, Size{Width: 1}, 1, 1},               // 0.7
		{5000, 1, Size{Width: 368}, 368, 1},        // 0.07: never nothing
		{1, 5000, Size{Width: 368}, 1, 5000},       // never enlarged
		{300, 200, Size{Width: 368}, 300, 200},
		{300, 200, Size{Width: 368, Enlarge: true}, 368, 245},
		{4032, 3024, Size{Height: 600}, 800, 600},
		{300, 200, Size{Height: 600}, 300, 200},
		{1, 5000, Size{Height: 600}, 1, 600},
		{4000, 3000, Size{Width: 400, Height: 400}, 400, 300},
		{3000, 4000, Size{Width: 400, Height: 400}, 300, 400},
		{200, 1000, Size{Width: 400, Height: 300}, 60, 300},
		{100, 50, Size{Width: 400, Height: 300}, 100, 50},
		{100, 50, Size{Width: 400, Height: 300, Enlarge: true}, 400, 200},
		{4000, 3000, Size{Width: 400, Height: 200, Fit: Cover}, 400, 200},
		{300, 150, Size{Width: 200, Height: 200, Fit: Cover}, 150, 150}, // what is there, of the box's aspect
		{300, 150, Size{Width: 1600, Height: 900, Fit: Cover}, 267, 150},
		{3, 5000, Size{Width: 1600, Height: 900, Fit: Cover}, 3, 2},
		{5000, 1, Size{Width: 1, Height: 900, Fit: Cover}, 1, 1},
		{300, 150, Size{Width: 200, Height: 200, Fit: Cover, Enlarge: true}, 200, 200},
		{4000, 3000, Size{Width: 400, Height: 400, Fit: Contain}, 400, 400},
		{100, 50, Size{Width: 401, Height: 403, Fit: Contain}, 401, 403},
	} {
		s := &Source{Width: c.sourceW, Height: c.sourceH}
		if w, h := s.Fit(c.size, JPEG); w != c.w || h != c.h {
			t.Errorf("%d × %d, %v: %d × %d, want %d × %d", c.sourceW, c.sourceH, c.size, w, h, c.w, c.h)
		}
	}
}

// shown is what a view of a file shows, by libvips: all of it decoded, turned upright, one Lanczos step, and then cut.
func shown(t *testing.T, file []byte, whole image.Point, window image.Rectangle) *vips.ImageRef {
	t.Helper()
	img, err := vips.NewImageFromBuffer(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(img.Close)
	err = errors.Join(img.AutoRotate(),
		img.ResizeWithVScale(float64(whole.X)/float64(img.Width()), float64(whole.Y)/float64(img.Height()), vips.KernelLanczos3),
		img.ExtractArea(window.Min.X, window.Min.Y, window.Dx(), window.Dy()))
	if err != nil {
		t.Fatal(err)
	}
	visible(t, img)
	return img
}

// Every position, alone and beside a width from which it can be cut, lying and upright, by planes and by pixels.
func TestACoverIsCutOutOfTheWhole(t *testing.T) {
	loopsOverPixels(t)
	img := demo.Scene(demo.City, 5, 1051, 701)
	for name, file := range map[string][]byte{
		"jpeg":     encode(t, img, demo.Options{Format: "jpeg", Quality: 95}),
		"mirrored": encode(t, img, demo.Options{Format: "jpeg", Quality: 95, Orientation: 7}),
		"png":      encode(t, img, demo.Options{Format: "png"}),
	} {
		for _, c := range []struct {
			width, height int
			position      Position
			whole         image.Point
			window        image.Rectangle
		}{
			{200, 200, Center, image.Pt(300, 200), image.Rect(50, 0, 250, 200)},
			{200, 200, Left, image.Pt(300, 200), image.Rect(0, 0, 200, 200)},
			{201, 199, Right, image.Pt(298, 199), image.Rect(97, 0, 298, 199)},
			{200, 90, Center, image.Pt(200, 133), image.Rect(0, 21, 200, 111)},
			{200, 90, TopRight, image.Pt(200, 133), image.Rect(0, 0, 200, 90)},
			{199, 91, BottomLeft, image.Pt(199, 133), image.Rect(0, 42, 199, 133)},
		} {
			want := shown(t, file, c.whole, c.window)
			size := Size{Name: "s", Width: c.width, Height: c.height, Fit: Cover, Position: c.position}
			for _, sizes := range [][]Size{{size}, {size, {Name: "wider", Width: 760}}} {
				for _, spec := range []Spec{{Formats: []Format{PNG, JPEG}}, {Formats: []Format{JPEG}}, {Formats: []Format{JPEG}, NoPlanes: true}} {
					spec.Sizes, spec.Quality, spec.Background = sizes, Quality{JPEG: 100}, white
					_, err := tryRender(file, spec, func(r Rendition) {
						if r.Size != "s" {
							return
						}
						least := map[Format]float64{PNG: 35, JPEG: 33}[r.Format] // after a load shrink of 4; a pixel beside it, there are 25
						if db := psnr(t, decoded(t, r.Data), want); db < least {
							t.Errorf("%s, %v beside %v, %s of %v, no planes %v: %.1f dB", name, size, sizes[len(sizes)-1], r.Format, spec.Formats, spec.NoPlanes, db)
						}
					})
					if err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}

// spotted is a photo in which one place catches the eye.
func spotted(width, height int, at image.Point) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.NRGBA{90, 100, 110, 255}
			if d := image.Pt(x, y).Sub(at); d.X*d.X+d.Y*d.Y < height*height/64 {
				c = color.NRGBA{240, uint8(30 + 20*(x%9)), uint8(20 + 20*(y%7)), 255}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

// Where the picture has its one spot, there is the window, by both rules and both ways, and the same for the size of twice as much.
func TestWhatCatchesTheEyeStays(t *testing.T) {
	for _, c := range []struct{ width, height, x, y int }{{900, 300, 130, 150}, {900, 300, 780, 150}, {300, 900, 150, 700}} {
		img := spotted(c.width, c.height, image.Pt(c.x, c.y))
		for name, file := range map[string][]byte{
			"jpeg": encode(t, img, demo.Options{Format: "jpeg"}), "lying": encode(t, img, demo.Options{Format: "jpeg", Orientation: 8}), "png": encode(t, img, demo.Options{Format: "png"}),
		} {
			for _, position := range []Position{Attention, Entropy} {
				for _, noPlanes := range []bool{false, true} {
					spec := Spec{Sizes: []Size{cover("a", 60, 60, position), cover("a@2x", 120, 120, position)}, Formats: []Format{AsSource}, Quality: quality, NoPlanes: noPlanes}
					if _, err := tryRender(file, spec, func(r Rendition) {
						pixels := samples(t, decoded(t, r.Data))
						reds := 0
						for i := 0; i < len(pixels); i += 3 {
							if pixels[i] > 200 {
								reds++
							}
						}
						if all := r.Width * r.Height; 200*reds < 7*all { // the spot covers 5 % of them
							t.Errorf("%d × %d, %s, %s, %s, no planes %v: %d of %d are red", c.width, c.height, name, position, r.Size, noPlanes, reds, all)
						}
					}); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}

func samples(t *testing.T, img *vips.ImageRef) []byte {
	t.Helper()
	all, err := img.ToBytes()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A photo without alpha has the background around it, one with alpha nothing; and a grey one may have a background of any color.
func TestWhatIsAroundAContainedPicture(t *testing.T) {
	plain, clear := image.NewNRGBA(image.Rect(0, 0, 300, 150)), image.NewNRGBA(image.Rect(0, 0, 300, 150))
	for i := 0; i < len(plain.Pix); i += 4 {
		copy(plain.Pix[i:], []byte{0, 0, 200, 255})
		copy(clear.Pix[i:], []byte{0, 0, 200, 128})
	}
	grey := image.NewGray(plain.Rect)
	draw.Draw(grey, grey.Rect, image.NewUniform(color.Gray{70}), image.Point{}, draw.Src)
	red := Color{250, 10, 20}
	for name, c := range map[string]struct {
		file           []byte
		format         Format
		inside, around color.NRGBA
	}{
		"by planes":       {encode(t, plain, demo.Options{Format: "jpeg"}), JPEG, color.NRGBA{0, 0, 200, 255}, color.NRGBA{250, 10, 20, 255}},
		"planes to PNG":   {encode(t, plain, demo.Options{Format: "jpeg"}), PNG, color.NRGBA{0, 0, 200, 255}, color.NRGBA{250, 10, 20, 255}},
		"grey by planes":  {encode(t, grey, demo.Options{Format: "jpeg"}), JPEG, color.NRGBA{70, 70, 70, 255}, color.NRGBA{250, 10, 20, 255}},
		"grey":            {encode(t, grey, demo.Options{Format: "png"}), PNG, color.NRGBA{70, 70, 70, 255}, color.NRGBA{250, 10, 20, 255}},
		"without alpha":   {encode(t, plain, demo.Options{Format: "png"}), WebP, color.NRGBA{0, 0, 200, 255}, color.NRGBA{250, 10, 20, 255}},
		"alpha":           {encode(t, clear, demo.Options{Format: "png"}), PNG, color.NRGBA{0, 0, 200, 128}, color.NRGBA{}},
		"alpha to WebP":   {encode(t, clear, demo.Options{Format: "png"}), WebP, color.NRGBA{0, 0, 200, 128}, color.NRGBA{}},
		"alpha to a JPEG": {encode(t, clear, demo.Options{Format: "png"}), JPEG, color.NRGBA{125, 5, 110, 255}, color.NRGBA{250, 10, 20, 255}},
	} {
		spec := Spec{Sizes: []Size{contain("small", 81, 91), contain("whole", 401, 403)}, Formats: []Format{c.format}, Quality: Quality{100, 100, 50}, Background: red}
		if _, err := tryRender(c.file, spec, func(r Rendition) {
			corners := map[string][2]image.Rectangle{"small": {image.Rect(0, 0, 81, 91), image.Rect(0, 24, 81, 65)}, "whole": {image.Rect(0, 0, 401, 403), image.Rect(50, 126, 350, 276)}}[r.Size]
			img, err := vips.NewImageFromBuffer(r.Data)
			if err != nil {
				t.Fatal(err)
			}
			defer img.Close()
			if r.Width != corners[0].Dx() || r.Height != corners[0].Dy() || img.Width() != r.Width || img.Height() != r.Height {
				t.Fatalf("%s, %s: %d × %d", name, r.Size, r.Width, r.Height)
			}
			pixels := samples(t, img)
			bands := len(pixels) / (r.Width * r.Height)
			for y := range r.Height {
				for x := range r.Width {
					want := c.around
					switch {
					case image.Pt(x, y).In(corners[1].Inset(2)):
						want = c.inside
					case image.Pt(x, y).In(corners[1].Inset(-2)):
						continue // between both, by the encoder
					}
					p := pixels[(y*r.Width+x)*bands:][:bands]
					levels := [4]uint8{want.R, want.G, want.B, want.A}
					first := 0
					if want.A == 0 { // of no color that could be seen
						first = 3
					}
					for i := first; i < bands; i++ {
						if d := int(p[i]) - int(levels[i]); d < -6 || d > 6 {
							t.Fatalf("%s, %s: %v at %d, %d, want %v", name, r.Size, p, x, y, want)
						}
					}
				}
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// Every frame is cut and padded by itself.
func TestAnimationsInBoxes(t *testing.T) {
	sizes := []Size{cover("cut", 100, 50, Bottom), cover("seen", 67, 67, Attention), contain("padded", 100, 100), enlarged(width("large", 600))}
	_, out := render(t, animation(t), sizes, GIF, WebP)
	for name, want := range map[string][2]int{"cut": {100, 50}, "seen": {67, 67}, "padded": {100, 100}, "large": {600, 402}} {
		for _, format := range []Format{GIF, WebP} {
			params := vips.NewImportParams()
			params.NumPages.Set(-1)
			img, err := vips.LoadImageFromBuffer(out[name+" "+string(format)].Data, params)
			if err != nil {
				t.Fatal(err)
			}
			defer img.Close()
			if img.Width() != want[0] || img.PageHeight() != want[1] || img.Pages() != 3 {
				t.Errorf("%s %s: %d frames of %d × %d", name, format, img.Pages(), img.Width(), img.PageHeight())
			}
			for frame, color := range [][]float64{{255, 0, 0}, {0, 255, 0}, {0, 0, 255}} {
				for row, want := range map[int][]float64{want[1] / 2: color, 2: map[bool][]float64{true: {255, 255, 255}, false: color}[name == "padded"]} {
					got, err := img.GetPoint(50, frame*img.PageHeight()+row)
					if err != nil {
						t.Fatal(err)
					}
					for i := range want {
						if d := got[i] - want[i]; d > 6 || d < -6 {
							t.Errorf("%s %s: frame %d, row %d is %v, want %v", name, format, frame, row, got, want)
							break
						}
					}
				}
			}
		}
	}
}

// Damage is found wherever it is, not only in what is kept.
func TestWhatIsCutOffIsDecodedToo(t *testing.T) {
	img := demo.Scene(demo.City, 5, 600, 900)
	for _, o := range []demo.Options{{Format: "jpeg"}, {Format: "jpeg", Orientation: 6}, {Format: "png"}} {
		whole := encode(t, img, o)
		for _, noPlanes := range []bool{false, true} {
			spec := Spec{Sizes: []Size{cover("a", 200, 50, Top)}, Formats: []Format{AsSource}, Quality: quality, NoPlanes: noPlanes}
			if _, err := tryRender(whole, spec, func(Rendition) {}); err != nil {
				t.Error(err)
			}
			_, err := tryRender(whole[:len(whole)*3/4], spec, func(Rendition) { t.Errorf("%+v: a cut file passes", o) })
			if rejection := (*Rejection)(nil); !errors.As(err, &rejection) || rejection.Class != ClassCorrupt {
				t.Errorf("%+v, no planes %v: %v", o, noPlanes, err)
			}
		}
	}
}

// The placeholder is that of the whole picture, whatever else is made; with crops alone, that of the smallest.
func TestThePlaceholderIsOfTheWhole(t *testing.T) {
	file := encode(t, spotted(900, 300, image.Pt(130, 150)), demo.Options{Format: "jpeg"})
	hash := func(sizes ...Size) string {
		summary, err := tryRender(file, Spec{Sizes: sizes, Formats: []Format{JPEG}, Quality: quality}, func(Rendition) {})
		if err != nil {
			t.Fatal(err)
		}
		return string(summary.ThumbHash)
	}
	whole := hash(width("a", 300))
	if got := hash(width("a", 300), cover("b", 50, 50, Right), contain("c", 20, 90)); got != whole {
		t.Errorf("%x beside others, %x alone", got, whole)
	}
	if left, right := hash(cover("b", 50, 50, Left)), hash(cover("b", 50, 50, Right)); left == right || left == whole {
		t.Error("it is not of the crop, though there is nothing else")
	}
}

// A WebP has 16383 pixels a side at most: a box of more is of the same aspect there.
func TestABoxThatTheFormatCantHold(t *testing.T) {
	got := map[string]image.Point{}
	sizes := []Size{enlarged(cover("cut", 16384, 64, Center)), contain("padded", 64, 16384), enlarged(Size{Name: "high", Height: 16384})}
	if _, err := tryRender(plainPNG(t, 40, 10000), Spec{Sizes: sizes, Formats: []Format{WebP}, Quality: quality}, func(r Rendition) {
		got[r.Size] = image.Pt(r.Width, r.Height)
	}); err != nil {
		t.Fatal(err)
	}
	if want := map[string]image.Point{"cut": {16383, 63}, "padded": {63, 16383}, "high": {65, 16250}}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Of animations whose still picture is read, it is known how many frames they have.
func TestUnreadFramesAreCounted(t *testing.T) {
	found := map[string]int{}
	for _, p := range resizetest.Pictures() {
		if source, err := Open(t.Context(), bytes.NewReader(p.Data), limits); err == nil {
			if source.Unread > 0 {
				found[p.Name] = source.Unread
			}
			source.Close()
		}
	}
	if want := map[string]int{"animated.png": 2, "animated-hidden.png": 1, "sequence.avif": 2}; !maps.Equal(found, want) {
		t.Errorf("%v, want %v", found, want)
	}
}

// Whatever is asked for of whatever picture, by planes or by pixels: what comes out has the dimensions that were foretold.
func TestEveryBoxOfEveryPicture(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	positions := []Position{Center, Top, BottomRight, Left, Attention, Entropy}
	side := func() int { return 1 + int(math.Exp(random.Float64()*5.3)) }
	for i := range 150 {
		width, height := side()*2, side()*2
		img := image.NewNRGBA(image.Rect(0, 0, width, height))
		for i := range img.Pix {
			img.Pix[i] = uint8(i * i >> 8)
		}
		o := []demo.Options{{Format: "jpeg"}, {Format: "jpeg", Orientation: 1 + i%8}, {Format: "png"}, {Format: "webp", Orientation: 6}, {Format: "gif"}}[i%5]
		var picture image.Image = img
		if i%3 == 0 {
			picture = demo.Gray(img)
		}
		spec := Spec{Formats: []Format{AsSource, JPEG}[i%2:], Quality: quality, NoPlanes: i%7 == 0, Background: Color{uint8(i), 0, 200}}
		for n := range 1 + random.IntN(4) {
			size := Size{Name: fmt.Sprint(n), Width: side(), Height: side(), Fit: []Fit{Inside, Cover, Contain}[random.IntN(3)], Enlarge: random.IntN(3) == 0}
			switch {
			case size.Fit == Cover:
				size.Position = positions[random.IntN(len(positions))]
			case size.Fit == Inside && random.IntN(2) == 0:
				size.Width, size.Height = size.Width*(n%2), size.Height*(1-n%2)
			}
			spec.Sizes = append(spec.Sizes, size)
		}
		file, seen := encode(t, picture, o), map[string]Rendition{}
		source, _, _, err := renderFile(file, limits, spec, func(r Rendition) { seen[r.Size+string(r.Format)] = r })
		if err != nil {
			t.Errorf("%d × %d, %+v, %v: %v", width, height, o, spec.Sizes, err)
			continue
		}
		for _, size := range spec.Sizes {
			for _, format := range source.Outputs(spec.Formats) {
				r := seen[size.Name+string(format)]
				w, h := source.Fit(size, format)
				made, err := Open(t.Context(), bytes.NewReader(r.Data), limits)
				if err != nil || r.Width != w || r.Height != h || made.Width != w || made.Height != h {
					t.Errorf("%d × %d, %+v, %v of %v as %s: %d × %d, want %d × %d, %v", width, height, o, size, spec.Sizes, format, r.Width, r.Height, w, h, err)
					continue
				}
				made.Close()
			}
		}
	}
}
