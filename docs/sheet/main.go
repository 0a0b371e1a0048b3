// Command sheet draws docs/sizes.jpg: what becomes of one photo in sizes of every kind.
package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"os"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"s3resizer/internal/config"
	"s3resizer/internal/demo"
	"s3resizer/resize"
)

// sizes are what is drawn, row by row. The photo is of 1200 × 800 pixels, and the background a light blue.
var sizes = []string{
	"160", "x80", "160x160", "160x160:contain",
	"160x160:cover", "160x160:cover@left", "160x160:cover@right", "160x160:cover@attention",
	"160x80:cover", "160x80:cover@top", "160x80:cover@bottom", "160x80:cover@entropy",
}

// In pixels: a cell, the box in its middle, and the lines of text.
const columns, cell, box, line = 4, 220, 160, 24

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var all []string
	for i, size := range sizes {
		all = append(all, fmt.Sprintf("s%d=%s", i, size))
	}
	settings, err := config.Load([]string{"RESIZE_SIZES=" + strings.Join(all, ","), "RESIZE_FORMATS=png", "RESIZE_BACKGROUND=#b8d4e8"})
	if err != nil {
		return err
	}
	if err := resize.Startup(1); err != nil {
		return err
	}
	photo, err := demo.Encode(demo.Scene(demo.Sea, 11, 1200, 800), demo.Options{Format: "jpeg", Quality: 95})
	if err != nil {
		return err
	}
	made, err := render(photo, settings)
	if err != nil {
		return err
	}
	sheet, err := draws(settings, made)
	if err != nil {
		return err
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, sheet, &jpeg.Options{Quality: 80}); err != nil {
		return err
	}
	return os.WriteFile("docs/sizes.jpg", file.Bytes(), 0o644)
}

func render(photo []byte, settings config.Settings) (map[string]image.Image, error) {
	source, err := resize.Open(context.Background(), bytes.NewReader(photo), settings.Limits)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	made, mu := map[string]image.Image{}, sync.Mutex{}
	_, err = source.Render(context.Background(), settings.Spec(), func(r resize.Rendition) error {
		img, err := png.Decode(bytes.NewReader(r.Data))
		mu.Lock()
		defer mu.Unlock()
		made[r.Size] = img
		return err
	})
	return made, err
}

// draws puts each picture into the middle of its cell, with the box dashed around it where there is one, and what was said below.
func draws(settings config.Settings, made map[string]image.Image) (image.Image, error) {
	parsed, err := opentype.Parse(gomono.TTF)
	if err != nil {
		return nil, err
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: 14, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return nil, err
	}
	sheet := image.NewRGBA(image.Rect(0, 0, columns*cell, (len(sizes)+columns-1)/columns*(box+3*line)))
	draw.Draw(sheet, sheet.Rect, image.White, image.Point{}, draw.Src)
	text := font.Drawer{Dst: sheet, Src: image.NewUniform(color.Gray{40}), Face: face}
	for i, size := range settings.Sizes {
		middle := image.Pt(i%columns*cell+cell/2, i/columns*(box+3*line)+line+box/2)
		img := made[size.Name]
		around(sheet, image.Pt(size.Width, size.Height), middle)
		at := middle.Sub(img.Bounds().Size().Div(2))
		draw.Draw(sheet, image.Rectangle{at, at.Add(img.Bounds().Size())}, img, image.Point{}, draw.Src)
		said := strings.TrimPrefix(size.String(), size.Name+"=")
		text.Dot = fixed.P(middle.X-text.MeasureString(said).Round()/2, middle.Y+box/2+line)
		text.DrawString(said)
	}
	return sheet, nil
}

// around dashes the box, or the one side of it that is said.
func around(sheet draw.Image, size, middle image.Point) {
	half := image.Pt(size.X/2+2, size.Y/2+2)
	for d := -box/2 - 2; d < box/2+2; d++ {
		if d%6 >= 0 && d%6 < 3 || d%6 <= -4 {
			continue
		}
		for _, side := range []int{-1, 1} {
			if size.X > 0 && (size.Y == 0 || d >= -half.Y && d < half.Y) {
				sheet.Set(middle.X+side*half.X, middle.Y+d, color.Gray{150})
			}
			if size.Y > 0 && (size.X == 0 || d >= -half.X && d < half.X) {
				sheet.Set(middle.X+d, middle.Y+side*half.Y, color.Gray{150})
			}
		}
	}
}
