// Command compute is our part that computes, without S3 and Lambda: it resizes a picture in memory when told to. One
// JSON line in, one out; ../reference/compute.mjs speaks the same. Package resize is used as cmd/lambda uses it.
//
//	{"path":"a.jpg","pictures":4,"inFlight":2,"keep":true}
//	{"wallMs":[…],"renditions":{"small":"<base64>",…}}
//
// With -cpuprofile it writes what it spent its time on, for `go tool pprof`; for what libvips does, run it under perf:
//
//	echo '{"path":"a.jpg","pictures":20,"inFlight":1}' | perf record -g bin/bench-compute
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"s3resizer/internal/config"
	"s3resizer/resize"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("compute", flag.ContinueOnError)
	profile := flags.String("cpuprofile", "", "`file` to write a CPU profile to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *profile != "" {
		file, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	settings, err := config.Load(os.Environ())
	if err != nil {
		return err
	}
	if err := resize.Startup(runtime.GOMAXPROCS(0)); err != nil {
		return err
	}
	d := &driver{settings: settings}
	answers := json.NewEncoder(out)
	for requests := json.NewDecoder(in); ; {
		var r request
		if err := requests.Decode(&r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		answer, err := d.answer(ctx, r)
		if err != nil {
			return fmt.Errorf("%s: %w", r.Path, err)
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
}

type request struct {
	Path     string
	Pictures int  // how often it is resized
	InFlight int  // how many at a time
	Keep     bool // renditions wanted
}

type answer struct {
	WallMs     []float64         `json:"wallMs"`
	Renditions map[string][]byte `json:"renditions,omitempty"`
}

// driver keeps the picture that was asked for last.
type driver struct {
	settings config.Settings
	path     string
	body     []byte

	mu  sync.Mutex
	out answer
}

func (d *driver) answer(ctx context.Context, r request) (answer, error) {
	if r.Path != d.path {
		body, err := os.ReadFile(r.Path)
		if err != nil {
			return answer{}, err
		}
		d.path, d.body = r.Path, body
	}
	d.out = answer{Renditions: map[string][]byte{}}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(r.InFlight)
	for range r.Pictures {
		group.Go(func() error { return d.resize(ctx) })
	}
	if err := group.Wait(); err != nil {
		return answer{}, err
	}
	if !r.Keep {
		d.out.Renditions = nil
	}
	return d.out, nil
}

func (d *driver) resize(ctx context.Context) error {
	start := time.Now()
	source, err := resize.Open(ctx, bytes.NewReader(d.body), d.settings.Limits)
	if err != nil {
		return err
	}
	defer source.Close()
	_, err = source.Render(ctx, d.settings.Spec(), func(r resize.Rendition) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.out.Renditions[r.Size] = r.Data
		return nil
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.out.WallMs = append(d.out.WallMs, time.Since(start).Seconds()*1000)
	return err
}
