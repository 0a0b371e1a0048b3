package resize

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"math"
	"slices"

	"s3resizer/resize/internal/crop"
	"s3resizer/resize/internal/rejection"
)

// picture is a picture to make, of a view that no other one has. It may serve several sizes: if the source is smaller than
// those, it is encoded only once for all of them. It may serve none, if others are made of it.
type picture struct {
	crop.View
	aim     Position            // Attention or Entropy as long as its window is still to be placed, else Center
	formats []Format            // all that are wanted, of any picture
	sizes   map[Format][]string // the sizes that it serves, in those of the formats in which it does
	pixels  raster
}

// raster is a picture in memory: upright sRGB or grey, 8 bits a channel. Close it.
type raster interface {
	// view returns what v shows of the picture, with the background around it that there is to be.
	view(ctx context.Context, v crop.View, background Color) (raster, error)
	// salient returns the corner of the part of so many pixels that catches the eye by one of two rules.
	salient(rule Position, size image.Point) (image.Point, error)
	// encode returns the picture as a file. Several goroutines may call it at once.
	encode(format Format, spec Spec) ([]byte, error)
	// placeholder returns what a page can show until it has one of the renditions: the ThumbHash and the dominant color,
	// which is background if nothing of the picture is visible.
	placeholder(background Color) (hash []byte, dominant Color, err error)
	close()
}

// plan returns the pictures to make. The first one is decoded, and shows all that the others are made of. Those that are larger
// than the source come next, and then the largest first.
func (s *Source) plan(spec Spec) ([]*picture, error) {
	formats := s.Outputs(spec.Formats)
	var pictures []*picture
	for _, size := range spec.Sizes {
		for _, format := range formats {
			p := &picture{View: s.viewIn(format, size), formats: formats, sizes: map[Format][]string{}}
			if aimed := size.Position == Attention || size.Position == Entropy; aimed && p.crops() {
				p.aim = size.Position
			}
			i := slices.IndexFunc(pictures, func(other *picture) bool { return other.View == p.View && other.aim == p.aim })
			if i < 0 {
				pictures = append(pictures, p)
				i = len(pictures) - 1
			}
			pictures[i].sizes[format] = append(pictures[i].sizes[format], size.Name)
		}
	}
	if len(pictures) == 0 || len(formats) == 0 {
		return nil, fmt.Errorf("nothing to render: %d sizes in %d formats", len(spec.Sizes), len(spec.Formats))
	}
	slices.SortStableFunc(pictures, func(a, b *picture) int {
		return cmp.Or(b.Whole.X-a.Whole.X, b.Whole.Y-a.Whole.Y, b.Width()*b.Height()-a.Width()*a.Height())
	})
	first := &picture{View: s.first(pictures), formats: formats}
	if i := slices.IndexFunc(pictures, func(p *picture) bool { return p.View == first.View && p.aim == Center }); i >= 0 {
		first = pictures[i]
		pictures = slices.Delete(pictures, i, i+1)
	}
	return slices.Insert(pictures, 0, first), nil
}

// first is the smallest view that all of the pictures can be made of, but no larger than the source.
func (s *Source) first(pictures []*picture) crop.View {
	whole := pictures[0].Whole
	if whole.X > s.Width || whole.Y > s.Height {
		whole = image.Pt(s.Width, s.Height)
	}
	var views []crop.View
	for _, p := range pictures {
		if p.aim != Center { // it may become any part
			p = &picture{View: crop.Whole(p.Whole.X, p.Whole.Y)}
		}
		views = append(views, p.View)
	}
	return crop.Union(whole, views)
}

// crops reports whether some of the picture is cut off.
func (p *picture) crops() bool {
	return p.Picture() != crop.Whole(p.Whole.X, p.Whole.Y)
}

// narrowest returns the picture that stands for all of them: the smallest that shows the whole of the source, and nothing else;
// the smallest of all, if none does.
func narrowest(pictures []*picture) *picture {
	for _, p := range slices.Backward(pictures) {
		if p.IsWhole() {
			return p
		}
	}
	return pictures[len(pictures)-1]
}

// looked is the longer side, in pixels, of the picture in which is looked for what catches the eye.
const looked = 256

// place places the windows that depend on what the picture shows, once the first of them is there.
func place(ctx context.Context, pictures []*picture) error {
	var small raster
	var seen crop.View
	for _, p := range pictures {
		if p.aim == Center {
			continue
		}
		if small == nil {
			first := pictures[0]
			by := min(1, looked/float64(max(first.Width(), first.Height())))
			seen = crop.Whole(max(1, int(by*float64(first.Width()))), max(1, int(by*float64(first.Height()))))
			var err error
			if small, err = first.pixels.view(ctx, seen, Color{}); err != nil {
				return fmt.Errorf("resize to %d × %d: %w", seen.Whole.X, seen.Whole.Y, err)
			}
			defer small.close()
		}
		if err := p.place(small, seen.Whole); err != nil {
			return err
		}
	}
	return nil
}

// place moves the window, of which one side is as long as the whole's, by what a smaller picture of so many pixels shows.
func (p *picture) place(small raster, seen image.Point) error {
	cut := p.Whole.Sub(p.Window.Size())
	at := func(n, whole, seen int) int { return max(1, int(math.Round(float64(n)*float64(seen)/float64(whole)))) }
	part := image.Pt(at(p.Width(), p.Whole.X, seen.X), at(p.Height(), p.Whole.Y, seen.Y))
	corner, err := small.salient(p.aim, part)
	if err != nil {
		return err
	}
	rest := seen.Sub(part)
	corner = image.Pt(corner.X*cut.X/max(1, rest.X), corner.Y*cut.Y/max(1, rest.Y))
	p.Window, p.aim = image.Rectangle{corner, corner.Add(p.Window.Size())}, Center
	return nil
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
		if len(p.sizes) > 0 {
			pixels += int64(p.Width()) * int64(p.Height())
		}
	}
	return pixels * s.framesFor(pictures)
}

// parent returns the picture to make p from: the smallest one with all of p's that is at least two and a half times as wide, else
// the first. Each step of resizing costs a little sharpness, and a longer step costs less.
func parent(made []*picture, p *picture) *picture {
	for _, candidate := range slices.Backward(made) {
		enlarged := candidate.Whole.X > made[0].Whole.X
		if 2*candidate.Whole.X >= 5*p.Whole.X && !enlarged && p.Within(candidate.View) {
			return candidate
		}
	}
	return made[0]
}

func (p *picture) emit(r Rendition, emit func(Rendition) error) error {
	r.Width, r.Height = p.Width(), p.Height()
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
