package resize

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func width(name string, w int) Size { return Size{Name: name, Width: w} }
func cover(name string, w, h int, at Position) Size {
	return Size{Name: name, Width: w, Height: h, Fit: Cover, Position: at}
}
func contain(name string, w, h int) Size { return Size{Name: name, Width: w, Height: h, Fit: Contain} }
func enlarged(s Size) Size               { s.Enlarge = true; return s }

// What is made, of what: each picture's pixels and, if they are not all, its place in the whole; behind the arrow the number of the
// picture that it is made from.
func TestPlan(t *testing.T) {
	for name, c := range map[string]struct {
		source [2]int
		sizes  []Size
		want   string
	}{
		"widths": {
			[2]int{4000, 3000}, []Size{width("a", 368), width("b", 1440), width("c", 720), width("d", 200), width("e", 368)},
			"1440×1080 b, 720×540 c < 0, 368×276 a e < 0, 200×150 d < 1",
		},
		"a picture smaller than all serves all": {
			[2]int{300, 200}, []Size{width("a", 368), {Name: "b", Height: 600}, {Name: "c", Width: 400, Height: 300}},
			"300×200 a b c",
		},
		"a height is a width": {
			[2]int{4000, 3000}, []Size{{Name: "a", Height: 540}, width("b", 720)},
			"720×540 a b",
		},
		"within a box, by its width or by its height": {
			[2]int{4000, 3000}, []Size{{Name: "a", Width: 400, Height: 400}, {Name: "b", Width: 400, Height: 200}},
			"400×300 a, 267×200 b < 0",
		},
		"one crop is decoded as such": {
			[2]int{4032, 2268}, []Size{cover("a", 200, 200, Center)},
			"200×200 of 356×200 at 78,0 a",
		},
		"of one crop twice, the small from the large": {
			[2]int{4032, 2268}, []Size{cover("a", 200, 200, Center), cover("a@2x", 400, 400, Center)},
			"400×400 of 711×400 at 155,0 a@2x, 200×200 of 356×200 at 78,0 a < 0",
		},
		"two crops, of the part that has both": {
			[2]int{2000, 1000}, []Size{cover("a", 200, 200, Left), cover("b", 200, 200, Center)},
			"300×200 of 400×200, 200×200 of 400×200 a < 0, 200×200 of 400×200 at 100,0 b < 0",
		},
		"a crop of what is there, if that is large enough": {
			[2]int{4000, 3000}, []Size{width("large", 1440), width("small", 368), cover("a", 200, 200, TopRight)},
			"1440×1080 large, 368×276 small < 0, 200×200 of 267×200 at 67,0 a < 0",
		},
		"of a smaller one where it is": {
			[2]int{4000, 3000}, []Size{width("large", 1440), width("medium", 720), cover("a", 200, 200, Center)},
			"1440×1080 large, 720×540 medium < 0, 200×200 of 267×200 at 33,0 a < 1",
		},
		"a crop that needs more than the widest has": {
			[2]int{4032, 2268}, []Size{width("small", 368), cover("a", 400, 400, Center)},
			"711×400, 400×400 of 711×400 at 155,0 a < 0, 368×207 small < 0",
		},
		"a crop of all that there is": {
			[2]int{4000, 3000}, []Size{width("a", 400), cover("b", 400, 300, Entropy), contain("c", 400, 300)},
			"400×300 a b c",
		},
		"of a picture smaller than the box, what has its aspect": {
			[2]int{300, 150}, []Size{cover("a", 200, 200, Center), cover("b", 400, 200, Center)},
			"300×150 b, 150×150 of 300×150 at 75,0 a < 0",
		},
		"unless it is to be enlarged": {
			[2]int{300, 150}, []Size{enlarged(cover("a", 200, 200, Center)), enlarged(width("b", 600))},
			"300×150, 600×300 b < 0, 200×200 of 400×200 at 100,0 a < 0",
		},
		"what is smaller than the source is not made of what is larger": {
			[2]int{1000, 500}, []Size{enlarged(width("huge", 4000)), width("large", 800), width("small", 100)},
			"1000×500, 4000×2000 huge < 0, 800×400 large < 0, 100×50 small < 2",
		},
		"where it catches the eye is seen later": {
			[2]int{2000, 1000}, []Size{cover("a", 200, 200, Attention), cover("b", 200, 200, Entropy), cover("c", 200, 200, Center)},
			"400×200, 200×200 of 400×200 at 100,0 (attention) a < 0, 200×200 of 400×200 at 100,0 (entropy) b < 0, 200×200 of 400×200 at 100,0 c < 0",
		},
		"around what is contained": {
			[2]int{4000, 3000}, []Size{contain("a", 400, 400), width("b", 400)},
			"400×300 b, 400×400 of 400×300 at 0,-50 a < 0",
		},
		"at an even place": {
			[2]int{100, 75}, []Size{contain("a", 200, 150)},
			"100×75, 200×150 of 100×75 at -50,-36 a < 0",
		},
		"a panorama": {
			[2]int{60000, 60}, []Size{cover("a", 200, 200, Center), width("b", 368)},
			"60000×60, 60×60 of 60000×60 at 29970,0 a < 0, 368×1 b < 0",
		},
	} {
		s := &Source{Format: JPEG, Width: c.source[0], Height: c.source[1], Frames: 1}
		pictures, err := s.plan(Spec{Sizes: c.sizes, Formats: []Format{AsSource, JPEG}})
		if err != nil {
			t.Fatal(err)
		}
		if got := planText(pictures); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", name, got, c.want)
		}
	}
}

func planText(pictures []*picture) string {
	var all []string
	for i, p := range pictures {
		text := fmt.Sprintf("%d×%d", p.Width(), p.Height())
		if !p.IsWhole() {
			text += fmt.Sprintf(" of %d×%d", p.Whole.X, p.Whole.Y)
			if at := p.Window.Min; at.X != 0 || at.Y != 0 {
				text += fmt.Sprintf(" at %d,%d", at.X, at.Y)
			}
		}
		if p.aim != Center {
			text += fmt.Sprintf(" (%s)", p.aim)
		}
		if names := p.sizes[JPEG]; len(names) > 0 {
			text += " " + strings.Join(names, " ")
		}
		if i > 0 {
			text += fmt.Sprint(" < ", slices.Index(pictures, parent(pictures[:i], p)))
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}
