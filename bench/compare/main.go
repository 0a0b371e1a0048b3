// Command compare measures s3resizer against the handler that it replaces: on the same pictures, with the same S3, in
// one run, by turns. See ../README.md for what is measured and how to read it; `make compare` prepares all that it needs
// and runs it, from the repository's root.
//
// It measures processes from outside, with the same means on every side. It runs on Linux only: CPU clocks of other
// processes, their peak memory and pinning to a core are Linux's own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"s3resizer/bench/corpus"
	"s3resizer/resize"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, log io.Writer) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	o, err := parse(args, log)
	if err != nil {
		return err
	}
	if err := resize.Startup(1); err != nil {
		return err
	}
	pictures, err := o.choose(log)
	if err != nil {
		return err
	}
	c, err := prepare(ctx, o, log)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.move(ctx, twoCores); err != nil {
		return err
	}
	started := time.Now()
	results, err := c.measure(ctx, pictures)
	if err != nil {
		return err
	}
	if results.About, err = describe(ctx, o, started); err != nil {
		return err
	}
	fmt.Fprint(out, results.markdown())
	if o.save == "" {
		return nil
	}
	return results.save(o.save)
}

// The parts of a comparison.
const (
	partCompute  = "compute"  // from memory to memory
	partFloor    = "floor"    // the same of ours alone, libjpeg-turbo's tools, vipsthumbnail
	partPair     = "pair"     // two pictures at a time in one process
	partHandler  = "handler"  // the whole way, S3 on loopback
	partModel    = "model"    // the whole way, S3 as in its region, on two cores and on one
	partStart    = "start"    // from the start of a process
	partBackfill = "backfill" // what is in a bucket already
)

var parts = []string{partCompute, partFloor, partPair, partHandler, partModel, partStart, partBackfill}

type options struct {
	root, cache, save string
	corpus            string // a folder of one's own pictures, or ""
	only              []string
	pictures          *regexp.Regexp
	n                 int
	photos            int // for the backfill
	args              []string
}

func (o options) wants(part string) bool { return slices.Contains(o.only, part) }

func parse(args []string, log io.Writer) (options, error) {
	o := options{args: args, cache: filepath.Join("bench", ".cache")}
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	flags.SetOutput(log)
	flags.StringVar(&o.corpus, "corpus", os.Getenv("BENCH_CORPUS"), "`folder` with pictures to take instead of the standard ones")
	flags.StringVar(&o.save, "save", filepath.Join("bench", "results"), "`folder` for compare.md, compare.json and compare.svg; nothing is saved of a run of some parts or pictures")
	flags.IntVar(&o.n, "n", 10, "how often each picture is measured; starts are measured twice as often")
	flags.IntVar(&o.photos, "photos", 2000, "how many photos there are for the backfill, of all together, which is done once")
	only := flags.String("only", strings.Join(parts, ","), "comma list of the `parts` to run")
	pattern := flags.String("pictures", "", "`regexp` of the names of the pictures to take")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	var err error
	if o.pictures, err = regexp.Compile(*pattern); err != nil {
		return o, fmt.Errorf("-pictures: %w", err)
	}
	o.only = strings.Split(*only, ",")
	for _, part := range o.only {
		if !slices.Contains(parts, part) {
			return o, fmt.Errorf("-only %s: there are %s", part, strings.Join(parts, ", "))
		}
	}
	if o.n < 1 {
		return o, fmt.Errorf("-n %d: want at least 1", o.n)
	}
	if o.photos < 1 {
		return o, fmt.Errorf("-photos %d: want at least 1", o.photos)
	}
	if len(o.only) < len(parts) || *pattern != "" || o.corpus != "" {
		o.save = "" // what is of record is whole
	}
	o.root, err = os.Getwd()
	return o, err
}

// choose lists the pictures to measure with, and draws those that are not there yet.
func (o options) choose(log io.Writer) ([]corpus.Picture, error) {
	pictures := corpus.Standard(filepath.Join(o.root, o.cache))
	if o.corpus != "" {
		var err error
		if pictures, err = corpus.Folder(o.corpus); err != nil {
			return nil, err
		}
	}
	pictures = slices.DeleteFunc(pictures, func(p corpus.Picture) bool { return !o.pictures.MatchString(p.Name) })
	if len(pictures) == 0 {
		return nil, fmt.Errorf("-pictures %s: no picture has such a name", o.pictures)
	}
	for _, p := range pictures {
		if _, err := os.Stat(p.Path); err != nil {
			fmt.Fprintf(log, "drawing %s …\n", p.Name)
		}
		if err := p.Prepare(); err != nil {
			return nil, err
		}
	}
	return pictures, nil
}

func lookUp(name, purpose string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("missing: install %s", purpose)
	}
	return filepath.EvalSymlinks(path)
}
