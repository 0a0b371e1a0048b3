// Command effort measures what the encoders' efforts cost and bring: three sizes of six photos, three drawings and an
// animation, in each format at each effort. It writes docs/effort.md's table and its chart.
//
// What is encoded are the renditions themselves, made once and kept without loss, so that reading them costs next to
// nothing. CPU time is the process's own clock over one set of three, PSNR and SSIM are of the widest of them against
// what was encoded.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"s3resizer/bench/corpus"
	"s3resizer/bench/quality"
	"s3resizer/internal/config"
	"s3resizer/internal/demo"
	"s3resizer/resize"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	folder := flag.String("corpus", "bench/.cache", "`folder` of the standard pictures")
	page := flag.String("page", "docs/effort.md", "`file` whose table is written")
	flag.Parse()
	settings, err := config.Load(nil)
	if err != nil {
		return err
	}
	if err := resize.Startup(runtime.GOMAXPROCS(0)); err != nil {
		return err
	}
	e := &meter{settings: settings}
	photoSets, drawings, animations, err := e.sets(ctx, *folder)
	if err != nil {
		return err
	}
	var rows []row
	for _, job := range []struct {
		what    string
		sets    []set
		format  resize.Format
		efforts []int
	}{
		{"photos", photoSets, resize.AVIF, []int{1, 2, 3, 4}},
		{"drawings", drawings, resize.AVIF, []int{1, 2, 3, 4}},
		{"photos", photoSets, resize.WebP, []int{1, 2, 3, 4, 5, 6}},
		{"drawings", drawings, resize.WebP, []int{1, 2, 3, 4, 5, 6}},
		{"animation", animations, resize.GIF, []int{1, 2, 3, 4, 5, 6, 7, 8, 9}},
	} {
		for _, effort := range job.efforts {
			r, err := e.measure(ctx, job.sets, job.format, effort)
			if err != nil {
				return err
			}
			r.what, r.format, r.effort, r.chosen = job.what, job.format, effort, e.at(job.format, effort) == e.settings.Effort
			fmt.Fprintf(os.Stderr, "%+v\n", r)
			rows = append(rows, r)
		}
	}
	if err := os.WriteFile(strings.TrimSuffix(*page, ".md")+".svg", chart(rows), 0o644); err != nil {
		return err
	}
	return fill(*page, table(rows))
}

// set is one picture's renditions without loss, the widest first.
type set [][]byte

// row is what one effort costs: for the three sizes of one picture, as a geometric mean over pictures.
type row struct {
	what       string
	format     resize.Format
	effort     int
	chosen     bool // it is the default
	cpu        time.Duration
	bytes      float64
	psnr, ssim float64 // of the widest, arithmetic means
}

type meter struct{ settings config.Settings }

// at is the default efforts with another one for a format.
func (e *meter) at(format resize.Format, effort int) resize.Effort {
	efforts := e.settings.Effort
	*map[resize.Format]*int{resize.AVIF: &efforts.AVIF, resize.WebP: &efforts.WebP, resize.GIF: &efforts.GIF}[format] = effort
	return efforts
}

func (e *meter) sets(ctx context.Context, folder string) (photoSets, drawings, animations []set, err error) {
	add := func(to *[]set, file []byte, as resize.Format) error {
		renditions, err := e.render(ctx, file, as, e.settings.Sizes, e.settings.Effort)
		*to = append(*to, renditions)
		return err
	}
	for _, p := range corpus.Standard(folder) {
		to, as := &photoSets, resize.PNG
		switch p.Class {
		case corpus.Progressive, corpus.Huge, corpus.WebP, corpus.FewColors, corpus.Recording:
			continue // the same scenes again, or hardly any work for an encoder
		case corpus.PNGArtwork:
			to = &drawings
		case corpus.Animation:
			to, as = &animations, resize.GIF
		}
		if err := p.Prepare(); err != nil {
			return nil, nil, nil, err
		}
		file, err := os.ReadFile(p.Path)
		if err != nil {
			return nil, nil, nil, err
		}
		if p.Class == corpus.Animation {
			animations = append(animations, set{file}) // its sizes are made with each effort: nothing keeps them without loss
			continue
		}
		if err := add(to, file, as); err != nil {
			return nil, nil, nil, err
		}
	}
	for seed := uint64(2); seed <= 3; seed++ {
		file, err := demo.Encode(demo.Sticker(seed, 3000, 3000), demo.Options{Format: "png"})
		if err == nil {
			err = add(&drawings, file, resize.PNG)
		}
		if err != nil {
			return nil, nil, nil, err
		}
	}
	return photoSets, drawings, animations, nil
}

// render returns the renditions in one format, the widest first.
func (e *meter) render(ctx context.Context, file []byte, format resize.Format, sizes []resize.Size, effort resize.Effort) (set, error) {
	limits := e.settings.Limits
	limits.MaxMemory = math.MaxInt64
	source, err := resize.Open(ctx, bytes.NewReader(file), limits)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	spec := e.settings.Spec()
	spec.Formats, spec.Sizes, spec.Effort = []resize.Format{format}, sizes, effort
	made := make(chan resize.Rendition, len(sizes))
	_, err = source.Render(ctx, spec, func(r resize.Rendition) error { made <- r; return nil })
	if err != nil {
		return nil, err
	}
	close(made)
	byWidth := map[int][]byte{}
	for r := range made {
		byWidth[r.Width] = r.Data
	}
	var out set
	for i := len(sizes) - 1; i >= 0; i-- {
		if data, ok := byWidth[min(sizes[i].Width, source.Width)]; ok {
			out = append(out, data)
		}
	}
	return out, nil
}

// measure encodes all sets at an effort.
func (e *meter) measure(ctx context.Context, sets []set, format resize.Format, effort int) (row, error) {
	var logCPU, logBytes, psnr, ssim float64
	for _, pictures := range sets {
		var cpu time.Duration
		var size int
		for i, picture := range pictures {
			sizes := []resize.Size{{Name: "as it is", Width: 1 << 14}}
			if format == resize.GIF {
				sizes = e.settings.Sizes
			}
			before := cpuTime()
			out, err := e.render(ctx, picture, format, sizes, e.at(format, effort))
			if err != nil {
				return row{}, err
			}
			cpu += cpuTime() - before
			for _, data := range out {
				size += len(data)
			}
			if i == 0 {
				d, err := distance(picture, out[0])
				if err != nil {
					return row{}, err
				}
				psnr += d.PSNR / float64(len(sets))
				ssim += d.SSIM / float64(len(sets))
			}
		}
		logCPU += math.Log(cpu.Seconds()) / float64(len(sets))
		logBytes += math.Log(float64(size)) / float64(len(sets))
	}
	return row{cpu: time.Duration(math.Exp(logCPU) * 1e9), bytes: math.Exp(logBytes), psnr: psnr, ssim: ssim}, nil
}

func distance(original, rendition []byte) (quality.Distance, error) {
	o, err := quality.Decode(original)
	if err != nil {
		return quality.Distance{}, err
	}
	defer o.Close()
	return o.Compare(rendition)
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(fmt.Errorf("ask for the process's own CPU time: %w", err))
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
