package resize

import (
	"fmt"
	"image"
	"math"

	"s3resizer/resize/internal/crop"
)

// Size is one of the sizes that are wanted: a width, a height, or a box of both.
type Size struct {
	Name          string
	Width, Height int // pixels of the upright picture; one of them may be 0, for what follows from the other
	Fit           Fit // in a box of both
	Position      Position
	Enlarge       bool // a smaller picture is made larger; else it stays as it is
}

// Fit is what becomes of a picture whose aspect is not that of the box.
type Fit string

// The ways to fit into a box.
const (
	Inside  Fit = ""        // as large as the box holds, and no larger
	Cover   Fit = "cover"   // the box is full, and the rest is cut off; of a smaller picture, as much as has the box's aspect
	Contain Fit = "contain" // inside, and the rest of the box is background: transparent, if the picture has alpha
)

// Position is which part of a picture stays when it is cut to cover a box.
type Position string

// The positions. The last two depend on what the picture shows: Attention keeps what is bright, saturated or of the color of
// skin, Entropy what is full of detail (vips_smartcrop). Of an animation, the first frame counts.
const (
	Center      Position = ""
	Top         Position = "top"
	Bottom      Position = "bottom"
	Left        Position = "left"
	Right       Position = "right"
	TopLeft     Position = "top-left"
	TopRight    Position = "top-right"
	BottomLeft  Position = "bottom-left"
	BottomRight Position = "bottom-right"
	Attention   Position = "attention"
	Entropy     Position = "entropy"
)

// at is how much of what is cut off is so on the left, and at the top. What follows the picture's own content is seen later.
func (p Position) at() (left, top float64) {
	left, top = 0.5, 0.5
	switch p {
	case Left, TopLeft, BottomLeft:
		left = 0
	case Right, TopRight, BottomRight:
		left = 1
	}
	switch p {
	case Top, TopLeft, TopRight:
		top = 0
	case Bottom, BottomLeft, BottomRight:
		top = 1
	}
	return left, top
}

// String returns the size as settings have it, such as "card=400x300:cover@top:enlarge".
func (s Size) String() string {
	text := s.Name + "="
	if s.Width > 0 {
		text += fmt.Sprint(s.Width)
	}
	if s.Height > 0 {
		text += fmt.Sprint("x", s.Height)
	}
	if s.Fit != Inside {
		text += ":" + string(s.Fit)
	}
	if s.Position != Center {
		text += "@" + string(s.Position)
	}
	if s.Enlarge {
		text += ":enlarge"
	}
	return text
}

// Fit returns the dimensions, in pixels, of the rendition of a size in a format: never more than the source's unless that is asked
// for, the height round(Height × width / Width), but at least 1. What contains has the box's. Where the format can't hold so many
// a side, they are the largest of the same aspect that it can: a WebP has 16383 at most, an AVIF 16384, a JPEG 65500.
func (s *Source) Fit(size Size, format Format) (w, h int) {
	v := s.viewIn(format, size)
	return v.Width(), v.Height()
}

// view returns what a size shows, by which its part of the picture is in the middle if it depends on what that shows.
func (s *Source) view(size Size) crop.View {
	switch size.Fit {
	case Cover:
		return s.covering(size)
	case Contain:
		v := s.inside(size)
		at := image.Pt((size.Width-v.Whole.X)/4*2, (size.Height-v.Whole.Y)/4*2) // even, for chroma of half as many samples
		v.Window = image.Rect(0, 0, size.Width, size.Height).Sub(at)
		return v
	default:
		return s.inside(size)
	}
}

func (s *Source) inside(size Size) crop.View {
	width, height := size.Width, size.Height
	if !size.Enlarge {
		width, height = min(width, s.Width), min(height, s.Height)
	}
	if width > 0 {
		if h := s.heightAt(width); height == 0 || h <= height {
			return crop.Whole(width, h)
		}
	}
	return crop.Whole(s.widthAt(height), height)
}

func (s *Source) covering(size Size) crop.View {
	box := image.Pt(size.Width, size.Height)
	if small := min(float64(s.Width)/float64(box.X), float64(s.Height)/float64(box.Y)); small < 1 && !size.Enlarge {
		box.X, box.Y = max(1, int(math.Round(float64(box.X)*small))), max(1, int(math.Round(float64(box.Y)*small)))
	}
	v := crop.View{Whole: image.Pt(box.X, s.heightAt(box.X))}
	if v.Whole.Y < box.Y {
		v.Whole = image.Pt(max(box.X, s.widthAt(box.Y)), box.Y)
	}
	left, top := size.Position.at()
	at := image.Pt(int(left*float64(v.Whole.X-box.X)), int(top*float64(v.Whole.Y-box.Y)))
	v.Window = image.Rectangle{at, at.Add(box)}
	return v
}

func (s *Source) heightAt(width int) int {
	return max(1, int(math.Round(float64(s.Height)*float64(width)/float64(s.Width))))
}

func (s *Source) widthAt(height int) int {
	return max(1, int(math.Round(float64(s.Width)*float64(height)/float64(s.Height))))
}

// viewIn is the view of a size in a format: where that can't hold so many pixels a side, of the largest of the same aspect that
// it can.
func (s *Source) viewIn(format Format, size Size) crop.View {
	v, most := s.view(size), format.maxDimension()
	longest := max(v.Width(), v.Height())
	if longest <= most {
		return v
	}
	size.Width = max(1, v.Width()*most/longest)
	if size.Fit == Inside {
		size.Height = 0
		v = s.inside(size)
		return crop.Whole(min(v.Whole.X, most), min(v.Whole.Y, most))
	}
	size.Height = max(1, v.Height()*most/longest)
	return s.view(size)
}
