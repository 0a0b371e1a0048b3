package queue

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"s3resizer/internal/runtimeapi"
)

// function is a Function with a real Runtime API, as cmd/lambda-local has it.
type function struct {
	*runtimeapi.Server
	timeout time.Duration
}

func (f function) Start(in Invocation) func() ([]byte, error) {
	call, err := f.Server.Start(in.Payload, f.timeout)
	if err != nil {
		return func() ([]byte, error) { return nil, err }
	}
	return func() ([]byte, error) { return call.Wait(context.Background()) }
}

func newFunction(t *testing.T) function {
	t.Helper()
	f := function{runtimeapi.New(runtimeapi.Config{}), time.Minute}
	t.Cleanup(func() { f.Close() })
	return f
}

// runtime polls until the API is closed and answers each invocation with what handle returns: a response or, if failed
// is true, an error of that type.
func (f function) runtime(handle func(payload string) (answer string, failed bool)) {
	const root = "/2018-06-01/runtime/invocation/"
	go func() {
		for {
			next := httptest.NewRecorder()
			f.ServeHTTP(next, httptest.NewRequest(http.MethodGet, root+"next", nil))
			if next.Code != http.StatusOK {
				return
			}
			answer, failed := handle(next.Body.String())
			path := root + next.Header().Get("Lambda-Runtime-Aws-Request-Id")
			if failed {
				f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, path+"/error", strings.NewReader(`{"errorType":"`+answer+`","errorMessage":"on purpose"}`)))
				continue
			}
			f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, path+"/response", strings.NewReader(answer)))
		}
	}()
}

// log collects what is logged, and shows it if the test fails.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newLog(t *testing.T) (*log, *slog.Logger) {
	t.Helper()
	l := &log{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("logged:\n%s", l)
		}
	})
	return l, slog.New(slog.NewTextHandler(l, nil))
}

// eventually waits until condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
	}
}
