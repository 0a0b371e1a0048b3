package main_test

import (
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"s3resizer/internal/s3fault"
)

// Every exit status of docs/laptop.md is one that the command has, and it has no other.
func TestTheExitStatusesAreThoseOfTheTable(t *testing.T) {
	text, err := os.ReadFile("../../docs/laptop.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, "cat.jpg", jpegOf(t, 40, 30))
	seen := map[string]int{}
	for name, args := range map[string][]string{
		"0": {"resize", "--out", "o", "cat.jpg"}, "1": {"resize", "missing.jpg"}, "2": {"resize"},
		"3": {"verify", "s3://photos"}, // without credentials
	} {
		environ := []string{"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true", "AWS_REGION=us-east-1"}
		seen[name] = s3resizer(t, dir, environ, args...).status
	}
	seen["130"] = waitsForInput(t, syscall.SIGINT)
	seen["143"] = waitsForInput(t, syscall.SIGTERM)
	listed := map[string]int{}
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \|`).FindAllStringSubmatch(string(text), -1) {
		listed[row[1]], _ = strconv.Atoi(row[1])
	}
	if !maps.Equal(seen, listed) {
		t.Errorf("the table has %v, the command %v", listed, seen)
	}
}

// signaled sends a signal to a process as soon as it has begun, which ready tells, and returns its exit status, and how long
// it took to end.
func signaled(t *testing.T, command *exec.Cmd, signal syscall.Signal, ready func() bool) (ended, time.Duration) {
	t.Helper()
	begun := make(chan struct{})
	go func() {
		defer close(begun)
		for !ready() {
			time.Sleep(20 * time.Millisecond)
		}
	}()
	var sent time.Time
	e := meanwhile(t, command, begun, func(pid int) {
		sent = time.Now()
		_ = syscall.Kill(pid, signal)
	})
	return e, time.Since(sent)
}

// waitsForInput is the exit status of a resize that waits for who writes to a pipe.
func waitsForInput(t *testing.T, signal syscall.Signal) int {
	t.Helper()
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	input, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	var read atomic.Bool
	go func() {
		_, _ = input.Write(make([]byte, 100_000)) // more than a pipe holds
		read.Store(true)
	}()
	command := process(t, binary, dir, nil, "resize", "--out", "o", "-")
	command.Stdin = input
	e, took := signaled(t, command, signal, read.Load)
	if took > limit/10 {
		t.Errorf("it took %v to end", took)
	}
	wantFiles(t, dir, "pipe")
	return e.status
}

func TestInterruptedResizeSaysHowFarItCame(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"0", "1", "2", "3"} {
		write(t, dir, "in/"+name+".png", pngOf(t, 1300, 1200))
	}
	write(t, dir, "in/00.png", pngOf(t, 40, 30))
	slow := []string{"RESIZE_FORMATS=avif", "RESIZE_EFFORT=avif=9", "RESIZE_SIZES=small=40,large=1300"}
	command := process(t, binary, dir, slow, "resize", "--jobs", "2", "--out", "o", "in")
	var there []string
	e, took := signaled(t, command, syscall.SIGINT, func() bool {
		there, _ = filepath.Glob(filepath.Join(dir, "o", "*-00.png.avif"))
		return len(there) == 2
	})
	e.want(t, 130, "s3resizer: interrupted: 1 of 5 files done, and nothing half-written")
	wantFiles(t, filepath.Join(dir, "o"), "small-00.png.avif", "large-00.png.avif")
	if lines := tableLines(t, e.stdout); len(lines) != 1 || lines[0].name != "in/00.png" {
		t.Errorf("the table has %v", lines)
	}
	if took > limit/10 {
		t.Errorf("it took %v to end", took)
	}
	t.Logf("it ended after %v", took)
}

func TestInterruptedDemo(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "in/a.png", pngOf(t, 1300, 1200))
	slow := []string{"RESIZE_FORMATS=avif", "RESIZE_EFFORT=avif=9"}
	command := process(t, binary, dir, slow, "demo", "--photos", "in")
	begun := time.Now()
	e, took := signaled(t, command, syscall.SIGTERM, func() bool { return time.Since(begun) > time.Second })
	e.want(t, 143, "interrupted: 0 of 1 picture resized, and nothing written to demo-out")
	wantFiles(t, dir, "in/a.png")
	if took > limit/10 {
		t.Errorf("it took %v to end", took)
	}
}

// To open a pipe that nobody reads held a backfill until it was killed, whatever it was sent.
func TestASignalEndsWhatWaitsForAPipe(t *testing.T) {
	b := newBucketful(t)
	pipe := filepath.Join(b.dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	var listed atomic.Int32
	b.proxy.Inject(s3fault.Always, func(r *http.Request) bool {
		listed.Add(1)
		return false
	}, nil)
	command := b.process(t, "--failures", "pipe", "s3://photos")
	e, took := signaled(t, command, syscall.SIGTERM, func() bool {
		if listed.Load() < 2 { // to see whether it may
			return false
		}
		time.Sleep(300 * time.Millisecond)
		return true
	})
	e.want(t, 143, "s3resizer: interrupted")
	if took > limit/10 {
		t.Errorf("it took %v to end", took)
	}
}
