// Command field runs every picture of a folder through the program, through Chromium and through the decoder of its own format,
// and lists what they don't agree on, the largest difference first: a way to find the kinds of picture that no test has yet.
//
//	make field FILES=folder
//
// Pictures are compared at their own size, laid on mid-grey, by the mean difference of their levels, 0 to 255. What one of them
// shows and another refuses comes first. A decoder of the format's own knows no color profiles, so a difference from it alone
// may be one of colors that are right; a difference from both is a fault, or worth a row of package conformance that says why
// not.
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"s3resizer/resize"
)

func main() {
	above := flag.Float64("above", 2, "list differences of more than this, in levels of 255")
	keep := flag.String("keep", "", "a folder for both pictures of each difference")
	flag.Parse()
	if err := run(context.Background(), flag.Arg(0), *above, *keep, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "field:", err)
		os.Exit(1)
	}
}

// viewer is one of those that show pictures.
type viewer struct {
	name string
	// show returns what is to be seen of a file. The error says why nothing is.
	show func(path string) (*image.NRGBA, error)
}

// errNotAsked is the error of a viewer for a file that is none of its.
var errNotAsked = errors.New("not a file for this decoder")

type finding struct {
	difference float64
	text       string
	theirs     *image.NRGBA
}

func run(ctx context.Context, folder string, above float64, keep string, out io.Writer) error {
	if folder == "" {
		return errors.New("which folder? make field FILES=folder")
	}
	if err := resize.Startup(2); err != nil {
		return err
	}
	files, err := filesOf(folder)
	if err != nil {
		return err
	}
	viewers := []viewer{{"its own decoder", ownDecoder}}
	browser, err := startBrowser(ctx)
	if err != nil {
		fmt.Fprintln(out, "without a browser:", err)
	} else {
		defer browser.stop()
		viewers = append(viewers, viewer{"the browser", browser.show})
	}
	var all []finding
	for _, file := range files {
		ours, err := render(ctx, filepath.Join(folder, file))
		for _, v := range viewers {
			f := compare(file, v, folder, ours, err)
			if f.difference <= above {
				continue
			}
			all = append(all, f)
			if keep != "" {
				name := filepath.Join(keep, strings.ReplaceAll(file, string(filepath.Separator), "-"))
				if err := errors.Join(save(name+".here.png", ours), save(name+"."+strings.ReplaceAll(v.name, " ", "-")+".png", f.theirs)); err != nil {
					return err
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b finding) int { return cmp.Compare(b.difference, a.difference) })
	for _, f := range all {
		fmt.Fprintln(out, f.text)
	}
	_, err = fmt.Fprintf(out, "%d files, %d differences of more than %g levels\n", len(files), len(all), above)
	return err
}

// filesOf returns the paths of the files below a folder.
func filesOf(folder string) (files []string, err error) {
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		files = append(files, name)
		return err
	})
	return files, err
}

func compare(file string, v viewer, folder string, ours *image.NRGBA, refused error) finding {
	theirs, err := v.show(filepath.Join(folder, file))
	say := func(difference float64, format string, args ...any) finding {
		text := fmt.Sprintf(format, args...)
		if !math.IsInf(difference, 0) {
			text = fmt.Sprintf("%.1f levels from %s", difference, v.name)
		}
		return finding{difference, file + ": " + text, theirs}
	}
	switch {
	case errors.Is(err, errNotAsked) || refused != nil && err != nil:
		return finding{}
	case refused != nil:
		return say(math.Inf(1), "%v; %s shows it", refused, v.name)
	case err != nil:
		return say(math.Inf(1), "shown here, and not by %s: %v", v.name, err)
	case ours.Rect != theirs.Rect:
		return say(math.Inf(1), "%v here, %v in %s", ours.Rect.Max, theirs.Rect.Max, v.name)
	}
	return say(difference(ours, theirs), "")
}

// render returns the picture at its own size, as the program shows it.
func render(ctx context.Context, path string) (shown *image.NRGBA, err error) {
	opened, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	source, err := resize.Open(ctx, file{opened, path}, resize.Limits{MaxPixels: 150_000_000, MaxFrames: 500, MaxMemory: 2 << 30})
	if err != nil {
		return nil, err
	}
	defer source.Close()
	spec := resize.Spec{Sizes: []resize.Size{{Name: "all", Width: source.Width}}, Formats: []resize.Format{resize.PNG}}
	_, err = source.Render(ctx, spec, func(r resize.Rendition) (err error) {
		shown, err = decoded(r.Data)
		return err
	})
	return shown, err
}

// file is one that can be read again.
type file struct {
	*os.File
	path string
}

func (f file) Reopen(context.Context) (io.ReadCloser, error) { return os.Open(f.path) }

// decoded returns the pixels of a picture in one of the formats that Go knows.
func decoded(data []byte) (*image.NRGBA, error) {
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	out := image.NewNRGBA(image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy()))
	draw.Draw(out, out.Rect, img, img.Bounds().Min, draw.Src)
	return out, nil
}

// save writes a picture, if there is one.
func save(path string, picture *image.NRGBA) error {
	if picture == nil {
		return nil
	}
	var data bytes.Buffer
	if err := png.Encode(&data, picture); err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data.Bytes(), 0o644))
}

func difference(a, b *image.NRGBA) float64 {
	sum := 0.0
	for i := 0; i < len(a.Pix); i += 4 {
		for c := range 3 {
			sum += math.Abs(onGrey(a.Pix[i+c], a.Pix[i+3]) - onGrey(b.Pix[i+c], b.Pix[i+3]))
		}
	}
	return sum / float64(len(a.Pix)/4*3)
}

func onGrey(color, alpha uint8) float64 {
	return (float64(color)*float64(alpha) + 128*float64(255-alpha)) / 255
}

// extension returns that of a path, in small letters.
func extension(path string) string { return strings.ToLower(filepath.Ext(path)) }
