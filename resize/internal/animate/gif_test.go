package animate

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"math/rand/v2"
	"os"
	"testing"

	"s3resizer/resize/internal/vips"
)

func TestMain(m *testing.M) {
	if err := vips.Start(1); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

const side = 64

// film is an animation of so many frames with alpha, of which each begins as a copy of the one before.
func film(frames int, change func(frame *image.NRGBA, i int)) (vips.Raw, []*image.NRGBA) {
	raw := vips.Raw{Width: side, Height: side * frames, Bands: 4, Space: vips.SRGB, Frames: frames}
	var pictures []*image.NRGBA
	picture := image.NewNRGBA(image.Rect(0, 0, side, side))
	for i := range frames {
		change(picture, i)
		frame := *picture
		frame.Pix = bytes.Clone(picture.Pix)
		pictures, raw.Samples, raw.Delays = append(pictures, &frame), append(raw.Samples, frame.Pix...), append(raw.Delays, 70+10*i)
	}
	return raw, pictures
}

// played returns what a browser shows of each frame.
func played(t *testing.T, data []byte) (*gif.GIF, []*image.NRGBA) {
	t.Helper()
	g, err := gif.DecodeAll(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var shown []*image.NRGBA
	screen := image.NewNRGBA(image.Rect(0, 0, g.Config.Width, g.Config.Height))
	for i, f := range g.Image {
		draw.Draw(screen, f.Rect, f, f.Rect.Min, draw.Over)
		now := *screen
		now.Pix = bytes.Clone(screen.Pix)
		shown = append(shown, &now)
		if g.Disposal[i] == gif.DisposalBackground {
			draw.Draw(screen, f.Rect, image.Transparent, image.Point{}, draw.Src)
		}
	}
	return g, shown
}

// check holds every pixel of every frame against what it should be: no channel may be farther off than most, and what is
// transparent must be.
func check(t *testing.T, data []byte, want []*image.NRGBA, most int) *gif.GIF {
	t.Helper()
	g, shown := played(t, data)
	if len(shown) != len(want) {
		t.Fatalf("%d frames, want %d", len(shown), len(want))
	}
	for i := range want {
		for p := 0; p < len(want[i].Pix); p += 4 {
			is, should := shown[i].Pix[p:p+4], want[i].Pix[p:p+4]
			off := 0
			for k, v := range is[:3] {
				off = max(off, int(v)-int(should[k]), int(should[k])-int(v))
			}
			if visible := should[3] >= 128; visible != (is[3] == 255) || visible && off > most {
				t.Fatalf("frame %d, pixel %d: %v, want %v", i+1, p/4, is, should)
			}
		}
	}
	return g
}

func box(frame *image.NRGBA, x0, y0, x1, y1 int, c color.NRGBA) {
	draw.Draw(frame, image.Rect(x0, y0, x1, y1), image.NewUniform(c), image.Point{}, draw.Src)
}

// What appears, changes, vanishes, comes back, and stays.
func TestEveryFrameIsShown(t *testing.T) {
	red, green := color.NRGBA{200, 30, 30, 255}, color.NRGBA{30, 200, 30, 255}
	raw, want := film(9, func(f *image.NRGBA, i int) {
		switch i {
		case 1: // the first is all clear
			box(f, 5, 5, 30, 30, red)
		case 2:
			box(f, 20, 20, 50, 50, green)
		case 3:
			box(f, 10, 10, 25, 25, color.NRGBA{})
		case 5: // the fourth stays
			box(f, 0, 0, side, side, color.NRGBA{})
		case 6:
			box(f, 40, 0, side, 10, red)
		case 7:
			box(f, 41, 1, 42, 2, color.NRGBA{206, 30, 30, 255}) // hardly another color
			box(f, 0, 60, 1, 61, color.NRGBA{0, 0, 0, 127})     // less than half is none
		case 8:
			box(f, 40, 0, side, 10, green)
		}
	})
	for plays, count := range map[int]int{0: 0, 1: -1, 2: 1, 7: 6} {
		raw.Loop = plays
		data, err := GIF(raw, 4)
		if err != nil {
			t.Fatal(err)
		}
		g := check(t, data, want, leastChange)
		for i, delay := range g.Delay {
			if delay != 7+i {
				t.Errorf("frame %d takes %d hundredths", i+1, delay)
			}
		}
		if g.LoopCount != count || len(data) > 1000 {
			t.Errorf("%d plays: %d in the file of %d bytes", plays, g.LoopCount, len(data))
		}
	}
}

// A frame of noise took as long, and as many bytes, in each frame that followed.
func TestWhatStaysIsNotCodedAgain(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	raw, want := film(200, func(f *image.NRGBA, i int) {
		if i == 0 {
			for p := range f.Pix {
				if f.Pix[p] = byte(random.Uint32()); p%4 == 3 {
					f.Pix[p] = 255
				}
			}
			return
		}
		box(f, i%side, i/side, i%side+1, i/side+1, color.NRGBA{byte(i), 100, 50, 255})
	})
	first := raw
	first.Samples, first.Height, first.Frames = raw.Samples[:side*side*4], side, 1
	alone, err := GIF(first, 4)
	if err != nil {
		t.Fatal(err)
	}
	data, err := GIF(raw, 4)
	if err != nil {
		t.Fatal(err)
	}
	check(t, data, want, 60) // noise on a palette
	if each := (len(data) - len(alone)) / 199; each > 60 {
		t.Errorf("%d bytes for each pixel that changes", each)
	}
}

// The candidates hold the nearest of all colors, wherever they are.
func TestNearestColors(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1, 2, 30, mostColors} {
		p := &palette{}
		for i := range n {
			spread := uint32(0xffffff)
			if i%2 == 1 {
				spread = 0x1f1f1f // many in one cube
			}
			p.colors = append(p.colors, random.Uint32()&spread)
		}
		for range 20_000 {
			c := random.Uint32() & 0xffffff
			least := 1 << 30
			for _, color := range p.colors {
				least = min(least, distance(c, color))
			}
			if place, d := p.nearest(c); d != least || distance(c, p.colors[place]) != least {
				t.Fatalf("%06x of %d colors: %d, want %d", c, n, d, least)
			}
		}
	}
}
