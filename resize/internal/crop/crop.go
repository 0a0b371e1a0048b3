// Package crop says what part of a picture is shown, and how large. It knows nothing of pixels.
package crop

import (
	"image"
	"math"
)

// View is what is shown of a picture: the whole of it at so many pixels, and of those the ones in a window. What of the window
// lies outside of the whole is shown as background.
type View struct {
	Whole  image.Point
	Window image.Rectangle
}

// Whole shows a whole picture at width × height pixels.
func Whole(width, height int) View {
	return View{image.Pt(width, height), image.Rect(0, 0, width, height)}
}

// Width returns that of what is shown, in pixels.
func (v View) Width() int { return v.Window.Dx() }

// Height returns that of what is shown, in pixels.
func (v View) Height() int { return v.Window.Dy() }

// IsWhole reports whether a whole picture is shown, and nothing else.
func (v View) IsWhole() bool { return v == Whole(v.Whole.X, v.Whole.Y) }

// Pads reports whether there is background around the picture.
func (v View) Pads() bool { return !v.Window.In(Whole(v.Whole.X, v.Whole.Y).Window) }

// Picture is the view without its background.
func (v View) Picture() View {
	v.Window = v.Window.Intersect(Whole(v.Whole.X, v.Whole.Y).Window)
	return v
}

// needed is the window that other must have, at least, to show what v does, but for half a pixel of v along cut edges: the
// windows of one crop at two scales differ by as much where they are rounded.
func (v View) needed(other image.Point) image.Rectangle {
	axis := func(low, high, whole, other int) (int, int) {
		from, to := float64(low), float64(high)
		if low > 0 {
			from += 0.5
		}
		if high < whole {
			to -= 0.5
		}
		scale := float64(other) / float64(whole)
		low, high = int(from*scale), min(other, int(math.Ceil(to*scale-1e-9)))
		low = min(low, other-1)
		return low, max(high, low+1)
	}
	w := v.Picture().Window
	var n image.Rectangle
	n.Min.X, n.Max.X = axis(w.Min.X, w.Max.X, v.Whole.X, other.X)
	n.Min.Y, n.Max.Y = axis(w.Min.Y, w.Max.Y, v.Whole.Y, other.Y)
	return n
}

// Within reports whether v can be made of what other shows.
func (v View) Within(other View) bool { return !other.Pads() && v.needed(other.Whole).In(other.Window) }

// Union is the smallest view of a picture of whole pixels that all of the views can be made of.
func Union(whole image.Point, views []View) View {
	u := View{Whole: whole}
	for _, v := range views {
		u.Window = u.Window.Union(v.needed(whole))
	}
	return u
}

// Of returns v as a view of what parent shows, to the pixel where parent is whole, else to half of one.
func (v View) Of(parent View) View {
	axis := func(whole, low, length, parentWhole, parentLow, parentLength int) (scaled, at int) {
		scale := float64(whole) / float64(parentWhole)
		scaled = max(length, int(math.Round(float64(parentLength)*scale)))
		return scaled, min(max(0, int(math.Round(float64(low)-float64(parentLow)*scale))), scaled-length)
	}
	inner := v.Picture().Window
	var of View
	var at image.Point
	of.Whole.X, at.X = axis(v.Whole.X, inner.Min.X, inner.Dx(), parent.Whole.X, parent.Window.Min.X, parent.Window.Dx())
	of.Whole.Y, at.Y = axis(v.Whole.Y, inner.Min.Y, inner.Dy(), parent.Whole.Y, parent.Window.Min.Y, parent.Window.Dy())
	of.Window = v.Window.Add(at.Sub(inner.Min))
	return of
}

// Turn is how a stored picture becomes upright: mirrored, and then with its rows and columns exchanged.
type Turn struct{ X, Y, Transposed bool }

// Turns are those of the EXIF orientations (CIPA DC-008, 4.6.4, tag 0x0112). Any other number is taken for 1.
var Turns = map[int]Turn{
	2: {X: true}, 3: {X: true, Y: true}, 4: {Y: true},
	5: {Transposed: true}, 6: {Y: true, Transposed: true}, 7: {X: true, Y: true, Transposed: true}, 8: {X: true, Transposed: true},
}

// Stored returns what of the stored picture a view of the upright one shows.
func (v View) Stored(t Turn) View {
	if t.Transposed {
		v.Whole = image.Pt(v.Whole.Y, v.Whole.X)
		v.Window = image.Rect(v.Window.Min.Y, v.Window.Min.X, v.Window.Max.Y, v.Window.Max.X)
	}
	if t.X {
		v.Window.Min.X, v.Window.Max.X = v.Whole.X-v.Window.Max.X, v.Whole.X-v.Window.Min.X
	}
	if t.Y {
		v.Window.Min.Y, v.Window.Max.Y = v.Whole.Y-v.Window.Max.Y, v.Whole.Y-v.Window.Min.Y
	}
	return v
}
