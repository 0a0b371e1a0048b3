package runtimeapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// The tests in this file start the test binary again as a Lambda function, which fetches its
// invocations with aws-lambda-go's own client.

const asFunction = "RUNTIMEAPI_TEST_AS_FUNCTION"

func TestMain(m *testing.M) {
	if os.Getenv(asFunction) != "" {
		lambda.Start(function) // returns never
	}
	os.Exit(m.Run())
}

type order struct {
	Do  string
	Arg string
}

type teapotError struct{}

func (*teapotError) Error() string { return "short and stout" }

func function(ctx context.Context, o order) (any, error) {
	switch o.Do {
	case "echo":
		return o.Arg, nil
	case "context":
		lc, _ := lambdacontext.FromContext(ctx)
		deadline, _ := ctx.Deadline()
		return map[string]any{"arn": lc.InvokedFunctionArn, "id": lc.AwsRequestID, "deadline": deadline}, nil
	case "process":
		time.Sleep(100 * time.Millisecond)
		return os.Getpid(), nil
	case "fail":
		return nil, &teapotError{}
	case "die":
		return nil, syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "panic":
		panic("kettle boiled over")
	case "sleep":
		pause, err := time.ParseDuration(o.Arg)
		time.Sleep(pause)
		return nil, err
	case "large":
		return strings.Repeat("x", MaxResponseBytes), nil // and two quotes
	case "broken reader":
		return io.MultiReader(strings.NewReader(`"half`), iotest.ErrReader(&teapotError{})), nil
	}
	return nil, fmt.Errorf("no such order: %q", o.Do)
}

// serve starts a Server on a local port. When the test ends, it checks that no goroutine is left.
func serve(t *testing.T, config Config) (*Server, *httptest.Server) {
	t.Helper()
	before := runtime.NumGoroutine()
	s := New(config)
	server := httptest.NewUnstartedServer(s)
	s.Watch(server.Config)
	server.Start()
	t.Cleanup(func() {
		s.Close()
		server.Close()
		server.Client().CloseIdleConnections()
		for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				stacks := make([]byte, 1<<16)
				t.Errorf("%d goroutines, %d before the test:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
				break
			}
		}
	})
	return s, server
}

// start runs a function that polls server and returns a channel that is closed when it ends.
func start(t *testing.T, server *httptest.Server) <-chan struct{} {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), asFunction+"=1", "AWS_LAMBDA_RUNTIME_API="+server.Listener.Addr().String())
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait() // how it ends is not what is tested
		close(ended)
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		<-ended
	})
	return ended
}

func call(t *testing.T, s *Server, timeout time.Duration, do, arg string) (string, error) {
	t.Helper()
	payload, err := json.Marshal(order{do, arg})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	response, err := s.Invoke(ctx, payload, timeout)
	return string(response), err
}

func awaitEnd(t *testing.T, ended <-chan struct{}) {
	t.Helper()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("the function's process still runs")
	}
}

func TestRealRuntime(t *testing.T) {
	s, server := serve(t, Config{FunctionARN: "arn:aws:lambda:eu-west-1:1:function:f"})
	start(t, server)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := s.WaitReady(ctx); err != nil {
		t.Fatal(err)
	}

	t.Run("answers one invocation after the other", func(t *testing.T) {
		for i := range 10 {
			want := fmt.Sprintf(`"%d"`, i)
			if got, err := call(t, s, time.Minute, "echo", fmt.Sprint(i)); got != want || err != nil {
				t.Errorf("got %s, %v, want %s", got, err, want)
			}
		}
	})
	t.Run("knows its context", func(t *testing.T) {
		body, err := call(t, s, time.Minute, "context", "")
		var got struct {
			ARN, ID  string
			Deadline time.Time
		}
		if err := errors.Join(err, json.Unmarshal([]byte(body), &got)); err != nil {
			t.Fatal(err)
		}
		left := time.Until(got.Deadline)
		if got.ARN != "arn:aws:lambda:eu-west-1:1:function:f" || len(got.ID) != 36 || left < 30*time.Second || left > time.Minute {
			t.Errorf("got %+v, %v left", got, left)
		}
	})
	t.Run("reports an error with its type and lives on", func(t *testing.T) {
		_, err := call(t, s, time.Minute, "fail", "")
		failure, ok := errors.AsType[*FunctionError](err)
		if !ok || failure.Type != "teapotError" || failure.Message != "short and stout" || failure.Error() != "teapotError: short and stout" {
			t.Errorf("got %#v", err)
		}
		if got, err := call(t, s, time.Minute, "echo", "still"); got != `"still"` {
			t.Errorf("got %s, %v", got, err)
		}
	})
	t.Run("reports a response that broke off", func(t *testing.T) {
		body, err := call(t, s, time.Minute, "broken reader", "")
		failure, ok := errors.AsType[*FunctionError](err)
		if !ok || failure.Type != "teapotError" || failure.Message != "short and stout" {
			t.Errorf("got %s, %#v", body, err)
		}
	})
}

func TestRealRuntimePanics(t *testing.T) {
	s, server := serve(t, Config{})
	ended := start(t, server)
	_, err := call(t, s, time.Minute, "panic", "")
	failure, ok := errors.AsType[*FunctionError](err)
	var frames []struct{ Path, Label string }
	if !ok || failure.Type != "string" || failure.Message != "kettle boiled over" || json.Unmarshal(failure.StackTrace, &frames) != nil || len(frames) == 0 {
		t.Errorf("got %#v", err)
	}
	awaitEnd(t, ended)
}

func TestRealRuntimeTimesOut(t *testing.T) {
	s, server := serve(t, Config{})
	ended := start(t, server)
	_, err := call(t, s, 200*time.Millisecond, "sleep", "500ms")
	if _, ok := errors.AsType[*TimeoutError](err); !ok {
		t.Errorf("got %v", err)
	}
	awaitEnd(t, ended) // its late answer is refused, which aws-lambda-go takes for fatal
}

func TestRealRuntimeAnswersTooMuch(t *testing.T) {
	s, server := serve(t, Config{})
	ended := start(t, server)
	_, err := call(t, s, time.Minute, "large", "")
	if failure, ok := errors.AsType[*FunctionError](err); !ok || failure.Type != "Function.ResponseSizeTooLarge" {
		t.Errorf("got %v", err)
	}
	awaitEnd(t, ended)
}

func TestTwoRealRuntimesShareTheWork(t *testing.T) {
	s, server := serve(t, Config{})
	start(t, server)
	start(t, server)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for s.Idle() < 2 && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	var (
		group     sync.WaitGroup
		mu        sync.Mutex
		processes = map[string]int{}
	)
	for range 6 {
		group.Go(func() {
			process, err := call(t, s, time.Minute, "process", "")
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			processes[process]++
		})
	}
	group.Wait()
	if len(processes) != 2 {
		t.Errorf("invocations per process: %v", processes)
	}
}
