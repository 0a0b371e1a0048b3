package backfill_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"s3resizer/internal/backfill"
	"s3resizer/internal/config"
	"s3resizer/internal/handler"
	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// The tests' own program is the worker's, too: with this in its environment, it serves, from an S3 whose objects do to a
// process what their keys say.
const workerVariable = "BACKFILL_TEST_WORKER"

func TestMain(m *testing.M) {
	if os.Getenv(workerVariable) != "" {
		if err := serve(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func serve() error {
	return backfill.Serve(context.Background(), os.Stdin, os.Stdout, func(pace s3io.Pace) (*handler.Handler, error) {
		if os.Getenv(workerVariable) == "broken" {
			return nil, errors.New("libvips is not there")
		}
		settings, err := config.Load(nil)
		return handler.New(deadly{pace}, settings, slog.New(slog.DiscardHandler)), err
	})
}

type deadly struct{ pace s3io.Pace }

func (d deadly) Open(ctx context.Context, bucket, key string) (*s3io.Object, error) {
	switch key {
	case "crash":
		fmt.Fprint(os.Stderr, "SIGSEGV: segmentation violation\nin a codec\n")
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "interrupted":
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
		select {}
	case "babble":
		fmt.Println("a library that prints")
		select {}
	case "hang":
		select {}
	case "slow":
		<-ctx.Done()
		return nil, &s3io.Error{Class: s3io.Transient, Op: "open", Bucket: bucket, Key: key, Err: ctx.Err()}
	case "throttled":
		d.pace.Throttled()
	case "denied":
		return nil, &s3io.Error{Class: s3io.Denied, Op: "open", Bucket: bucket, Key: key, Err: errors.New("403")}
	}
	for range 3 {
		if err := d.pace.Wait(ctx); err != nil {
			return nil, err
		}
	}
	return &s3io.Object{Info: s3io.Info{Bucket: bucket, Key: key, ETag: "1", Metadata: map[string]string{"s3resizer-source": "s3://elsewhere/" + fmt.Sprint(os.Getpid())}}, ReadCloser: io.NopCloser(strings.NewReader(""))}, nil
}

func (deadly) Head(context.Context, string, string) (s3io.Info, error) {
	return s3io.Info{}, &s3io.Error{Class: s3io.NotFound}
}

func (deadly) Tags(context.Context, string, string) (string, error) { panic("not asked for") }

func (deadly) Put(context.Context, s3io.Upload) (string, error) { panic("not asked for") }

func (deadly) Delete(context.Context, string, string, string) error { panic("not asked for") }

func startWorkers(t *testing.T, limit time.Duration, mode string) (*backfill.Workers, *atomic.Int32) {
	started := &atomic.Int32{}
	w := &backfill.Workers{Limit: limit, Pace: backfill.NewPace(1000), Command: func() *exec.Cmd {
		started.Add(1)
		command := exec.Command(os.Args[0])
		command.Env = append(os.Environ(), workerVariable+"="+mode)
		return command
	}}
	t.Cleanup(w.Close)
	return w, started
}

func TestWorkers(t *testing.T) {
	fatal := func(class report.Class, says string) func(*testing.T, error) {
		return func(t *testing.T, err error) {
			var f *backfill.Failure
			if !errors.As(err, &f) || f.Class != class || !f.Fatal || !strings.Contains(f.Reason, says) {
				t.Errorf("%+v", err)
			}
		}
	}
	for name, test := range map[string]struct {
		key   string
		limit time.Duration
		check func(*testing.T, error)
	}{
		"a crash costs one picture":            {"crash", time.Minute, fatal(report.ClassCrashed, "signal: killed: SIGSEGV: segmentation violation; in a codec")},
		"one that does not come back, too":     {"hang", time.Second, fatal(report.ClassHung, "not done after 2.25s")},
		"one that says what nobody asked, too": {"babble", time.Minute, fatal(report.ClassCrashed, "killed")},
		"one that gives up in time lives on": {"slow", time.Second, func(t *testing.T, err error) {
			var f *backfill.Failure
			if !errors.As(err, &f) || f.Class != report.ClassDeadline || f.Fatal || !f.Temporary {
				t.Errorf("%+v", err)
			}
		}},
		"a failure comes with what S3 was asked": {"denied", time.Minute, func(t *testing.T, err error) {
			var f *backfill.Failure
			if !errors.As(err, &f) || f.Class != "access-denied" || f.Fatal || f.Temporary || f.Op != "open" || f.Bucket != source || !strings.Contains(f.Remedy(), "s3:GetObject") {
				t.Errorf("%+v", err)
			}
		}},
		"one that is asked to end is no picture's fault": {"interrupted", time.Minute, func(t *testing.T, err error) {
			var f *backfill.Failure
			if err == nil || errors.As(err, &f) {
				t.Errorf("%+v", err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, started := startWorkers(t, test.limit, "serves")
			_, err := w.Resize(t.Context(), source, test.key)
			test.check(t, err)
			r, err := w.Resize(t.Context(), source, "fine")
			if err != nil || r.Status != report.Skipped {
				t.Errorf("the next one: %+v, %v", r, err)
			}
			want := int32(2)
			if test.key == "slow" || test.key == "denied" {
				want = 1
			}
			if started.Load() != want {
				t.Errorf("%d processes, want %d", started.Load(), want)
			}
		})
	}
	// It was the next picture's, which was quarantined.
	t.Run("the end of one that has nothing to do is no picture's fault", func(t *testing.T) {
		w, started := startWorkers(t, time.Minute, "serves")
		var process *exec.Cmd
		command := w.Command
		w.Command = func() *exec.Cmd { process = command(); return process }
		if _, err := w.Resize(t.Context(), source, "fine"); err != nil {
			t.Fatal(err)
		}
		for process.Process.Kill() == nil { // until it has been waited for
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(100 * time.Millisecond) // who waited tells
		if _, err := w.Resize(t.Context(), source, "fine"); err != nil || started.Load() != 2 {
			t.Errorf("%v; %d processes", err, started.Load())
		}
	})
	t.Run("one that can't start is no picture's fault", func(t *testing.T) {
		w, _ := startWorkers(t, time.Minute, "broken")
		_, err := w.Resize(t.Context(), source, "fine")
		var f *backfill.Failure
		if err == nil || errors.As(err, &f) || !strings.Contains(err.Error(), "libvips is not there") {
			t.Errorf("%v", err)
		}
	})
	t.Run("requests are asked for, and throttling is told of", func(t *testing.T) {
		w, _ := startWorkers(t, time.Minute, "serves")
		w.Pace = backfill.NewPace(20)
		begun := time.Now()
		for range 4 {
			if _, err := w.Resize(t.Context(), source, "fine"); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(begun); took < 11*time.Second/20 { // three each, the first of all at once
			t.Errorf("12 requests at 20 a second took %v", took)
		}
		if _, err := w.Resize(t.Context(), source, "throttled"); err != nil {
			t.Fatal(err)
		}
		if limit, times := w.Pace.Slowed(); times != 1 || limit > 10 {
			t.Errorf("at most %.1f a second, asked %d times", limit, times)
		}
	})
}
