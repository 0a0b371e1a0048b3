package demo

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	stddraw "image/draw"
	"image/jpeg"
	"io"
	"math"

	"golang.org/x/image/draw"
)

// Measures of a contact sheet, in pixels.
const (
	sheetWidth     = 1200
	sheetGap       = 10
	sheetRowHeight = 240 // aimed at; rows come out lower or higher to fill the width
)

var sheetPaper = color.NRGBA{0xf6, 0xf6, 0xf4, 0xff}

// ContactSheet lays the pictures out in rows, in their order, all pictures of a
// row at one height, and writes a JPEG 1200 pixels wide. Transparent
// parts show the paper.
func ContactSheet(w io.Writer, pictures []image.Image) error {
	if len(pictures) == 0 {
		return errors.New("contact sheet: no pictures")
	}
	for i, p := range pictures {
		if p.Bounds().Empty() {
			return fmt.Errorf("contact sheet: picture %d is empty", i)
		}
	}
	rows := sheetRows(pictures)
	height := sheetGap
	for _, row := range rows {
		height += rowHeight(row) + sheetGap
	}
	sheet := image.NewNRGBA(image.Rect(0, 0, sheetWidth, height))
	stddraw.Draw(sheet, sheet.Rect, image.NewUniform(sheetPaper), image.Point{}, stddraw.Src)
	y := sheetGap
	for _, row := range rows {
		h := rowHeight(row)
		x := float64(sheetGap)
		for _, p := range row {
			next := x + aspect(p)*float64(h)
			cell := image.Rect(int(math.Round(x)), y, int(math.Round(next)), y+h)
			draw.CatmullRom.Scale(sheet, cell, p, p.Bounds(), draw.Over, nil)
			x = next + sheetGap
		}
		y += h + sheetGap
	}
	if err := jpeg.Encode(w, sheet, &jpeg.Options{Quality: 88}); err != nil {
		return fmt.Errorf("write contact sheet: %w", err)
	}
	return nil
}

func aspect(p image.Image) float64 {
	return float64(p.Bounds().Dx()) / float64(p.Bounds().Dy())
}

// sheetRows breaks the pictures into rows of about the same total width.
func sheetRows(pictures []image.Image) [][]image.Image {
	var total float64
	for _, p := range pictures {
		total += aspect(p)
	}
	count := max(1, math.Round(total*sheetRowHeight/sheetWidth))
	rows := make([][]image.Image, 1)
	var sum float64
	for _, p := range pictures {
		last := len(rows) - 1
		// A picture goes where its middle falls.
		if sum+aspect(p)/2 > total/count*float64(len(rows)) && len(rows[last]) > 0 {
			rows = append(rows, nil)
			last++
		}
		rows[last] = append(rows[last], p)
		sum += aspect(p)
	}
	return rows
}

// rowHeight is the height at which a row fills the sheet's width, within reason.
func rowHeight(row []image.Image) int {
	var sum float64
	for _, p := range row {
		sum += aspect(p)
	}
	fill := float64(sheetWidth-sheetGap*(len(row)+1)) / sum
	return max(1, int(math.Min(fill, 1.6*sheetRowHeight)))
}
