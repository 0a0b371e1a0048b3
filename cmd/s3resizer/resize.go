package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"s3resizer/internal/config"
	"s3resizer/internal/handler"
	"s3resizer/internal/report"
)

func resizeCommand() *cobra.Command {
	var out string
	var jobs int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "resize FILE…",
		Short: "Resize files, as the function would resize objects",
		Example: `  s3resizer resize --out thumbs photos/*.jpg
  RESIZE_SIZES=thumb=200 RESIZE_FORMATS=webp s3resizer resize --json cat.png`,
		Args: cobra.MinimumNArgs(1),
		RunE: work(func(ctx context.Context, settings config.Settings, files []string) error {
			if jobs < 1 {
				return fmt.Errorf("--jobs %d: want at least 1", jobs)
			}
			return resizeFiles(ctx, settings, files, out, jobs, asJSON)
		}),
	}
	cmd.Flags().StringVar(&out, "out", ".", "`folder` for the renditions, made if it isn't there")
	cmd.Flags().IntVar(&jobs, "jobs", runtime.GOMAXPROCS(0), "files at a time")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON report per file and line instead of a table")
	return cmd
}

func resizeFiles(ctx context.Context, settings config.Settings, files []string, out string, jobs int, asJSON bool) error {
	folder, err := newFolder(out, files)
	if err != nil {
		return err
	}
	settings.DestBucket, settings.Record, settings.Delete, settings.DeleteOriginal = outputFiles, false, false, false
	h := handler.New(folder, settings, slog.New(slog.DiscardHandler))
	show := jsonLines(os.Stdout)
	if !asJSON {
		table := newTable(os.Stdout, settings)
		defer table.close()
		show = func(r report.Result) error { return table.row(r, "") }
	}

	bad := 0
	for outcome := range inOrder(jobs, files, func(file string) outcome { return resizeFile(ctx, h, out, file) }) {
		if outcome.problem != "" {
			bad++
			fmt.Fprintln(os.Stderr, oneLine(outcome.file+": "+outcome.problem))
		}
		if outcome.result.Status != "" {
			if err := show(outcome.result); err != nil {
				return workError{err}
			}
		}
	}
	if bad > 0 {
		return workError{fmt.Errorf("%d of %d files were not resized", bad, len(files))}
	}
	return nil
}

// outcome is what came of one file.
type outcome struct {
	file    string
	result  report.Result
	problem string // "" if the file was resized
}

func resizeFile(ctx context.Context, h *handler.Handler, out, file string) outcome {
	if !utf8.ValidString(filepath.Base(file)) {
		return outcome{file: file, problem: "its name is not UTF-8, as an object's key has to be: rename it"}
	}
	event, err := json.Marshal(map[string]string{"bucket": sourceFiles, "key": filepath.Base(file)})
	if err != nil {
		return outcome{file: file, problem: err.Error()}
	}
	answer, err := h.Handle(ctx, event)
	var failure *report.Failure
	if errors.As(err, &failure) {
		return outcome{file: file, problem: failure.Err.Error()}
	}
	result := answer.Results[0]
	// The reader knows files, not the buckets that stand for them here.
	result.Source.Bucket, result.Source.Key = "", file
	for i := range result.Renditions {
		result.Renditions[i].Bucket, result.Renditions[i].Key = "", filepath.Join(out, result.Renditions[i].Key)
	}
	o := outcome{file: file, result: result}
	if result.Status != report.Resized {
		o.problem = fmt.Sprintf("%s, %s: %s", result.Status, result.Class, result.Reason)
	}
	return o
}

func jsonLines(w io.Writer) func(report.Result) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return func(r report.Result) error { return encoder.Encode(r) }
}
