package conformance

import (
	"encoding/csv"
	"os"
	"slices"
	"strconv"
	"testing"

	"s3resizer/resize"
)

const byLittleCMS = "Little CMS, for the same values: testdata/colour/README.md"

// chartRows are color charts of 192 × 192 pixels, 6 × 6 patches, with a profile.
var chartRows = []row{
	{
		is:   "a PNG in Display P3",
		file: stored("../testdata/colour/p3.png"), widths: []int{96}, formats: []resize.Format{resize.PNG},
		right: []expectation{source{resize.PNG, 192, 192}, chart{table: "p3.csv", kind: "perceptual"}}, truth: byLittleCMS,
	},
	{
		is:   "a TIFF in inks, with the profile of a press",
		file: stored("../testdata/colour/cmyk.tif"), widths: []int{96}, formats: []resize.Format{resize.PNG},
		right: []expectation{source{resize.TIFF, 192, 192}, chart{table: "cmyk.csv", kind: "perceptual"}}, truth: byLittleCMS,
	},
	{
		is:   "an Adobe JPEG in inverted inks, with the profile of a press",
		file: stored("../testdata/colour/cmyk.jpg"), widths: []int{96}, formats: []resize.Format{resize.PNG},
		right: []expectation{source{resize.JPEG, 192, 192}, chart{table: "cmyk.csv", kind: "perceptual"}}, truth: byLittleCMS,
	},
}

type patch struct {
	x, y    int
	r, g, b float64 // sRGB, 0–255
}

// patches reads a table of testdata/colour: where each patch is, and the color in the columns of the given kind.
func patches(t *testing.T, table, kind string) []patch {
	t.Helper()
	f, err := os.Open("../testdata/colour/" + table)
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
		t.Fatalf("%d patches in %s, want 36", len(out), table)
	}
	return out
}
