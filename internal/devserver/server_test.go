package devserver_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"s3resizer/internal/devserver"
)

func TestOptionsNameEveryMistake(t *testing.T) {
	_, err := devserver.New(devserver.Options{
		Addr: "9000", AccessKey: "key", Owner: "me", Parallel: -1, Buckets: []string{"A"}, Notify: []string{"photos"},
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, part := range []string{`"9000"`, "secret key", `"me"`, `"A"`, "-1", "OnEvent"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error does not name %s: %v", part, err)
		}
	}
}

func TestShutdownWaitsForCallbacksAndServesThem(t *testing.T) {
	before := runtime.NumGoroutine()
	entered, release := make(chan struct{}, 3), make(chan struct{})
	var returned int
	server, err := devserver.New(devserver.Options{
		Buckets: []string{"photos", "resized"},
		Notify:  []string{"photos"},
		OnEvent: func(events.S3Event) {
			entered <- struct{}{}
			<-release
			returned++
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	url, err := server.Listen()
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve() }()

	e := &endpoint{Client: client(url, "key", "secret")}
	for _, key := range []string{"a", "b", "c"} {
		e.put(t, "photos", key, "x") // is answered although nobody returns from OnEvent
	}
	<-entered
	down := make(chan error, 1)
	go func() { down <- server.Shutdown(t.Context()) }()

	// From some moment on, new work is refused.
	for {
		_, err := e.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("photos"), Key: aws.String("late"), Body: strings.NewReader("x"), IfMatch: aws.String(`"0"`)})
		if code(err) == "ServiceUnavailable" {
			break
		}
		if code(err) != "NoSuchKey" {
			t.Fatal(err)
		}
	}
	if body, _ := e.get(t, "photos", "c"); body != "x" {
		t.Errorf("read %q while shutting down", body)
	}
	e.put(t, "resized", "small-c", "y")
	select {
	case err := <-down:
		t.Fatalf("Shutdown returned before its callbacks: %v", err)
	case <-time.After(50 * time.Millisecond):
	}

	close(release)
	if err := errors.Join(<-down, <-served); err != nil {
		t.Fatal(err)
	}
	if returned != 3 {
		t.Errorf("%d callbacks had returned, want 3", returned)
	}
	if _, err := http.Get(url); err == nil {
		t.Error("still answers after Shutdown")
	}
	if err := server.Shutdown(t.Context()); err != nil {
		t.Errorf("second Shutdown: %v", err)
	}
	noMoreGoroutinesThan(t, before)
}

func TestParallelCallsAreAsManyAsAsked(t *testing.T) {
	for parallel, want := range map[int]int{0: 1, 3: 3} {
		entered, release := make(chan struct{}, 6), make(chan struct{})
		e := start(t, devserver.Options{Parallel: parallel, OnEvent: func(events.S3Event) {
			entered <- struct{}{}
			<-release
		}})
		for range 6 {
			e.put(t, "photos", "k", "x")
		}
		for range want {
			<-entered
		}
		select {
		case <-entered:
			t.Errorf("parallel %d: more than %d calls at once", parallel, want)
		case <-time.After(20 * time.Millisecond):
		}
		close(release)
		e.settle(t)
		if got := want + len(entered); got != 6 {
			t.Errorf("parallel %d: %d calls in all, want 6", parallel, got)
		}
	}
}

func TestShutdownWaitsNoLongerThanItsContext(t *testing.T) {
	release := make(chan struct{})
	e := start(t, devserver.Options{OnEvent: func(events.S3Event) { <-release }})
	defer close(release)
	e.put(t, "photos", "k", "x")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := e.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v, want the context's error", err)
	}
	_, err := e.ListBuckets(t.Context(), &s3.ListBucketsInput{})
	if code(err) != "ServiceUnavailable" {
		t.Errorf("after Shutdown: %v, want ServiceUnavailable", err)
	}
}

func TestListenOnEveryAddressGivesAURLThatWorks(t *testing.T) {
	server, err := devserver.New(devserver.Options{Addr: ":0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Serve(); err == nil {
		t.Error("served without listening")
	}
	url, err := server.Listen()
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve() }()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("%s answered %s", url, res.Status)
	}
	if err := errors.Join(server.Shutdown(t.Context()), <-served); err != nil {
		t.Error(err)
	}
}

func TestLogGetsRefusedSignaturesAndNoChatter(t *testing.T) {
	var log strings.Builder
	e := start(t, devserver.Options{
		AccessKey: "key", SecretKey: "secret",
		Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	e.put(t, "quiet", "k", "x")
	e.settle(t)
	if log.Len() != 0 {
		t.Errorf("a good upload logged %s", &log)
	}
	other := start(t, devserver.Options{
		AccessKey: "key", SecretKey: "secret",
		Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	res, err := http.Get(other.url + "/quiet/k")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	other.settle(t)
	if !strings.Contains(log.String(), "Access Denied") {
		t.Errorf("an unsigned request logged %q", &log)
	}
}

func noMoreGoroutinesThan(t *testing.T, before int) {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	stacks := make([]byte, 1<<20)
	t.Errorf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
}
