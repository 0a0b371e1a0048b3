package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"io/fs"
	"log/slog"
	"mime"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/spf13/cobra"
	_ "golang.org/x/image/webp"

	"s3resizer/internal/config"
	"s3resizer/internal/demo"
	"s3resizer/internal/handler"
	"s3resizer/internal/report"
	"s3resizer/s3io"
)

func demoCommand() *cobra.Command {
	var out, from string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Put pictures into an S3 in this process and show what becomes of them",
		Example: `  s3resizer demo
  s3resizer demo --photos ~/Pictures --out thumbs`,
		Args: cobra.NoArgs, ValidArgsFunction: noFiles,
		RunE: work(func(ctx context.Context, settings config.Settings, _ []string) error {
			return putAndShow(ctx, settings, from, out)
		}),
	}
	cmd.Flags().StringVar(&out, "out", "demo-out", "`folder` for the renditions")
	cmd.Flags().StringVar(&from, "photos", "", "`folder` of pictures to use (default: generated ones)")
	return cmd
}

// picture is one upload of the demo.
type picture struct {
	key  string
	note string
	data func() ([]byte, error)
}

// putAndShow is the main job, whole: uploads through the S3 API, the handler on the events that they raise, the renditions
// read back.
func putAndShow(ctx context.Context, settings config.Settings, from, out string) error {
	if from == "" {
		fmt.Println("Drawing ten pictures …")
	}
	pictures, err := demoPictures(from)
	if err != nil {
		return workError{err}
	}
	results := make(chan handled, len(pictures))
	var h *handler.Handler
	l, err := startLocal(settings, localOptions{addr: "127.0.0.1:0", jobs: runtime.GOMAXPROCS(0), told: func(_ events.S3Event, event json.RawMessage) {
		answer, err := h.Handle(context.Background(), event)
		results <- handled{answer, err}
	}})
	if err != nil {
		return workError{err}
	}
	h = handler.New(l.store, settings, slog.New(slog.DiscardHandler))
	l.serve()
	fmt.Printf("Putting %d pictures into s3://%s on %s; their renditions go to s3://%s.\n\n", len(pictures), sourceBucket, l.url, settings.DestBucket.For(sourceBucket))
	err = errors.Join(runDemo(ctx, l, settings, pictures, results, out, from == ""), l.stop())
	if err != nil {
		return workError{err}
	}
	return nil
}

type handled struct {
	report report.Report
	err    error
}

func runDemo(ctx context.Context, l *local, settings config.Settings, pictures []picture, results <-chan handled, out string, allMustDo bool) error {
	started := time.Now()
	if err := uploadAll(ctx, l.store, pictures); err != nil {
		return err
	}
	done := map[string]report.Result{}
	for range pictures {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case h := <-results:
			if h.err != nil {
				return h.err
			}
			done[h.report.Results[0].Source.Key] = h.report.Results[0]
		}
	}
	took := time.Since(started)

	table := newTable(os.Stdout, settings)
	var all []report.Result
	for _, p := range pictures {
		if err := table.row(done[p.key], p.note); err != nil {
			return err
		}
		all = append(all, done[p.key])
	}
	table.close()
	skipped := 0
	for _, r := range all {
		switch r.Status {
		case report.Resized:
		case report.Skipped:
			skipped++
			fmt.Printf("%s: skipped: %s\n", r.Source.Key, r.Reason)
		default:
			fmt.Printf("%s: %s, %s: %s\n", r.Source.Key, r.Status, r.Class, r.Reason)
		}
	}

	sheet, err := keep(ctx, l.store, all, out)
	if err != nil {
		return err
	}
	resized := count(all)
	kept := ""
	switch {
	case sheet != "":
		kept = fmt.Sprintf(" The pictures are in %s, all of them on %s.", out, sheet)
	case resized > 0:
		kept = fmt.Sprintf(" The pictures are in %s.", out)
	}
	fmt.Printf("\n%s, %.1f s in all.%s\n", total(all), took.Seconds(), kept)
	if left := len(all) - resized - skipped; allMustDo && left > 0 {
		return fmt.Errorf("%d of %d pictures were not resized", left, len(all))
	}
	return nil
}

// demoPictures are generated or, if a folder is named, the files in it and below.
func demoPictures(from string) ([]picture, error) {
	var pictures []picture
	if from == "" {
		set, err := demo.Set()
		for _, p := range set {
			pictures = append(pictures, picture{p.Key, p.Note, func() ([]byte, error) { return p.Data, nil }})
		}
		return pictures, err
	}
	root := os.DirFS(from) // which follows a link to a folder, and whose paths are keys
	err := fs.WalkDir(root, ".", func(key string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !entry.Type().IsRegular() || strings.HasPrefix(entry.Name(), ".") {
			return err
		}
		pictures = append(pictures, picture{key, "", func() ([]byte, error) { return fs.ReadFile(root, key) }})
		return nil
	})
	if err == nil && len(pictures) == 0 {
		err = errors.New("there are no files in it")
	}
	if err != nil {
		return nil, fmt.Errorf("pictures of the folder %s: %w", from, err)
	}
	return pictures, nil
}

func uploadAll(ctx context.Context, store *s3io.Client, pictures []picture) error {
	for err := range inOrder(runtime.GOMAXPROCS(0), pictures, func(p picture) error { return upload(ctx, store, p) }) {
		if err != nil {
			return err
		}
	}
	return nil
}

func upload(ctx context.Context, store *s3io.Client, p picture) error {
	data, err := p.data()
	if err != nil {
		return err
	}
	_, err = store.Put(ctx, s3io.Upload{Bucket: sourceBucket, Key: p.key, ContentType: mime.TypeByExtension(path.Ext(p.key)), Data: data})
	return err
}

// keep reads the renditions back and leaves them in a folder, with a contact sheet of the smallest of each, if
// there are any.
func keep(ctx context.Context, store *s3io.Client, results []report.Result, out string) (sheet string, err error) {
	var cells []image.Image
	for _, result := range results {
		for i, r := range result.Renditions {
			data, err := read(ctx, store, r.Bucket, r.Key)
			if err != nil {
				return "", err
			}
			if err := writeFile(filepath.Join(out, filepath.FromSlash(r.Key)), data); err != nil {
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
	sheet = filepath.Join(out, "contact-sheet.jpg")
	return sheet, writeFile(sheet, contact.Bytes())
}

func read(ctx context.Context, store *s3io.Client, bucket, key string) ([]byte, error) {
	object, err := store.Open(ctx, bucket, key)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	return io.ReadAll(object)
}

func count(results []report.Result) (resized int) {
	for _, r := range results {
		if r.Status == report.Resized {
			resized++
		}
	}
	return resized
}

// total is "10 pictures, 24.1 MB, became 30 renditions, 2.1 MB".
func total(results []report.Result) string {
	var in, out int64
	renditions := 0
	for _, result := range results {
		in += result.Source.Bytes
		for _, r := range result.Renditions {
			out += int64(r.Bytes)
			renditions++
		}
	}
	return fmt.Sprintf("%d pictures, %s, became %d renditions, %s", count(results), bytesText(in), renditions, bytesText(out))
}
