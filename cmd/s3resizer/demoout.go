package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	_ "golang.org/x/image/webp"

	"s3resizer/internal/demo"
	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// demoOut is the folder in which a demo leaves its pictures. A list of them lies beside them: the next demo removes those, and
// nothing else.
type demoOut struct {
	folder string
	former []string // paths of the files of the demo before, below the folder
}

const (
	demoList     = ".s3resizer-demo"
	contactSheet = "contact-sheet.jpg"
)

// openDemoOut refuses a folder with files of others.
func openDemoOut(folder string) (*demoOut, error) {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, workError{err}
	}
	list, err := os.ReadFile(filepath.Join(folder, demoList))
	if err != nil && len(entries) > 0 {
		return nil, fmt.Errorf("%s has files that no demo has left there: name another folder with --out, or remove them", folder)
	}
	o := &demoOut{folder: folder}
	for name := range strings.SplitSeq(string(list), "\n") {
		if filepath.IsLocal(name) {
			o.former = append(o.former, name)
		}
	}
	return o, nil
}

// keep reads the renditions back and leaves them in the folder, in the place of those of the demo before, with a contact
// sheet of the smallest of each, if there are any.
func (o *demoOut) keep(ctx context.Context, store *s3io.Client, results []report.Result) (sheet string, err error) {
	names := []string{contactSheet}
	for _, result := range results {
		for _, r := range result.Renditions {
			names = append(names, filepath.FromSlash(r.Key))
		}
	}
	if err := o.begin(names); err != nil || len(names) == 1 {
		return "", err
	}
	var cells []image.Image
	for _, result := range results {
		for i, r := range result.Renditions {
			data, err := read(ctx, store, r.Bucket, r.Key)
			if err != nil {
				return "", err
			}
			if err := writeFile(filepath.Join(o.folder, filepath.FromSlash(r.Key)), data); err != nil {
				return "", err
			}
			if i == 0 {
				if cell, _, err := image.Decode(bytes.NewReader(data)); err == nil { // Go reads no AVIF: it is left out
					cells = append(cells, cell)
				}
			}
		}
	}
	if len(cells) == 0 {
		return "", nil
	}
	var contact bytes.Buffer
	if err := demo.ContactSheet(&contact, cells); err != nil {
		return "", err
	}
	sheet = filepath.Join(o.folder, contactSheet)
	return sheet, writeFile(sheet, contact.Bytes())
}

// begin removes what the demo before has left, and notes what this one is going to leave.
func (o *demoOut) begin(names []string) error {
	for _, name := range o.former {
		if err := os.Remove(filepath.Join(o.folder, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for folder := filepath.Dir(name); folder != "."; folder = filepath.Dir(folder) {
			if os.Remove(filepath.Join(o.folder, folder)) != nil {
				break // there is something else in it
			}
		}
	}
	for _, name := range names {
		if _, err := os.Lstat(filepath.Join(o.folder, name)); err == nil {
			return fmt.Errorf("%s is there, and no demo has left it: name another folder with --out", filepath.Join(o.folder, name))
		}
	}
	if len(names) == 1 {
		return nil
	}
	return writeFile(filepath.Join(o.folder, demoList), []byte(strings.Join(names, "\n")))
}
