package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"s3resizer/internal/handler"
	"s3resizer/resize"
	"s3resizer/resize/resizetest"
	"s3resizer/s3io"
)

// What a hostile file may cost the function, on a machine that has not much else to do.
const (
	hostileMemory = 1769 // MB that the function has, for one processor
	hostileTime   = 5 * time.Second
	headerTime    = 200 * time.Millisecond // if the header says that it is too much
	headerMemory  = 64 << 20               // bytes, besides the file
)

// Small files that are made to take long, or much memory, of every kind and in every container, each through a function of its own:
// none takes more than 5 seconds, or more memory than was estimated for it, and those whose header says that they are too much are
// rejected at once. Each is of one size; S3RESIZER_LONG=1 adds the others.
func TestHostile(t *testing.T) {
	long := os.Getenv("S3RESIZER_LONG") != ""
	startLibvips(t)
	s := emptyStage(t, account)
	fmt.Printf("%-36s %10s %10s %8s %10s %10s  %s\n", "file", "size", "bytes", "seconds", "MB used", "estimated", "verdict")
	for _, kind := range resizetest.Hostiles() {
		sizes := kind.Sizes
		if !long {
			sizes = sizes[len(sizes)/2:][:1]
		}
		for _, size := range sizes {
			file := kind.File(size)
			rejected := kind.From > 0 && size >= kind.From
			estimate, most := estimated(t, file), hostileTime
			if rejected {
				estimate, most = headerMemory+2*int64(len(file)), headerTime
			}
			var result handler.Result
			var took time.Duration
			var used int64
			for range 3 { // the machine may be busy
				if result, took, used = s.suffer(t, kind.Name, file); took <= most {
					break
				}
			}
			fmt.Printf("%-36s %10d %10d %8.2f %10d %10d  %s %s\n", kind.Name, size, len(file), took.Seconds(), used/1e6, estimate/1e6, result.Status, result.Class)
			if took > most || used > estimate || result.Status != handler.Resized && result.Status != handler.Rejected || rejected && result.Status != handler.Rejected {
				t.Errorf("%s, %d: %v, at most %v; %d bytes of memory, at most %d; %s, %s %s", kind.Name, size, took, most, used, estimate, result.Status, result.Class, result.Reason)
			}
		}
	}
}

// suffer has a new function resize a file, and returns how long that took, and how many bytes of memory more than it has idle.
func (s *stage) suffer(t *testing.T, name string, file []byte) (result handler.Result, took time.Duration, used int64) {
	t.Helper()
	process := s.launch(t, append(imageEnvironment, fmt.Sprint("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=", hostileMemory))...)
	defer process.end(syscall.SIGKILL)
	if _, err := s.Put(t.Context(), s3io.Upload{Bucket: "photos", Key: name, Data: file}); err != nil {
		t.Fatal(err)
	}
	event, idle := <-s.events, s.peak(t)
	began := time.Now()
	answer, err := s.api.Invoke(t.Context(), event, 4*hostileTime)
	took = time.Since(began)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return result, took, 0
	}
	report := handler.Report{}
	if err := json.Unmarshal(answer, &report); err != nil || len(report.Results) != 1 {
		t.Errorf("%s: %v, %s", name, err, answer)
		return result, took, 0
	}
	return report.Results[0], took, s.peak(t) - idle
}

// estimated is how many bytes the function estimates for a file with its default settings; of one that it refuses to open, a little.
func estimated(t *testing.T, file []byte) int64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	source, err := resize.Open(t.Context(), bytes.NewReader(file), resize.Limits{MaxPixels: 150_000_000, MaxFrames: 500, MaxMemory: hostileMemory << 20})
	if err != nil {
		return headerMemory + 2*int64(len(file))
	}
	defer source.Close()
	sizes := []resize.Size{{Name: "small", Width: 368}, {Name: "medium", Width: 720}, {Name: "large", Width: 1440}}
	bytes, err := source.Memory(resize.Spec{Sizes: sizes, Formats: []resize.Format{resize.AsSource}})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}
