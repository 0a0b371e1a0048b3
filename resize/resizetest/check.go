package resizetest

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"math"
	"sync"

	"golang.org/x/image/draw"
)

// Check says what is wrong with a rendition that was made of the picture for the given width: its format, dimensions,
// alpha, frames and their timing, and its pixels. Of an AVIF, for which Go has no decoder, it sees the dimensions only.
func (p Picture) Check(width int, format string, rendition []byte) error {
	shows := *p.Shows
	if format != "gif" && format != "webp" {
		shows.Frames = shows.Frames[:1]
	}
	source := shows.Frames[0].Rect
	w := min(width, source.Dx())
	h := max(1, int(math.Round(float64(source.Dy())*float64(w)/float64(source.Dx()))))
	got, err := decode(rendition)
	if err != nil {
		return err
	}
	if got.format != format || got.width != w || got.height != h {
		return fmt.Errorf("%s of %d × %d pixels, want %s of %d × %d", got.format, got.width, got.height, format, w, h)
	}
	if format == "avif" {
		return nil
	}
	if len(got.frames) != len(shows.Frames) {
		return fmt.Errorf("%d frames, want %d", len(got.frames), len(shows.Frames))
	}
	var problems []error
	if len(got.frames) > 1 && (fmt.Sprint(got.delays) != fmt.Sprint(shows.Delays) || got.loop != shows.Loop) {
		problems = append(problems, fmt.Errorf("delays %v ms, played %d times; want %v, %d", got.delays, got.loop, shows.Delays, shows.Loop))
	}
	for i, frame := range got.frames {
		if still := len(got.frames) == 1; still && format != "jpeg" && frame.Opaque() != shows.Frames[0].Opaque() {
			problems = append(problems, fmt.Errorf("transparent places: %v, want %v", !frame.Opaque(), frame.Opaque()))
		}
		background := uint8(128)
		if format == "jpeg" {
			background = 255 // RESIZE_BACKGROUND, unless it is set
		}
		least := min(shows.PSNR, map[string]float64{"png": math.Inf(1), "jpeg": 29, "webp": 29, "gif": 25}[format])
		if db := psnr(frame, scaled(shows.Frames[i], w, h), background); db < least {
			problems = append(problems, fmt.Errorf("frame %d: %.1f dB from what it ought to be, want at least %.0f", i, db, least))
		}
	}
	return errors.Join(problems...)
}

// Compare gives the distance of a decoded still rendition from what it ought to be, in dB.
func (p Picture) Compare(rendition image.Image) float64 {
	size := rendition.Bounds().Size()
	return psnr(toNRGBA(rendition), scaled(p.Shows.Frames[0], size.X, size.Y), 128)
}

// PSNR is the distance of two pictures of the same dimensions, in dB; infinite for equal ones.
func PSNR(a, b *image.NRGBA) float64 {
	if a.Rect != b.Rect {
		panic(fmt.Sprintf("%v and %v can't be compared", a.Rect, b.Rect))
	}
	return psnr(a, b, 128)
}

// scaled is img at another size, by a resampler that is not the one under test.
func scaled(img *image.NRGBA, width, height int) *image.NRGBA {
	if img.Rect.Dx() == width && img.Rect.Dy() == height {
		return img
	}
	type key struct {
		img           *image.NRGBA
		width, height int
	}
	k := key{img, width, height}
	if known, ok := references.Load(k); ok {
		return known.(*image.NRGBA)
	}
	weighted := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.CatmullRom.Scale(weighted, weighted.Rect, img, img.Rect, draw.Src, nil)
	out := toNRGBA(weighted)
	references.Store(k, out)
	return out
}

// references are what pictures scaled look like, for those who check many renditions: few, and small.
var references sync.Map

// psnr of two pictures of the same dimensions, both laid on a grey background, over all channels.
func psnr(a, b *image.NRGBA, background uint8) float64 {
	sum := 0.0
	for i := 0; i < len(a.Pix); i += 4 {
		for c := range 3 {
			d := on(background, a.Pix[i+c], a.Pix[i+3]) - on(background, b.Pix[i+c], b.Pix[i+3])
			sum += d * d
		}
	}
	return 10 * math.Log10(255*255*float64(len(a.Pix)/4*3)/sum)
}

func on(background, color, alpha uint8) float64 {
	return (float64(color)*float64(alpha) + float64(background)*float64(255-alpha)) / 255
}

// decoded is a rendition, as Go's decoders see it.
type decoded struct {
	format        string
	width, height int
	frames        []*image.NRGBA
	delays        []int // milliseconds
	loop          int   // how often it plays; 0: for ever
}

func decode(data []byte) (decoded, error) {
	switch {
	case bytes.HasPrefix(data, []byte("GIF8")):
		return decodeGIF(data)
	case len(data) > 12 && string(data[8:12]) == "WEBP":
		return decodeWebP(data)
	case len(data) > 12 && string(data[4:12]) == "ftypavif":
		return avifDimensions(data)
	}
	img, format, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return decoded{}, err
	}
	return decoded{format: format, width: img.Bounds().Dx(), height: img.Bounds().Dy(), frames: []*image.NRGBA{toNRGBA(img)}}, nil
}
