package config

import (
	"slices"
	"strings"
	"testing"

	"s3resizer/resize"
)

// What is said another way is the same size, and leaves the fingerprint as it is.
func TestSizes(t *testing.T) {
	for value, want := range map[string]struct {
		size resize.Size
		text string // "" for the value itself
	}{
		"s=368":                             {resize.Size{Width: 368}, ""},
		"s=0368":                            {resize.Size{Width: 368}, "s=368"},
		"s=x600":                            {resize.Size{Height: 600}, ""},
		"s=400x300":                         {resize.Size{Width: 400, Height: 300}, ""},
		"s=1440:enlarge":                    {resize.Size{Width: 1440, Enlarge: true}, ""},
		"s=200x200:cover":                   {resize.Size{Width: 200, Height: 200, Fit: resize.Cover}, ""},
		"s=200x200:cover@center":            {resize.Size{Width: 200, Height: 200, Fit: resize.Cover}, "s=200x200:cover"},
		"s=200x200:cover@bottom-right":      {resize.Size{Width: 200, Height: 200, Fit: resize.Cover, Position: resize.BottomRight}, ""},
		"s=200x200:enlarge:cover@attention": {resize.Size{Width: 200, Height: 200, Fit: resize.Cover, Position: resize.Attention, Enlarge: true}, "s=200x200:cover@attention:enlarge"},
		"s=16384x1:contain":                 {resize.Size{Width: 16384, Height: 1, Fit: resize.Contain}, ""},
	} {
		s, err := Load([]string{"RESIZE_SIZES=" + value})
		if err != nil {
			t.Error(err)
			continue
		}
		want.size.Name = "s"
		if want.text == "" {
			want.text = value
		}
		if s.Sizes[0] != want.size || s.Sizes[0].String() != want.text || s.Canonical() != canonicalVersion+"RESIZE_SIZES="+want.text+"\n" {
			t.Errorf("%s: %+v, %q, want %+v and %q", value, s.Sizes[0], s.Canonical(), want.size, want.text)
		}
	}
	s, err := Load([]string{"RESIZE_SIZES=card=400x300:cover, card@2x=800x600:cover,plain=720"})
	if err != nil || !slices.Equal(s.Sizes, []resize.Size{
		{Name: "card", Width: 400, Height: 300, Fit: resize.Cover}, {Name: "card@2x", Width: 800, Height: 600, Fit: resize.Cover}, {Name: "plain", Width: 720},
	}) {
		t.Errorf("%v, %v", s.Sizes, err)
	}
}

func TestEachWrongSizeIsToldWhatWouldBeRight(t *testing.T) {
	for value, says := range map[string][]string{
		"small":                   {`"small"`, "a width such as 368"},
		"small=":                  {`"small="`, "a height such as x600", "a box such as 400x300", "between 1 and 16384"},
		"small=0":                 {"between 1 and 16384"},
		"small=16385":             {"between 1 and 16384"},
		"small=-5":                {"between 1 and 16384"},
		"small=x":                 {"between 1 and 16384"},
		"small=400x":              {"between 1 and 16384"},
		"small=400x300x200":       {"between 1 and 16384"},
		"small=400×300":           {"a box such as 400x300"},
		"small=400px":             {"between 1 and 16384"},
		"a b=1":                   {`"a b=1"`, "the name of letters, digits, -, _ and @"},
		"=5":                      {"the name of"},
		"a=1,a=2":                 {`the size "a" is there twice`},
		"a=200:cover":             {"cover wants a width and a height", "400x300:cover"},
		"a=x200:contain":          {"contain wants a width and a height", "400x300:contain"},
		"a=200x200:fill":          {`"fill"`, `"cover", "cover@position" and "contain", and "enlarge"`},
		"a=200x200:cover@middle":  {`"@middle"`, "center,top,bottom,left,right,top-left,top-right,bottom-left,bottom-right,attention,entropy"},
		"a=200x200:cover@":        {`"@"`, "attention"},
		"a=200x200:contain@top":   {`"contain@top"`, "such as 200x200:cover@top"},
		"a=200x200:cover:contain": {`"contain"`, "once each"},
		"a=200:enlarge:enlarge":   {"once each"},
		"a=200:":                  {`""`, "once each"},
	} {
		_, err := Load([]string{"RESIZE_SIZES=" + value})
		if err == nil || !strings.HasPrefix(err.Error(), "RESIZE_SIZES=") {
			t.Errorf("%s: %v", value, err)
			continue
		}
		for _, words := range says {
			if !strings.Contains(err.Error(), words) {
				t.Errorf("%s: the error does not say %q: %v", value, words, err)
			}
		}
	}
}
