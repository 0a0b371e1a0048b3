package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/spf13/cobra"

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
	cmd.Flags().StringVar(&out, "out", "demo-out", "`folder` for the renditions: a new one, or one that a demo has made, whose files are replaced")
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
	kept, err := openDemoOut(out)
	if err != nil {
		return err
	}
	if from == "" {
		fmt.Println("Drawing ten pictures …")
	}
	pictures, err := demoPictures(from, kept)
	if err != nil {
		return workError{err}
	}
	results := make(chan handled, len(pictures))
	var h *handler.Handler
	l, err := startLocal(settings, localOptions{addr: "127.0.0.1:0", jobs: runtime.GOMAXPROCS(0), told: func(_ events.S3Event, event json.RawMessage) {
		answer, err := h.Handle(ctx, event)
		results <- handled{answer, err}
	}})
	if err != nil {
		return workError{err}
	}
	h = handler.New(l.store, settings, slog.New(slog.DiscardHandler))
	l.serve()
	fmt.Printf("Putting %s into s3://%s on %s; their renditions go to s3://%s.\n\n", counted(len(pictures), "picture"), sourceBucket, l.url, settings.DestBucket.For(sourceBucket))
	err = runDemo(ctx, l, settings, pictures, results, kept, from == "")
	if ctx.Err() != nil {
		return err // and what is still being done ends with the process
	}
	if err := errors.Join(err, l.stop()); err != nil {
		return workError{err}
	}
	return nil
}

type handled struct {
	report report.Report
	err    error
}

func runDemo(ctx context.Context, l *local, settings config.Settings, pictures []picture, results <-chan handled, out *demoOut, allMustDo bool) error {
	started := time.Now()
	done, err := resizeUploads(ctx, l, pictures, results)
	if ctx.Err() != nil {
		return interrupted(ctx, fmt.Sprintf("%d of %s resized, and nothing written to %s", len(done), counted(len(pictures), "picture"), out.folder))
	}
	if err != nil {
		return err
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
			fmt.Println(oneLine(fmt.Sprintf("%s: skipped: %s", r.Source.Key, r.Reason)))
		default:
			fmt.Println(oneLine(fmt.Sprintf("%s: %s, %s: %s", r.Source.Key, r.Status, r.Class, r.Reason)))
		}
	}

	sheet, err := out.keep(ctx, l.store, all)
	if ctx.Err() != nil {
		return interrupted(ctx, "not all of the pictures are in "+out.folder)
	}
	if err != nil {
		return err
	}
	resized := count(all)
	kept := ""
	switch {
	case sheet != "":
		kept = fmt.Sprintf(" The pictures are in %s, all of them on %s.", out.folder, sheet)
	case resized > 0:
		kept = fmt.Sprintf(" The pictures are in %s.", out.folder)
	}
	fmt.Printf("\n%s, %.1f s in all.%s\n", total(all), took.Seconds(), kept)
	if left := len(all) - resized - skipped; allMustDo && left > 0 {
		return fmt.Errorf("%d of %d pictures were not resized", left, len(all))
	}
	return nil
}

// resizeUploads uploads the pictures and waits for what comes of them.
func resizeUploads(ctx context.Context, l *local, pictures []picture, results <-chan handled) (map[string]report.Result, error) {
	started, all := time.Now(), int64(len(pictures))
	var ended atomic.Int64
	progress := startLine(func() string {
		return fmt.Sprintf("%d of %s, %s", ended.Load(), counted(all, "picture"), paceText(all-ended.Load(), rate(ended.Load(), time.Since(started))))
	})
	defer progress.end()
	uploaded := make(chan error, 1)
	go func() { uploaded <- uploadAll(ctx, l.store, pictures) }()
	done := map[string]report.Result{}
	for len(done) < len(pictures) {
		select {
		case <-ctx.Done():
			return done, ctx.Err()
		case err := <-uploaded:
			if err != nil {
				return done, err
			}
			uploaded = nil // which nobody sends to
		case h := <-results:
			if h.err != nil {
				return done, h.err
			}
			done[h.report.Results[0].Source.Key] = h.report.Results[0]
			ended.Add(1)
		}
	}
	return done, nil
}

// demoPictures are generated or, if a folder is named, the files in it and below, but for what a demo has left there.
func demoPictures(from string, out *demoOut) ([]picture, error) {
	var pictures []picture
	if from == "" {
		set, err := demo.Set()
		for _, p := range set {
			pictures = append(pictures, picture{p.Key, p.Note, func() ([]byte, error) { return p.Data, nil }})
		}
		return pictures, err
	}
	info, _ := os.Stat(out.folder) // nil if it isn't there
	keys, err := filesBelow(from, info)
	for _, key := range keys {
		pictures = append(pictures, picture{key, "", func() ([]byte, error) { return os.ReadFile(filepath.Join(from, filepath.FromSlash(key))) }})
	}
	return pictures, err
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
