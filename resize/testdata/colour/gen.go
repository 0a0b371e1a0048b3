//go:build ignore

// Gen makes the colour fixtures, all but the compression of the CMYK pictures: see make.sh.
// The two ICC profiles are computed here; what they mean in sRGB is Little CMS's word (transicc).
package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strconv"
)

const (
	grid      = 6  // patches a row and rows
	patchSize = 32 // pixels
	side      = grid * patchSize
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gen work-directory")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(work string) error {
	p3, cmyk := filepath.Join(work, "p3.icc"), filepath.Join(work, "cmyk.icc")
	if err := os.WriteFile(p3, displayP3(), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(cmyk, press(), 0o644); err != nil {
		return err
	}
	if err := makeP3(p3); err != nil {
		return fmt.Errorf("make P3: %w", err)
	}
	if err := makeCMYK(cmyk, filepath.Join(work, "cmyk.tif")); err != nil {
		return fmt.Errorf("make CMYK: %w", err)
	}
	return nil
}

// Patches.

// srgbPatches are the P3 picture's colours before they are rounded in P3: greys, skin tones,
// muted colours, and saturated ones close to sRGB's edge.
var srgbPatches = [][]float64{
	{4, 4, 4}, {30, 30, 30}, {60, 60, 60}, {119, 119, 119}, {186, 186, 186}, {250, 250, 250},
	{239, 206, 178}, {224, 172, 105}, {198, 134, 66}, {141, 85, 36}, {94, 60, 40}, {194, 150, 130},
	{98, 122, 157}, {87, 108, 67}, {133, 128, 177}, {103, 189, 170}, {214, 126, 44}, {80, 91, 166},
	{193, 90, 99}, {94, 60, 108}, {157, 188, 64}, {224, 163, 46}, {56, 61, 150}, {70, 148, 73},
	{175, 54, 60}, {231, 199, 31}, {187, 86, 149}, {20, 133, 161}, {240, 40, 30}, {30, 235, 40},
	{25, 45, 240}, {30, 230, 235}, {235, 35, 230}, {245, 240, 40}, {250, 120, 20}, {120, 20, 245},
}

func makeP3(profile string) error {
	exact, err := transicc("*sRGB", profile, 1, srgbPatches)
	if err != nil {
		return err
	}
	stored := make([][]float64, len(exact))
	for i, c := range exact {
		stored[i] = []float64{math.Round(c[0]), math.Round(c[1]), math.Round(c[2])}
	}
	picture := image.NewNRGBA(image.Rect(0, 0, side, side))
	for i, c := range stored {
		fill(i, func(x, y int) { picture.Set(x, y, color.NRGBA{byte(c[0]), byte(c[1]), byte(c[2]), 255}) })
	}
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, picture); err != nil {
		return err
	}
	icc, err := os.ReadFile(profile)
	if err != nil {
		return err
	}
	if err := os.WriteFile("p3.png", withICC(encoded.Bytes(), icc), 0o644); err != nil {
		return err
	}
	return writeCSV("p3.csv", []string{"p3_r", "p3_g", "p3_b"}, stored, profile, stored)
}

// makeCMYK chooses the patches: some for what they show, the others as far as possible from all
// that are chosen already.
func makeCMYK(profile, picture string) error {
	var candidates [][]float64
	for _, ink := range [][4]float64{
		{0, 0, 0, 26}, {0, 0, 0, 77}, {0, 0, 0, 128}, {0, 0, 0, 179}, {0, 0, 0, 230}, {115, 92, 92, 0},
		{13, 56, 71, 0}, {20, 77, 97, 5}, {36, 107, 133, 26}, {66, 128, 153, 77}, {102, 140, 140, 128}, {191, 166, 153, 191},
	} {
		candidates = append(candidates, ink[:])
	}
	const fixed = 12
	for c := 0.; c <= 255; c += 51 {
		for m := 0.; m <= 255; m += 51 {
			for y := 0.; y <= 255; y += 51 {
				for k := 0.; k <= 204; k += 51 {
					candidates = append(candidates, []float64{c, m, y, k})
				}
			}
		}
	}
	percent := make([][]float64, len(candidates))
	for i, c := range candidates {
		percent[i] = inkPercent(c)
	}
	perceptual, err := transicc(profile, "*sRGB", 0, percent)
	if err != nil {
		return err
	}
	relative, err := transicc(profile, "*sRGB", 1, percent)
	if err != nil {
		return err
	}
	lab, err := transicc(profile, "*Lab", 1, percent)
	if err != nil {
		return err
	}

	distance := make([]float64, len(candidates)) // to the nearest chosen patch; -1: not to be chosen
	for i := range candidates {
		distance[i] = math.Inf(1)
		if !clipFree(perceptual[i]) || !clipFree(relative[i]) {
			if i < fixed {
				return fmt.Errorf("patch %v is outside sRGB: %v, %v", candidates[i], perceptual[i], relative[i])
			}
			distance[i] = -1
		}
	}
	var stored, storedPercent [][]float64
	for len(stored) < grid*grid {
		next := len(stored)
		if next >= fixed {
			for i := range candidates {
				if distance[i] > distance[next] {
					next = i
				}
			}
		}
		stored, storedPercent = append(stored, candidates[next]), append(storedPercent, percent[next])
		for i := range candidates {
			d := math.Hypot(math.Hypot(lab[i][0]-lab[next][0], lab[i][1]-lab[next][1]), lab[i][2]-lab[next][2])
			distance[i] = min(distance[i], d)
		}
	}

	pixels := make([]byte, side*side*4)
	for i, c := range stored {
		fill(i, func(x, y int) {
			for ink := range 4 {
				pixels[(y*side+x)*4+ink] = byte(c[ink])
			}
		})
	}
	icc, err := os.ReadFile(profile)
	if err != nil {
		return err
	}
	if err := os.WriteFile(picture, tiffCMYK(pixels, icc), 0o644); err != nil {
		return err
	}
	return writeCSV("cmyk.csv", []string{"c", "m", "y", "k"}, stored, profile, storedPercent)
}

func clipFree(rgb []float64) bool {
	return min(rgb[0], rgb[1], rgb[2]) >= 2 && max(rgb[0], rgb[1], rgb[2]) <= 253
}

func inkPercent(c []float64) []float64 {
	percent := make([]float64, len(c))
	for i := range c {
		percent[i] = c[i] / 2.55
	}
	return percent
}

// fill calls set for every pixel of patch i.
func fill(i int, set func(x, y int)) {
	left, top := i%grid*patchSize, i/grid*patchSize
	for y := top; y < top+patchSize; y++ {
		for x := left; x < left+patchSize; x++ {
			set(x, y)
		}
	}
}

// writeCSV writes for each patch what is stored and what Little CMS makes of it in sRGB; input is
// stored in the units that transicc takes.
func writeCSV(name string, columns []string, stored [][]float64, profile string, input [][]float64) error {
	rows := [][]string{append(append([]string{"patch", "x", "y"}, columns...),
		"perceptual_r", "perceptual_g", "perceptual_b", "relative_r", "relative_g", "relative_b")}
	perceptual, err := transicc(profile, "*sRGB", 0, input)
	if err != nil {
		return err
	}
	relative, err := transicc(profile, "*sRGB", 1, input)
	if err != nil {
		return err
	}
	for i, c := range stored {
		row := []string{strconv.Itoa(i), strconv.Itoa(i % grid * patchSize), strconv.Itoa(i / grid * patchSize)}
		for _, v := range c {
			row = append(row, strconv.FormatFloat(v, 'f', 0, 64))
		}
		if !clipFree(perceptual[i]) || !clipFree(relative[i]) {
			return fmt.Errorf("patch %d is outside sRGB: %v, %v", i, perceptual[i], relative[i])
		}
		for _, v := range append(perceptual[i], relative[i]...) {
			row = append(row, strconv.FormatFloat(v, 'f', 4, 64))
		}
		rows = append(rows, row)
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer file.Close()
	w := csv.NewWriter(file)
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	return file.Close()
}
