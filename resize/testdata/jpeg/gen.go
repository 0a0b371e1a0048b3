//go:build ignore

// Draws the picture that all files in this directory show, as a PPM.
package main

import (
	"bufio"
	"fmt"
	"os"

	"s3resizer/internal/demo"
)

func main() {
	img := demo.Scene(demo.Meadow, 7, 203, 149)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	fmt.Fprintf(out, "P6 %d %d 255\n", img.Rect.Dx(), img.Rect.Dy())
	for i := 0; i < len(img.Pix); i += 4 {
		out.Write(img.Pix[i : i+3])
	}
}
