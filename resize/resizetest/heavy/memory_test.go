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
	standard  = []resize.Size{{Name: "small", Width: 368}, {Name: "medium", Width: 720}, {Name: "large", Width: 1440}}
)

const rgb, grey, cmyk = vips.InterpretationSRGB, vips.InterpretationBW, vips.InterpretationCMYK

// kinds are the ways in which a picture is held while it is decoded, each at two sizes.
var kinds = []struct {
	Picture
	sizes   [2][2]int
	formats []resize.Format // AsSource, unless something else is said
}{
	{Picture{Name: "JPEG", Space: rgb, Encode: JPEG(false, true)}, twelveAnd48, nil},
	{Picture{Name: "JPEG, CMYK", Space: cmyk, Encode: JPEG(false, false)}, threeAnd12, nil},
	{Picture{Name: "JPEG, very wide", Space: rgb, Encode: JPEG(false, true)}, [2][2]int{{30000, 500}, {60000, 1000}}, nil},
	{Picture{Name: "JPEG, very tall", Space: rgb, Encode: JPEG(false, true)}, [2][2]int{{1500, 3000}, {1500, 20000}}, nil},
	{Picture{Name: "progressive JPEG, 4:2:0", Space: rgb, Encode: JPEG(true, true)}, threeAnd12, nil},
	{Picture{Name: "progressive JPEG, 4:4:4", Space: rgb, Encode: JPEG(true, false)}, threeAnd12, nil},
	{Picture{Name: "progressive JPEG, grey", Space: grey, Encode: JPEG(true, false)}, threeAnd12, nil},
	{Picture{Name: "progressive JPEG, CMYK", Space: cmyk, Encode: JPEG(true, false)}, threeAnd12, nil},
	{Picture{Name: "PNG", Space: rgb, Encode: PNG(false)}, threeAnd12, nil},
	{Picture{Name: "PNG, very wide", Space: rgb, Encode: PNG(false)}, [2][2]int{{8000, 1000}, {30000, 1000}}, nil},
	{Picture{Name: "PNG, alpha", Space: rgb, Alpha: true, Encode: PNG(false)}, threeAnd12, nil},
	{Picture{Name: "PNG, 16 bits", Space: vips.InterpretationRGB16, Deep: true, Encode: PNG(false)}, threeAnd12, nil},
	{Picture{Name: "interlaced PNG", Space: rgb, Encode: PNG(true)}, threeAnd12, nil},
	{Picture{Name: "interlaced PNG, 16 bits, alpha", Space: vips.InterpretationRGB16, Deep: true, Alpha: true, Encode: PNG(true)}, threeAnd12, nil},
	{Picture{Name: "WebP", Space: rgb, Encode: WebP(false)}, threeAnd12, nil},
	{Picture{Name: "WebP, alpha", Space: rgb, Alpha: true, Encode: WebP(false)}, threeAnd12, nil},
	{Picture{Name: "lossless WebP", Space: rgb, Encode: WebP(true)}, threeAnd12, nil},
	{Picture{Name: "lossless WebP, alpha", Space: rgb, Alpha: true, Encode: WebP(true)}, threeAnd12, nil},
	{Picture{Name: "AVIF", Space: rgb, Encode: AVIF(8)}, oneAnd3, jpegs},
	{Picture{Name: "AVIF, 10 bits, alpha", Space: vips.InterpretationRGB16, Deep: true, Alpha: true, Encode: AVIF(10)}, oneAnd3, nil},
	{Picture{Name: "GIF", Space: rgb, Encode: GIF()}, threeAnd12, nil},
	{Picture{Name: "TIFF, strips", Space: rgb, Encode: TIFF(64)}, threeAnd12, nil},
	{Picture{Name: "TIFF, one strip", Space: rgb, Encode: TIFF(8000)}, threeAnd12, nil},
	{Picture{Name: "TIFF, a strip for each channel", Space: rgb, Encode: PlanarTIFF()}, threeAnd12, nil},
	{Picture{Name: "TIFF, tiles, alpha", Space: rgb, Alpha: true, Encode: TIFF(0)}, threeAnd12, nil},
	{Picture{Name: "animated GIF", Space: rgb, Frames: 20, Encode: GIF()}, [2][2]int{{300, 200}, {600, 400}}, nil},
	{Picture{Name: "animated GIF of large frames", Space: rgb, Frames: 6, Encode: GIF()}, [2][2]int{{1600, 900}, {2400, 1350}}, nil},
	{Picture{Name: "animated GIF, first frame", Space: rgb, Frames: 6, Encode: GIF()}, [2][2]int{{1600, 900}, {2400, 1350}}, jpegs},
	{Picture{Name: "animated WebP", Space: rgb, Alpha: true, Frames: 20, Encode: WebP(false)}, [2][2]int{{300, 200}, {600, 400}}, nil},
	{Picture{Name: "animated WebP, first frame", Space: rgb, Alpha: true, Frames: 3, Encode: WebP(false)}, [2][2]int{{1600, 900}, {2400, 1350}}, jpegs},
	{Picture{Name: "JPEG to WebP and AVIF", Space: rgb, Encode: JPEG(false, true)}, threeAnd12, []resize.Format{resize.WebP, resize.AVIF}},
	{Picture{Name: "PNG, alpha, to WebP and AVIF", Space: rgb, Alpha: true, Encode: PNG(false)}, threeAnd12, []resize.Format{resize.WebP, resize.AVIF}},
}

var (
	oneAnd3     = [2][2]int{{1200, 900}, {2000, 1500}}
	threeAnd12  = [2][2]int{{2000, 1500}, {4000, 3000}}
	twelveAnd48 = [2][2]int{{4000, 3000}, {8000, 6000}}
	jpegs       = []resize.Format{resize.JPEG}
)

// slack is by how much an estimate may be above twice the truth: small pictures share what each is given alike.
const slack = 16 << 20

// What a process that renders one picture takes, above what it takes idle, is at most the estimate, and at least half of
// it. S3RESIZER_LONG=1 adds the larger size of each, and a second thread.
func TestMemoryIsEstimated(t *testing.T) {
	long := os.Getenv("S3RESIZER_LONG") != ""
	for _, kind := range kinds {
		for i, size := range kind.sizes {
			if i > 0 && !long {
				continue
			}
			picture := kind.Picture
			picture.Width, picture.Height = size[0], size[1]
			t.Run(fmt.Sprintf("%s %d × %d", picture.Name, size[0], size[1]), func(t *testing.T) {
				data, err := picture.Draw()
				if err != nil {
					t.Fatal(err)
				}
				formats := kind.formats
				if formats == nil {
					formats = []resize.Format{resize.AsSource}
				}
				for threads := 1; threads == 1 || threads == 2 && long; threads++ {
					o := errand{Limits: unlimited, Spec: resize.Spec{Sizes: standard, Formats: formats, Quality: quality}, Threads: threads}.run(t, data)
					if o.Rejection != nil {
						t.Fatal(o.Rejection)
					}
					used := o.Peak - o.Idle
					t.Logf("%d threads: %4d MB used, %4d estimated, %.2f times as much", threads, used/1e6, o.Estimate/1e6, float64(o.Estimate)/float64(used))
					if used > o.Estimate || o.Estimate > 2*used+slack {
						t.Errorf("%d bytes were used, %d are the estimate", used, o.Estimate)
					}
				}
			})
		}
	}
}
