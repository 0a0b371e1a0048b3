// Package bench measures: see README.md. Its benchmarks are for before and after; package compare measures against what
// s3resizer replaces.
package bench

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"s3resizer/bench/corpus"
	"s3resizer/internal/config"
	"s3resizer/internal/devserver"
	"s3resizer/internal/devserver/devtest"
	"s3resizer/internal/handler"
	"s3resizer/internal/report"
	"s3resizer/resize"
	"s3resizer/s3io"
)

func TestMain(m *testing.M) {
	if err := resize.Startup(runtime.GOMAXPROCS(0)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if os.Getenv(alone) != "" {
		printPeak()
	}
	os.Exit(code)
}

// pictures are the standard ones, or those of the folder in BENCH_CORPUS.
func pictures(b *testing.B) []corpus.Picture {
	b.Helper()
	if folder := os.Getenv("BENCH_CORPUS"); folder != "" {
		own, err := corpus.Folder(folder)
		if err != nil {
			b.Fatal(err)
		}
		return own
	}
	return corpus.Standard(".cache")
}

// each runs a benchmark with every picture.
func each(b *testing.B, measure func(b *testing.B, p corpus.Picture, file []byte)) {
	for _, p := range pictures(b) {
		b.Run(p.Name, func(b *testing.B) {
			if err := p.Prepare(); err != nil {
				b.Fatal(err)
			}
			file, err := os.ReadFile(p.Path)
			if err != nil {
				b.Fatal(err)
			}
			measure(b, p, file)
		})
	}
}

// BenchmarkDecode is the way from the first byte to the widest size in memory. Only its time can be measured: CPU, memory
// and allocations are those of a whole run that makes nothing but the widest size.
func BenchmarkDecode(b *testing.B) {
	each(b, func(b *testing.B, _ corpus.Picture, file []byte) {
		spec := spec(b)
		spec.Sizes = slices.DeleteFunc(spec.Sizes, func(s resize.Size) bool { return s.Name != "large" })
		var decode time.Duration
		measure(b, len(file), func() {
			span := render(b, file, spec)
			decode += span.End.Sub(span.Start)
		})
		b.ReportMetric(float64(decode.Nanoseconds())/float64(b.N), "ns/op")
		b.ReportMetric(float64(len(file))*float64(b.N)/1e6/decode.Seconds(), "MB/s")
	})
}

// BenchmarkRendition makes one size only.
func BenchmarkRendition(b *testing.B) {
	for _, size := range spec(b).Sizes {
		b.Run(size.Name, func(b *testing.B) {
			each(b, func(b *testing.B, _ corpus.Picture, file []byte) {
				spec := spec(b)
				spec.Sizes = []resize.Size{size}
				measure(b, len(file), func() { render(b, file, spec) })
			})
		})
	}
}

// BenchmarkResize makes all sizes, from memory to memory.
func BenchmarkResize(b *testing.B) {
	each(b, func(b *testing.B, _ corpus.Picture, file []byte) {
		measure(b, len(file), func() { render(b, file, spec(b)) })
	})
}

// BenchmarkCover makes a box of a width that takes what is cut off above and below, beside the same width: the two should cost the
// same. And the default sizes with a square beside them, which is cut from what is there.
func BenchmarkCover(b *testing.B) {
	for _, c := range []struct{ name, sizes string }{
		{"width", "large=1440"}, {"cover", "large=1440x640:cover"}, {"attention", "large=1440x640:cover@attention"},
		{"all", "small=368,medium=720,large=1440"}, {"all and a square", "small=368,medium=720,large=1440,avatar=200x200:cover"},
	} {
		b.Run(c.name, func(b *testing.B) {
			each(b, func(b *testing.B, _ corpus.Picture, file []byte) {
				settings, err := config.Load([]string{"RESIZE_SIZES=" + c.sizes})
				if err != nil {
					b.Fatal(err)
				}
				measure(b, len(file), func() { render(b, file, settings.Spec()) })
			})
		})
	}
}

// BenchmarkHandler is the whole way: an event in, a report out, with the embedded S3 between. The S3 is in this process,
// so that its CPU time, memory and allocations are in the numbers.
func BenchmarkHandler(b *testing.B) {
	each(b, func(b *testing.B, p corpus.Picture, file []byte) {
		key := p.Name + filepath.Ext(p.Path)
		aws := devtest.Start(b, devserver.Options{Buckets: []string{"photos", "photos-resized"}})
		store := s3io.New(aws, s3io.Options{})
		if _, err := store.Put(b.Context(), s3io.Upload{Bucket: "photos", Key: key, Data: file}); err != nil {
			b.Fatal(err)
		}
		h := handler.New(store, settings(b), slog.New(slog.DiscardHandler))
		event := []byte(`{"bucket":"photos","key":"` + key + `"}`)
		measure(b, len(file), func() {
			answer, err := h.Handle(b.Context(), event)
			if err != nil || answer.Results[0].Status != report.Resized {
				b.Fatalf("%+v, %v", answer, err)
			}
		})
	})
}

func settings(b *testing.B) config.Settings {
	b.Helper()
	s, err := config.Load(nil)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func spec(b *testing.B) resize.Spec {
	b.Helper()
	return settings(b).Spec()
}

func render(b *testing.B, file []byte, spec resize.Spec) (decode resize.Span) {
	b.Helper()
	source, err := resize.Open(context.Background(), bytes.NewReader(file), settings(b).Limits)
	if err != nil {
		b.Fatal(err)
	}
	defer source.Close()
	var made sync.Map
	summary, err := source.Render(context.Background(), spec, func(r resize.Rendition) error { made.Store(r.Size, r.Data); return nil })
	if err != nil {
		b.Fatal(err)
	}
	return summary.Decode
}

// measure runs the loop and reports what the testing package does not know of: CPU time and peak memory.
func measure(b *testing.B, size int, work func()) {
	b.Helper()
	work() // warms up: the first picture of a process starts threads
	b.SetBytes(int64(size))
	b.ReportAllocs()
	before := cpuTime(b)
	for b.Loop() {
		work()
	}
	b.ReportMetric((cpuTime(b)-before).Seconds()*1000/float64(b.N), "CPU-ms/op")
	if os.Getenv(alone) == "" {
		b.ReportMetric(peakMB(b), "peak-RSS-MB")
	}
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
