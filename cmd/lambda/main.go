// Command lambda is the AWS Lambda function: settings, libvips, an S3 client, and the handler behind Lambda's Runtime
// API. It does nothing else, because all that it does is part of every cold start.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"s3resizer/internal/config"
	"s3resizer/internal/handler"
	"s3resizer/internal/metrics"
	"s3resizer/internal/report"
	"s3resizer/resize"
	"s3resizer/s3io"
)

var version = "dev" // set by the linker

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 1 && args[0] == "--version" {
		fmt.Printf("s3resizer %s, libvips %s\n", version, resize.Version())
		return nil
	}
	settings, err := config.Load(os.Environ())
	if err != nil {
		return fmt.Errorf("settings:\n%w", err)
	}
	if len(args) == 1 && args[0] == "--profiles" { // for who deploys
		packed, err := config.PackedProfiles(os.Environ())
		if err == nil {
			fmt.Println(packed)
		}
		return err
	}
	debug.SetGCPercent(garbage)
	runtime.GOMAXPROCS(settings.Processors)
	if err := resize.Startup(settings.Processors); err != nil {
		return err
	}
	aws, err := s3io.LoadConfig(ctx)
	if err != nil {
		return err
	}
	store := s3io.New(aws, s3io.Options{ExpectedOwner: owner(settings.BucketOwner)})
	logger := newLogger(settings.LogLevel)
	logger.Debug("limits", "maxBytes", settings.MaxBytes, "maxPixels", settings.Limits.MaxPixels, "maxFrames", settings.Limits.MaxFrames,
		"maxMemory", settings.Limits.MaxMemory, "atOnce", settings.Processors)
	h := handler.New(store, settings, logger)
	if name := lambdacontext.FunctionName; settings.Metrics && name != "" {
		log := metrics.New(os.Stdout, name)
		h.Observe = log.Outcome
		log.Started()
	}

	lambda.Start(func(ctx context.Context, event json.RawMessage) (any, error) {
		response, err := h.Respond(ctx, event)
		return response, lambdaError(err)
	})
	return nil
}

// garbage is how much of it, in percent of what is in use, Go may let lie. Here that is a few large buffers, so that
// collecting often costs nothing measurable; it took 3 MB off the peak of a picture of 9 megapixels, 15 off one of 100.
const garbage = 25

// owner returns who must own the buckets: the account in the settings, or, of each invocation, the function's own.
func owner(setting string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		switch setting {
		case config.AnyOwner:
			return "", nil
		case "":
			return functionAccount(ctx)
		default:
			return setting, nil
		}
	}
}

// functionAccount is the account in the function's ARN, arn:aws:lambda:REGION:ACCOUNT:function:NAME.
func functionAccount(ctx context.Context) (string, error) {
	arn := ""
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		arn = invocation.InvokedFunctionArn
	}
	if parts := strings.Split(arn, ":"); len(parts) >= 7 && parts[4] != "" {
		return parts[4], nil
	}
	return "", fmt.Errorf("the function's ARN %q names no account that the buckets could be checked against; set RESIZE_BUCKET_OWNER", arn)
}

// lambdaError makes the class of a failure what Lambda calls its errorType.
//
// Where work goes on that did not stop in time, it is an error whatever the answer would have been, since the process has to
// end: that work would take processor and memory from the next invocation. Lambda starts another process. A whole batch comes
// again then, of which what is done, or rejected, is found so.
func lambdaError(err error) error {
	var failure *report.Failure
	left := resize.LeftBehind()
	switch {
	case errors.As(err, &failure):
		return messages.InvokeResponse_Error{Type: string(failure.Class), Message: failure.Error(), ShouldExit: left > 0}
	case left > 0:
		return messages.InvokeResponse_Error{Type: string(report.ClassDeadline), ShouldExit: true, Message: fmt.Sprintf(
			"%s: the process ends, because work on %d pictures did not stop in time; the log says what came of each", report.ClassDeadline, left)}
	default:
		return err
	}
}

// newLogger logs JSON lines, under Lambda's names for their fields and with the request id of their invocation. What
// aws-lambda-go prints (each error that the function returns) becomes such lines too.
func newLogger(level slog.Level) *slog.Logger {
	logger := slog.New(requestID{slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: level, ReplaceAttr: lambdacontext.ReplaceAttr})})
	slog.SetLogLoggerLevel(slog.LevelError)
	slog.SetDefault(logger)
	return logger
}

type requestID struct{ slog.Handler }

func (h requestID) Handle(ctx context.Context, record slog.Record) error {
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		record.AddAttrs(slog.String("requestId", invocation.AwsRequestID))
	}
	return h.Handler.Handle(ctx, record)
}
