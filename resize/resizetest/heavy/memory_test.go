package heavy

import (
	"fmt"
	"math"
	"os"
	"testing"

	"s3resizer/resize"
	"s3resizer/resize/resizetest/vips"
)

var (
	unlimited = resize.Limits{MaxPixels: math.MaxInt64, MaxFrames: 10000, MaxMemory: math.MaxInt64}
	quality   = resize.Quality{JPEG: 80, WebP: 80, AVIF: 50}
	effort    = resize.Effort{WebP: 2, AVIF: 2, GIF: 4} // the function's
	// The first needs more than the picture of the second has; the third is enlarged, where that is much.
	boxes = []resize.Size{
		{Name: "square", Width: 700, Height: 700, Fit: resize.Cover, Position: resize.Attention}, {Name: "card", Width: 900, Height: 900, Fit: resize.Contain},
		{Name: "large", Width: 2500, Height: 2500, Enlarge: true}, {Name: "cut", Width: 1200, Height: 300, Fit: resize.Cover},
	}
	standard = []resize.Size{{Name: "small", Width: 368}, {Name: "medium", Width: 720}, {Name: "large", Width: 1440}}
)

const (
	rgb, grey, cmyk = vips.InterpretationSRGB, vips.InterpretationBW, vips.InterpretationCMYK
	rgb16, grey16   = vips.InterpretationRGB16, vips.InterpretationGrey16
)

// shape is width, height and frames; a side is no longer than the format can have it.
type shape [3]int

var (
	stills     = []shape{{2000, 1500}, {65535, 60}, {60, 65535}, {4000, 3000}, {65535, 300}}
	animations = []shape{{200, 150, 300}, {1600, 900, 6}, {8000, 10, 40}, {10, 8000, 40}, {600, 400, 40}, {40, 30, 500}}
	// Of these, the short form takes one for each kind, in turn.
	fewStills     = []shape{{1200, 900}, {65535, 60}, {20, 65535}}
	fewAnimations = []shape{{200, 150, 60}, {1600, 900, 3}, {8000, 10, 20}}
)

// kinds are the ways in which a picture is held while it is decoded: every format, depth and kind of channels, and how they are
// stored.
var kinds = []struct {
	Picture
	longest int // side, in pixels
}{
	{Picture{Name: "JPEG", Space: rgb, Encode: JPEG(false, true)}, 65500},
	{Picture{Name: "JPEG, 4:4:4", Space: rgb, Encode: JPEG(false, false)}, 65500},
	{Picture{Name: "JPEG, turned", Space: rgb, Encode: Turned(JPEG(false, true))}, 65500},
	{Picture{Name: "JPEG, grey", Space: grey, Encode: JPEG(false, false)}, 65500},
	{Picture{Name: "JPEG, CMYK", Space: cmyk, Encode: JPEG(false, false)}, 65500},
	{Picture{Name: "progressive JPEG", Space: rgb, Encode: JPEG(true, true)}, 65500},
	{Picture{Name: "progressive JPEG, 4:4:4", Space: rgb, Encode: JPEG(true, false)}, 65500},
	{Picture{Name: "progressive JPEG, 4:4:4, turned", Space: rgb, Encode: Turned(JPEG(true, false))}, 65500},
	{Picture{Name: "progressive JPEG, grey", Space: grey, Encode: JPEG(true, false)}, 65500},
	{Picture{Name: "progressive JPEG, CMYK", Space: cmyk, Encode: JPEG(true, false)}, 65500},
	{Picture{Name: "PNG", Space: rgb, Encode: PNG(false, 0, false)}, 65535},
	{Picture{Name: "PNG, turned", Space: rgb, Encode: Turned(PNG(false, 0, false))}, 65535},
	{Picture{Name: "PNG, alpha", Space: rgb, Alpha: true, Encode: PNG(false, 0, false)}, 65535},
	{Picture{Name: "PNG, alpha, turned", Space: rgb, Alpha: true, Encode: Turned(PNG(false, 0, false))}, 65535},
	{Picture{Name: "PNG, grey", Space: grey, Encode: PNG(false, 0, false)}, 65535},
	{Picture{Name: "PNG, grey, alpha", Space: grey, Alpha: true, Encode: PNG(false, 0, false)}, 65535},
	{Picture{Name: "PNG, grey, 1 bit", Space: grey, Encode: PNG(false, 1, false)}, 65535},
	{Picture{Name: "PNG, grey, 4 bits", Space: grey, Encode: PNG(false, 4, false)}, 65535},
	{Picture{Name: "PNG, palette of 2 bits", Space: rgb, Encode: PNG(false, 2, true)}, 65535},
	{Picture{Name: "PNG, palette of 8 bits", Space: rgb, Encode: PNG(false, 8, true)}, 65535},
	{Picture{Name: "PNG, palette with alpha", Space: rgb, Alpha: true, Encode: PNG(false, 8, true)}, 65535},
	{Picture{Name: "PNG, 16 bits", Space: rgb16, Deep: true, Encode: PNG(false, 0, false)}, 65535},
	{Picture{Name: "PNG, 16 bits, alpha", Space: rgb16, Deep: true, Alpha: true, Encode: PNG(false, 0, false)}, 65535},
	{Picture{Name: "PNG, grey, 16 bits", Space: grey16, Deep: true, Encode: PNG(false, 0, false)}, 65535},
	{Picture{Name: "PNG, grey, 16 bits, alpha", Space: grey16, Deep: true, Alpha: true, Encode: PNG(false, 0, false)}, 65535},
	{Picture{Name: "interlaced PNG", Space: rgb, Encode: PNG(true, 0, false)}, 65535},
	{Picture{Name: "interlaced PNG, grey, 1 bit", Space: grey, Encode: PNG(true, 1, false)}, 65535},
	{Picture{Name: "interlaced PNG, palette of 8 bits", Space: rgb, Encode: PNG(true, 8, true)}, 65535},
	{Picture{Name: "interlaced PNG, 16 bits, alpha", Space: rgb16, Deep: true, Alpha: true, Encode: PNG(true, 0, false)}, 65535},
	{Picture{Name: "WebP", Space: rgb, Encode: WebP(false)}, 16383},
	{Picture{Name: "WebP, alpha", Space: rgb, Alpha: true, Encode: WebP(false)}, 16383},
	{Picture{Name: "lossless WebP", Space: rgb, Encode: WebP(true)}, 16383},
	{Picture{Name: "lossless WebP, alpha", Space: rgb, Alpha: true, Encode: WebP(true)}, 16383},
	{Picture{Name: "AVIF, 4:2:0", Space: rgb, Encode: AVIF(8, true)}, 16384},
	{Picture{Name: "AVIF, 4:4:4", Space: rgb, Encode: AVIF(8, false)}, 16384},
	{Picture{Name: "AVIF, grey", Space: grey, Encode: AVIF(8, true)}, 16384},
	{Picture{Name: "AVIF, alpha", Space: rgb, Alpha: true, Encode: AVIF(8, true)}, 16384},
	{Picture{Name: "AVIF, 10 bits", Space: rgb16, Deep: true, Encode: AVIF(10, true)}, 16384},
	{Picture{Name: "AVIF, 12 bits, grey", Space: grey16, Deep: true, Encode: AVIF(12, true)}, 16384},
	{Picture{Name: "AVIF, 12 bits, 4:4:4, alpha", Space: rgb16, Deep: true, Alpha: true, Encode: AVIF(12, false)}, 16384},
	{Picture{Name: "GIF", Space: rgb, Encode: GIF()}, 65535},
	{Picture{Name: "GIF, alpha", Space: rgb, Alpha: true, Encode: GIF()}, 65535},
	{Picture{Name: "TIFF, strips", Space: rgb, Encode: TIFF(64)}, 65535},
	{Picture{Name: "TIFF, strips, grey", Space: grey, Encode: TIFF(64)}, 65535},
	{Picture{Name: "TIFF, strips, CMYK", Space: cmyk, Encode: TIFF(64)}, 65535},
	{Picture{Name: "TIFF, one strip", Space: rgb, Encode: TIFF(1 << 16)}, 65535},
	{Picture{Name: "TIFF, one strip, 16 bits, alpha", Space: rgb16, Deep: true, Alpha: true, Encode: TIFF(1 << 16)}, 65535},
	{Picture{Name: "TIFF, 1 bit", Space: grey, Encode: BilevelTIFF()}, 65535},
	{Picture{Name: "TIFF, tiles", Space: rgb, Encode: TIFF(0)}, 65535},
	{Picture{Name: "TIFF, tiles, 16 bits, alpha", Space: rgb16, Deep: true, Alpha: true, Encode: TIFF(0)}, 65535},
	{Picture{Name: "TIFF, a strip for each channel", Space: rgb, Encode: SeparateTIFF(0)}, 65535},
	{Picture{Name: "TIFF, a strip for each channel, 16 bits", Space: rgb16, Deep: true, Encode: SeparateTIFF(0)}, 65535},
	{Picture{Name: "TIFF, strips for each channel", Space: rgb, Encode: SeparateTIFF(32)}, 65535},
	{Picture{Name: "animated GIF", Frames: 2, Space: rgb, Encode: GIF()}, 65535},
	{Picture{Name: "animated GIF, alpha", Frames: 2, Space: rgb, Alpha: true, Encode: GIF()}, 65535},
	{Picture{Name: "animated WebP", Frames: 2, Space: rgb, Encode: WebP(false)}, 16383},
	{Picture{Name: "animated WebP, alpha", Frames: 2, Space: rgb, Alpha: true, Encode: WebP(false)}, 16383},
	{Picture{Name: "animated lossless WebP, alpha", Frames: 2, Space: rgb, Alpha: true, Encode: WebP(true)}, 16383},
}

type order struct {
	name    string
	formats []resize.Format
	sizes   []resize.Size
	effort  resize.Effort
	threads int
}

// orders are what is made of each picture, by how many threads. The first is the short form's.
var orders = []order{
	{"as it is", []resize.Format{resize.AsSource}, standard, effort, 1},
	{"as it is, two threads", []resize.Format{resize.AsSource}, standard, effort, 2},
	{"JPEG, very small", []resize.Format{resize.JPEG}, []resize.Size{{Name: "s", Width: 80}}, effort, 1},
	{"PNG, large", []resize.Format{resize.PNG}, []resize.Size{{Name: "l", Width: 6000}}, effort, 1},
	{"WebP of a third, hardest", []resize.Format{resize.WebP}, []resize.Size{{Name: "l", Width: 1540}}, resize.Effort{WebP: 6}, 1},
	{"WebP and AVIF", []resize.Format{resize.WebP, resize.AVIF}, standard, effort, 2},
	{"boxes", []resize.Format{resize.AsSource}, boxes, effort, 1}, // of an animation, they have too many pixels
}

// slack is by how much an estimate may be above twice the truth: small pictures share what each is given alike.
const slack = 16 << 20

// What a process takes that renders one picture, above what it takes idle, is never more than the estimate, which is seldom above
// twice as much. The short form has each kind of picture in one shape, S3RESIZER_LONG=1 every kind in every shape and order.
func TestMemoryIsEstimated(t *testing.T) {
	long := os.Getenv("S3RESIZER_LONG") != ""
	all, far := 0, 0
	for i, kind := range kinds {
		shapes, orders := stills, orders
		switch moves := kind.Frames > 1; {
		case long && moves:
			shapes, orders = animations, orders[:len(orders)-1]
		case moves:
			shapes, orders = fewAnimations[i%3:i%3+1], orders[:1]
		case !long:
			shapes, orders = fewStills[i%3:i%3+1], orders[:1]
		}
		t.Run(kind.Name, func(t *testing.T) {
			for _, shape := range shapes {
				picture := kind.Picture
				picture.Width, picture.Height, picture.Frames = min(shape[0], kind.longest), min(shape[1], kind.longest), shape[2]
				data, err := picture.Draw()
				if err != nil {
					t.Fatal(err)
				}
				for _, order := range orders {
					all++
					if measured(t, picture, data, order) {
						far++
					}
				}
			}
		})
	}
	t.Logf("%d pictures; %d estimates are more than twice the truth and %d MiB", all, far, slack>>20)
	if 5*far > all {
		t.Errorf("%d of %d estimates are more than twice the truth and %d MiB", far, all, slack>>20)
	}
}

// measured renders a picture as it is ordered in a process of its own. It reports whether the estimate is more than twice the truth.
func measured(t *testing.T, p Picture, data []byte, o order) (far bool) {
	t.Helper()
	spec := resize.Spec{Sizes: o.sizes, Formats: o.formats, Quality: quality, Effort: o.effort}
	out := errand{Limits: unlimited, Spec: spec, Threads: o.threads}.run(t, data)
	name := fmt.Sprintf("%d × %d × %d, %s", p.Width, p.Height, max(p.Frames, 1), o.name)
	if out.Rejection != nil {
		t.Errorf("%s: %v", name, out.Rejection)
		return false
	}
	used := out.Peak - out.Idle
	t.Logf("%s: %4d MB used, %4d estimated, %.2f times as much", name, used/1e6, out.Estimate/1e6, float64(out.Estimate)/float64(used))
	if used > out.Estimate {
		t.Errorf("%s: %d bytes were used, %d are the estimate", name, used, out.Estimate)
	}
	return out.Estimate > 2*used+slack
}
