package resize

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"s3resizer/resize/internal/rejection"
)

// picture is a picture to make, of dimensions that no other one has. It may serve several sizes: if the source is narrower than
// those, it is encoded only once for all of them.
type picture struct {
	width, height int
	formats       []Format            // all that are wanted, of any picture
	sizes         map[Format][]string // the sizes that it serves, in those of the formats in which it does
	pixels        raster
}

// raster is a picture in memory: upright sRGB or grey, 8 bits a channel. Close it.
type raster interface {
	// scaled returns a smaller picture.
	scaled(ctx context.Context, width, height int) (raster, error)
	// encode returns the picture as a file. Several goroutines may call it at once.
	encode(format Format, spec Spec) ([]byte, error)
	// placeholder returns what a page can show until it has one of the renditions: the ThumbHash and the dominant color,
	// which is background if nothing of the picture is visible.
	placeholder(background Color) (hash []byte, dominant Color, err error)
	close()
}

// plan returns the pictures to make, the widest first.
func (s *Source) plan(spec Spec) ([]*picture, error) {
	formats := s.Outputs(spec.Formats)
	var pictures []*picture
	for _, size := range spec.Sizes {
		for _, format := range formats {
			w, h := s.fitIn(format, size.Width)
			i := slices.IndexFunc(pictures, func(p *picture) bool { return p.width == w && p.height == h })
			if i < 0 {
				pictures = append(pictures, &picture{width: w, height: h, formats: formats, sizes: map[Format][]string{}})
				i = len(pictures) - 1
			}
			pictures[i].sizes[format] = append(pictures[i].sizes[format], size.Name)
		}
	}
	if len(pictures) == 0 || len(formats) == 0 {
		return nil, fmt.Errorf("nothing to render: %d sizes in %d formats", len(spec.Sizes), len(spec.Formats))
	}
	slices.SortStableFunc(pictures, func(a, b *picture) int { return cmp.Or(b.width-a.width, b.height-a.height) })
	return pictures, nil
}

// mostAnimated is how many pixels the frames of an animation may have in all sizes together. Each costs some 10 ns in a GIF if it
// stays as it was in the frame before, 40 to 90 if it changes, and up to 110 in a WebP. The largest animations that we have met,
// a minute of a screen at 1000 × 175 and 60 frames of 720p, have 75 and 77 million in the default sizes.
const mostAnimated = 100_000_000

// checkAnimation returns a [*Rejection] if the pictures have too many pixels in all of their frames.
func (s *Source) checkAnimation(pictures []*picture) error {
	if all := s.animated(pictures); s.framesFor(pictures) > 1 && all > mostAnimated {
		return rejection.TooLargef("an animation of %d frames, which have %d pixels in all sizes; the limit is %d, and with fewer or smaller frames it is resized", s.Frames, all, mostAnimated)
	}
	return nil
}

// animated is how many pixels the pictures have in all of their frames.
func (s *Source) animated(pictures []*picture) (pixels int64) {
	for _, p := range pictures {
		pixels += int64(p.width) * int64(p.height)
	}
	return pixels * s.framesFor(pictures)
}

// fitIn returns the dimensions, in pixels, of the rendition of the given width in a format: those of [Source.Fit] or, where the
// format can't hold so many a side, the largest of the same aspect that it can.
func (s *Source) fitIn(format Format, width int) (w, h int) {
	w, h = s.Fit(width)
	most := format.maxDimension()
	if longest := max(w, h); longest > most {
		w, h = s.Fit(max(1, w*most/longest))
	}
	return min(w, most), min(h, most)
}

// parent returns the picture to make p from: the smallest one that is at least two and a half times as wide, else the widest.
// Each step of resizing costs a little sharpness, and a longer step costs less.
func parent(made []*picture, p *picture) raster {
	for _, candidate := range slices.Backward(made) {
		if 2*candidate.width >= 5*p.width {
			return candidate.pixels
		}
	}
	return made[0].pixels
}

func (p *picture) emit(r Rendition, emit func(Rendition) error) error {
	r.Width, r.Height = p.width, p.height
	for _, r.Size = range p.sizes[r.Format] {
		if err := emit(r); err != nil {
			return err
		}
	}
	return nil
}

func closeAll(pictures []*picture) {
	for _, p := range pictures {
		if p.pixels != nil {
			p.pixels.close()
		}
	}
}
