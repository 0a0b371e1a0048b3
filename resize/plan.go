package resize

import (
	"fmt"
	"slices"

	"s3resizer/resize/internal/rejection"
)

// picture is one distinct pixel size to make, with the sizes and formats that it serves: a source narrower than
// several sizes is encoded once for all of them.
type picture struct {
	width, height int
	sizes         []string
	formats       []Format
	pixels        *pixels
}

// plan lists the pictures to make, the widest first.
func (s *Source) plan(spec Spec) ([]*picture, error) {
	formats := s.Outputs(spec.Formats)
	var pictures []*picture
	for _, size := range spec.Sizes {
		w, h := s.Fit(size.Width)
		i := slices.IndexFunc(pictures, func(p *picture) bool { return p.width == w })
		if i < 0 {
			pictures = append(pictures, &picture{width: w, height: h, formats: formats})
			i = len(pictures) - 1
		}
		pictures[i].sizes = append(pictures[i].sizes, size.Name)
		for _, format := range formats {
			if limit := format.maxDimension(); w > limit || h > limit {
				return nil, rejection.TooLargef("the %s size would be %d × %d pixels; %s holds at most %d a side", size.Name, w, h, format, limit)
			}
		}
	}
	if len(pictures) == 0 || len(formats) == 0 {
		return nil, fmt.Errorf("nothing to render: %d sizes in %d formats", len(spec.Sizes), len(spec.Formats))
	}
	slices.SortStableFunc(pictures, func(a, b *picture) int { return b.width - a.width })
	return pictures, nil
}

// parent chooses the picture from which to make p: the smallest one that is at least two and a half times as wide, else
// the widest. Each step costs a little sharpness, the less the longer it is.
func parent(made []*picture, p *picture) *pixels {
	for _, candidate := range slices.Backward(made) {
		if 2*candidate.width >= 5*p.width {
			return candidate.pixels
		}
	}
	return made[0].pixels
}

func (p *picture) emit(r Rendition, emit func(Rendition) error) error {
	r.Width, r.Height = p.width, p.height
	for _, r.Size = range p.sizes {
		if err := emit(r); err != nil {
			return err
		}
	}
	return nil
}

func closeAll(pictures []*picture) {
	for _, p := range pictures {
		p.pixels.close()
	}
}
