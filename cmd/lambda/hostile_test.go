package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"s3resizer/internal/report"
	"s3resizer/resize"
	"s3resizer/resize/resizetest"
	"s3resizer/s3io"
)

// What a hostile file may cost the function. Time is that of its processor: the machine may have other things to do.
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
	if os.Getenv("LAMBDA_FUNCTION") != "" || runtime.GOOS != "linux" {
		t.Skip("it is /proc that tells what a process takes, and in its container the function is not this process's child")
	}
	long := os.Getenv("S3RESIZER_LONG") != ""
	startLibvips(t)
	s := emptyStage(t, account)
	fmt.Printf("%-36s %10s %10s %6s %6s %10s %10s  %s\n", "file", "size", "bytes", "wall", "CPU", "MB used", "estimated", "verdict")
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
			result, took, cpu, used := s.suffer(t, kind.Name, file)
			fmt.Printf("%-36s %10d %10d %6.2f %6.2f %10d %10d  %s %s\n", kind.Name, size, len(file), took.Seconds(), cpu.Seconds(), used/1e6, estimate/1e6, result.Status, result.Class)
			if cpu > most || used > estimate || result.Status != report.Resized && result.Status != report.Rejected || rejected && result.Status != report.Rejected {
				t.Errorf("%s, %d: %v, at most %v; %d bytes of memory, at most %d; %s, %s %s", kind.Name, size, cpu, most, used, estimate, result.Status, result.Class, result.Reason)
			}
		}
	}
}

// suffer has a new function resize a file, and returns how long that took, by the clock and of a processor, and how many bytes of
// memory more than it has idle.
func (s *stage) suffer(t *testing.T, name string, file []byte) (result report.Result, took, cpu time.Duration, used int64) {
	t.Helper()
	process := s.launch(t, append(imageEnvironment, fmt.Sprint("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=", hostileMemory))...)
	defer process.end(syscall.SIGKILL)
	if _, err := s.Put(t.Context(), s3io.Upload{Bucket: "photos", Key: name, Data: file}); err != nil {
		t.Fatal(err)
	}
	event, idle, before := <-s.events, s.peak(t), s.cpu(t)
	began := time.Now()
	answer, err := s.api.Invoke(t.Context(), event, 12*hostileTime) // a minute, at which it has failed
	took = time.Since(began)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return result, took, 0, 0
	}
	answered := report.Report{}
	if err := json.Unmarshal(answer, &answered); err != nil || len(answered.Results) != 1 {
		t.Errorf("%s: %v, %s", name, err, answer)
		return result, took, 0, 0
	}
	return answered.Results[0], took, s.cpu(t) - before, s.peak(t) - idle
}

// cpu is how much of a processor's time the function has had (proc(5)).
func (s *stage) cpu(t *testing.T) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // from the third on
	ticks := 0
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(string(field))
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
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
