package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"runtime"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"s3resizer/internal/config"
	"s3resizer/internal/handler"
	"s3resizer/internal/report"
	"s3resizer/resize"
	"s3resizer/s3io"
)

// resizeOptions are what the command line says.
type resizeOptions struct {
	sizes, formats, quality setByFlag
	out                     string
	jobs                    int
	asJSON, dryRun, force   bool
}

func resizeCommand() *cobra.Command {
	o := &resizeOptions{
		sizes: setByFlag{flag: "sizes", variable: "RESIZE_SIZES"}, formats: setByFlag{flag: "formats", variable: "RESIZE_FORMATS"},
		quality: setByFlag{flag: "quality", variable: "RESIZE_QUALITY"},
	}
	cmd := &cobra.Command{
		Use:   "resize {FILE | FOLDER | -}…",
		Short: "Resize files, as the function would resize objects",
		Long: `resize makes the renditions of files, and of all files in and below folders, with the function's own code and settings.
cat.jpg becomes small-cat.jpg, medium-cat.jpg and large-cat.jpg. cat.jpg in a folder's sub folder b becomes small-b/cat.jpg
and so on (RESIZE_KEY_TEMPLATE names them otherwise). Two files of one name are kept apart by their folders. - reads standard
input, and --out - writes to standard output, where there is room for one rendition.

Existing files stay, unless --force is given. A picture is done if all its renditions exist and none is older than it, so the
same command goes on where it was interrupted. The renditions of a picture are written all or none.`,
		Example: `  s3resizer resize --out thumbs photos
  s3resizer resize --sizes thumb=200 --formats webp --json cat.png
  s3resizer resize --sizes large=1440 --formats jpeg --out - - <cat.png >cat.jpg`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("name files or folders, or - for standard input")
			}
			return nil
		},
		RunE: work(o.run, &o.sizes, &o.formats, &o.quality),
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.out, "out", ".", "`folder` for the renditions, made if it isn't there; - for standard output")
	f.StringVar(&o.sizes.value, o.sizes.flag, "", "names with widths, heights or boxes, such as small=368,avatar=200x200:cover (default: RESIZE_SIZES)")
	f.StringVar(&o.formats.value, o.formats.flag, "", "a comma list of source, jpeg, png, webp, avif (default: RESIZE_FORMATS)")
	f.StringVar(&o.quality.value, o.quality.flag, "", "1 to 100, or one for each format, such as jpeg=80,webp=78 (default: RESIZE_QUALITY)")
	f.BoolVar(&o.force, "force", false, "overwrite files that are there already")
	f.BoolVar(&o.dryRun, "dry-run", false, "do all but write: show what would come out")
	f.IntVar(&o.jobs, "jobs", runtime.GOMAXPROCS(0), "files at a time")
	f.BoolVar(&o.asJSON, "json", false, "print one JSON report per file and line instead of a table")
	completes(cmd, "formats", "source", "jpeg", "png", "webp", "avif")
	return cmd
}

func (o *resizeOptions) run(ctx context.Context, settings config.Settings, args []string) error {
	if o.jobs < 1 {
		return fmt.Errorf("--jobs %d: want at least 1", o.jobs)
	}
	sources, err := findSources(args, o.out)
	if err != nil {
		return err
	}
	if err := o.checkStandardOutput(settings, sources); err != nil {
		return err
	}
	settings.DestBucket, settings.Record, settings.Delete = outputFiles, false, false
	settings.Profiles = nil // a file has a name, and no key
	b := &batch{resizeOptions: *o, settings: settings, outputs: newOutputs(o.out, o.force, o.dryRun, sources)}
	_, err = os.Stat(o.out)
	b.mayBeThere = err == nil && !o.force
	return b.resizeAll(ctx, sources)
}

// checkStandardOutput refuses more than one file where there is room for one.
func (o *resizeOptions) checkStandardOutput(settings config.Settings, sources []source) error {
	if o.out != standard {
		return nil
	}
	files, sizes, formats := len(sources), len(settings.Sizes), len(settings.Formats)
	switch {
	case files*sizes*formats != 1:
		return fmt.Errorf("--out -: standard output takes one rendition, and of %s in %s and %s there are %d: say which, as with --sizes small=368 --formats jpeg",
			counted(files, "file"), counted(sizes, "size"), counted(formats, "format"), files*sizes*formats)
	case o.asJSON:
		return errors.New("--json and --out - both want standard output: name a folder with --out")
	case !o.dryRun && term.IsTerminal(int(os.Stdout.Fd())):
		return errors.New("--out -: standard output is a terminal: send it to a file with >")
	}
	return nil
}

// batch is the work on all files of a command.
type batch struct {
	resizeOptions
	settings   config.Settings
	outputs    *outputs
	mayBeThere bool // some of the renditions

	done                         atomic.Int64
	resized, already, notResized int
}

// outcome is what came of one file. Neither a status nor a problem has one that was interrupted.
type outcome struct {
	source  source
	result  report.Result
	problem string
}

// resizeAll resizes the files, tells of each, and sums up.
func (b *batch) resizeAll(ctx context.Context, sources []source) error {
	started, all := time.Now(), counted(len(sources), "file")
	progress := startLine(func() string {
		done := b.done.Load()
		return fmt.Sprintf("%d of %s, %s", done, all, paceText(int64(len(sources))-done, rate(done, time.Since(started))))
	})
	err := b.tell(progress, inOrder(b.jobs, sources, func(s source) outcome { return b.resize(ctx, s) }))
	progress.end()
	switch {
	case err != nil:
		return workError{err}
	case ctx.Err() != nil:
		return interrupted(ctx, fmt.Sprintf("%d of %s done, and nothing half-written", b.resized+b.already, all))
	case b.notResized > 0:
		return workError{fmt.Errorf("not resized: %d of %s", b.notResized, all)}
	}
	return nil
}

// tell shows each outcome as it comes.
func (b *batch) tell(progress *progress, outcomes iter.Seq[outcome]) error {
	show := func(report.Result) error { return nil }
	switch {
	case b.out == standard:
	case b.asJSON:
		show = jsonLines(os.Stdout)
	default:
		table := newTable(os.Stdout, b.settings)
		defer func() {
			table.close()
			if b.already > 0 {
				fmt.Printf("\nOf %s the renditions were there already. --force makes them anew.\n", counted(b.already, "file"))
			}
			if b.dryRun {
				fmt.Println("\nNothing was written.")
			}
		}()
		show = func(r report.Result) error { return table.row(r, "") }
	}
	for o := range outcomes {
		switch {
		case o.problem != "":
			b.notResized++
			progress.say(oneLine(o.source.path + ": " + o.problem))
		case o.result.Status == report.Resized:
			b.resized++
		case o.result.Status == report.Skipped:
			b.already++
		}
		if o.result.Status != "" {
			progress.clear()
			if err := show(o.result); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *batch) resize(ctx context.Context, s source) outcome {
	defer b.done.Add(1)
	result, err := b.make(ctx, s)
	o := outcome{source: s, result: result}
	switch {
	case ctx.Err() != nil && err != nil:
		o.result = report.Result{}
	case err != nil:
		o.problem = err.Error()
	case result.Status == report.Rejected:
		o.problem = fmt.Sprintf("%s, %s: %s", result.Status, result.Class, result.Reason)
	}
	return o
}

// make makes what there is to be made of a file, and writes it.
func (b *batch) make(ctx context.Context, s source) (report.Result, error) {
	if err := ctx.Err(); err != nil {
		return report.Result{}, err
	}
	if !utf8.ValidString(s.key) {
		return report.Result{}, errors.New("its name is not UTF-8, as an object's key has to be: rename it")
	}
	store := &fileStore{path: s.path}
	if s.path == standard {
		var err error
		if store.input, err = readInput(ctx, b.settings.MaxBytes); err != nil {
			return report.Result{}, err
		}
	}
	h := handler.New(store, b.settings, slog.New(slog.DiscardHandler))
	if s.path == standard || b.mayBeThere {
		if done, err := b.look(ctx, h, store, &s); err != nil || done.Status != "" {
			return done, err
		}
	}
	event, err := json.Marshal(map[string]string{"bucket": sourceFiles, "key": s.key})
	if err != nil {
		return report.Result{}, err
	}
	answer, err := h.Handle(ctx, event)
	if failure := (*report.Failure)(nil); errors.As(err, &failure) {
		return report.Result{}, failure.Err
	}
	result := answer.Results[0]
	if b.out == standard {
		err = b.print(store.made)
	} else {
		err = b.outputs.write(s, store.made)
	}
	if err != nil {
		return report.Result{}, err
	}
	// The reader knows files, not the buckets that stand for them here.
	result.Source.Bucket, result.Source.Key = "", s.path
	for i := range result.Renditions {
		result.Renditions[i].Bucket, result.Renditions[i].Key = "", b.outputs.path(result.Renditions[i].Key)
	}
	return result, nil
}

// look reads a file's header. It gives standard input its name, and a result to what has been done before.
func (b *batch) look(ctx context.Context, h *handler.Handler, store *fileStore, s *source) (report.Result, error) {
	file, err := store.Open(ctx, sourceFiles, s.key)
	if err != nil {
		return report.Result{}, err
	}
	defer file.Close()
	picture, err := resize.Open(ctx, file, b.settings.Limits)
	if err != nil {
		return report.Result{}, nil // the handler says more of it
	}
	defer picture.Close()
	if s.path == standard {
		s.key = "stdin" + picture.Format.Extension()
		return report.Result{}, nil
	}
	if b.out == standard || !b.outputs.complete(*s, h.Outputs(sourceFiles, s.key, picture)) {
		return report.Result{}, nil
	}
	return report.Result{
		Version: report.Version, TraceID: rand.Text(), Status: report.Skipped, Reason: "its renditions are there already: --force overwrites them",
		Source: report.Source{Key: s.path, ETag: file.ETag, Bytes: file.Size, Format: picture.Format, Width: picture.Width, Height: picture.Height},
	}, nil
}

// readInput reads standard input, and one byte more than it may have.
func readInput(ctx context.Context, most int64) ([]byte, error) {
	type input struct {
		data []byte
		err  error
	}
	read := make(chan input, 1)
	go func() {
		data, err := io.ReadAll(io.LimitReader(os.Stdin, most+1))
		read <- input{data, err}
	}()
	select {
	case in := <-read:
		return in.data, in.err
	case <-ctx.Done(): // whoever writes may never end
		return nil, ctx.Err()
	}
}

// print writes the one rendition to standard output.
func (b *batch) print(made []s3io.Upload) error {
	for _, u := range made {
		if b.dryRun {
			return nil
		}
		if _, err := os.Stdout.Write(u.Data); err != nil {
			return err
		}
	}
	return nil
}

func jsonLines(w io.Writer) func(report.Result) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return func(r report.Result) error { return encoder.Encode(r) }
}
