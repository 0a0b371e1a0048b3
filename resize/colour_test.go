package resize

import (
	"bytes"
	"encoding/csv"
	"image"
	"os"
	"slices"
	"strconv"
	"testing"
)

// Pictures with a profile, against a conversion of the same values by Little CMS (testdata/colour/README.md).
func TestColoursAgreeWithLittleCMS(t *testing.T) {
	for name, table := range map[string]string{"p3.png": "p3.csv", "cmyk.tif": "cmyk.csv", "cmyk.jpg": "cmyk.csv"} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile("testdata/colour/" + name)
			if err != nil {
				t.Fatal(err)
			}
			_, out := render(t, data, []Size{{"half", 96}}, PNG) // each patch is 16 pixels wide
			agrees(t, out["half png"].Data, patches(t, "testdata/colour/"+table, "perceptual"))
		})
	}
}

// agrees compares a picture, its patches 16 pixels wide, with the colors that they ought to have.
func agrees(t *testing.T, data []byte, want []patch) {
	t.Helper()
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var errs []float64
	for _, patch := range want {
		r, g, b, _ := img.At(patch.x/2+8, patch.y/2+8).RGBA()
		got := srgbToLab(float64(r)/257, float64(g)/257, float64(b)/257)
		errs = append(errs, deltaE2000(got, srgbToLab(patch.r, patch.g, patch.b)))
	}
	slices.Sort(errs)
	mean := 0.0
	for _, e := range errs {
		mean += e / float64(len(errs))
	}
	p95 := errs[len(errs)*95/100]
	t.Logf("%d patches: ΔE2000 mean %.2f, 95th percentile %.2f, worst %.2f", len(errs), mean, p95, errs[len(errs)-1])
	if mean > 1 || p95 > 2 {
		t.Errorf("ΔE2000 mean %.2f, 95th percentile %.2f; want at most 1 and 2", mean, p95)
	}
}

type patch struct {
	x, y    int
	r, g, b float64 // sRGB, 0–255
}

// patches reads a table of testdata/colour: where each patch is, and the color in the columns of the given kind.
func patches(t *testing.T, file, kind string) []patch {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	number := func(row []string, column string) float64 {
		n, err := strconv.ParseFloat(row[slices.Index(rows[0], column)], 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	var out []patch
	for _, row := range rows[1:] {
		out = append(out, patch{
			int(number(row, "x")), int(number(row, "y")),
			number(row, kind+"_r"), number(row, kind+"_g"), number(row, kind+"_b"),
		})
	}
	if len(out) != 36 {
		t.Fatalf("%d patches in %s, want 36", len(out), file)
	}
	return out
}
