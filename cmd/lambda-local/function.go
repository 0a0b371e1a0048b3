package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"s3resizer/internal/queue"
	"s3resizer/internal/runtimeapi"
)

// function is what runs in the containers that poll the Runtime API. Each invocation of it is a line in the log.
type function struct {
	api     *runtimeapi.Server
	timeout time.Duration
	log     *slog.Logger
}

// WaitIdle is for queue.Function.
func (f *function) WaitIdle(ctx context.Context) (int, error) { return f.api.WaitIdle(ctx) }

// Start is for queue.Function.
func (f *function) Start(in queue.Invocation) func() ([]byte, error) {
	_, wait := f.begin(in)
	return func() ([]byte, error) { return wait(context.Background()) }
}

// begin takes a place in line. The function that it returns waits for the answer as long as its context lasts, and
// writes the log. The request id is empty if nothing was started.
func (f *function) begin(in queue.Invocation) (requestID string, wait func(context.Context) ([]byte, error)) {
	call, err := f.api.Start(in.Payload, f.timeout)
	if err != nil {
		return "", func(context.Context) ([]byte, error) {
			f.report(in, nil, err)
			return nil, err
		}
	}
	return call.RequestID(), func(ctx context.Context) ([]byte, error) {
		answer, err := call.Wait(ctx)
		f.report(in, call, err)
		return answer, err
	}
}

func (f *function) report(in queue.Invocation, call *runtimeapi.Call, err error) {
	attributes := []any{"source", in.Source, "attempt", in.Attempt}
	if in.Event != "" {
		attributes = append(attributes, "event", in.Event)
	}
	if call != nil {
		attributes = append(attributes, "requestId", call.RequestID(), "ms", float64(call.Ran().Microseconds())/1000)
	}
	level, outcome := slog.LevelInfo, "succeeded"
	if failure, ok := runtimeapi.Report(err); ok {
		level, outcome = slog.LevelWarn, "failed"
		attributes = append(attributes, "errorType", failure.Type, "error", failure.Message)
	} else if errors.Is(err, runtimeapi.ErrClosed) {
		outcome = "handed back"
	} else if err != nil {
		level, outcome = slog.LevelWarn, "given up"
		attributes = append(attributes, "error", err.Error())
	}
	f.log.Log(context.Background(), level, "invocation", append(attributes, "outcome", outcome)...)
}
