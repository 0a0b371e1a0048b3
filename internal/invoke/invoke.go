// Package invoke has pictures done by the function in Lambda, one invocation for each, as if it were a process of this
// machine.
//
// The one idea: an invocation is synchronous, so that its answer is the report, and whoever waits for it bounds how many
// there are at once. When Lambda has no room for one it waits, for it is not the picture's turn yet; all else that goes
// wrong is sorted into the picture's failures and those of the call itself, with which nothing can be done at all.
package invoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"s3resizer/internal/backfill"
	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// Function is a [backfill.Resizer].
type Function struct {
	name        string
	destination string
	client      *lambda.Client
	patience    time.Duration // with a Lambda that has no room
}

// New makes one of a function's name or ARN. Destination is the bucket that its renditions must go to.
func New(cfg aws.Config, name, destination string) *Function {
	client := lambda.NewFromConfig(cfg, func(o *lambda.Options) {
		o.Retryer = aws.NopRetryer{} // that is for whoever knows how often the picture was tried
	})
	return &Function{name, destination, client, 5 * time.Minute}
}

// pauses are those between two attempts when there is no room.
var pauses = retry.NewExponentialJitterBackoff(20 * time.Second)

// Resize does one object.
func (f *Function) Resize(ctx context.Context, bucket, key string) (report.Result, error) {
	payload, err := json.Marshal(map[string]string{"bucket": bucket, "key": key})
	if err != nil {
		return report.Result{}, err
	}
	in := &lambda.InvokeInput{FunctionName: &f.name, InvocationType: types.InvocationTypeRequestResponse, Payload: payload}
	begun := time.Now()
	for attempt := 0; ; attempt++ {
		out, err := f.client.Invoke(ctx, in)
		switch {
		case err == nil && out.FunctionError != nil:
			return report.Result{}, failureOf(out.Payload)
		case err == nil:
			return f.result(out.Payload, key)
		case !full(err):
			return report.Result{}, f.explain(ctx, err)
		case time.Since(begun) > f.patience:
			return report.Result{}, &backfill.Failure{Class: report.ClassThrottled, Reason: fmt.Sprintf("Lambda had no room for it in %v: %v; take fewer --jobs, or raise the function's concurrency", f.patience, err), Temporary: true}
		}
		pause, _ := pauses.BackoffDelay(min(attempt, 10), err)
		select {
		case <-time.After(pause + time.Duration(rand.Int64N(int64(100*time.Millisecond)))):
		case <-ctx.Done():
			return report.Result{}, ctx.Err()
		}
	}
}

// full tells whether Lambda asks for fewer invocations, at once or a second.
func full(err error) bool {
	var tooMany *types.TooManyRequestsException
	var network *types.EC2ThrottledException
	return errors.As(err, &tooMany) || errors.As(err, &network)
}

// result reads the function's answer.
func (f *Function) result(payload []byte, key string) (report.Result, error) {
	var answer report.Report
	if err := json.Unmarshal(payload, &answer); err != nil || len(answer.Results) != 1 || answer.Results[0].Source.Key != key {
		return report.Result{}, fmt.Errorf("the function %s does not answer as s3resizer does: %.200s", f.name, payload)
	}
	result := answer.Results[0]
	for _, r := range result.Renditions {
		if r.Bucket != f.destination {
			return report.Result{}, fmt.Errorf("the function %s writes to s3://%s, and not to s3://%s: name that one with --dest, and see whether its other RESIZE_ settings are those here", f.name, r.Bucket, f.destination)
		}
	}
	return result, nil
}

// failureOf is what the function, or Lambda for it, says of why there is no answer.
func failureOf(payload []byte) *backfill.Failure {
	var says struct {
		Type    report.Class `json:"errorType"` // of the function's own failures; else one of Lambda's words
		Message string       `json:"errorMessage"`
	}
	_ = json.Unmarshal(payload, &says) // what can't be read is of no known type
	failure := &backfill.Failure{Class: says.Type, Reason: says.Message}
	switch {
	case says.Type.Meaning().Says != "":
		failure.Temporary = says.Type.Meaning().Matter == report.Passing
	case says.Type == "Sandbox.Timedout" || strings.Contains(says.Message, "Task timed out after"): // older runtimes have no type
		failure.Class, failure.Fatal = report.ClassHung, true
	case strings.HasPrefix(string(says.Type), "Runtime."): // it crashed, or was ended because it took too much memory
		failure.Class, failure.Fatal = report.ClassCrashed, true
	default:
		failure.Class, failure.Reason = report.ClassInternal, strings.TrimPrefix(string(says.Type)+": "+says.Message, ": ")
	}
	return failure
}

// explain sorts out why the function could not be invoked. What would be the same with every picture is no failure of one.
func (f *Function) explain(ctx context.Context, err error) error {
	var fault smithy.APIError
	var missing *types.ResourceNotFoundException
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &missing):
		return fmt.Errorf("invoke %s: %w; see whether its name and AWS_REGION are right", f.name, err)
	case errors.As(err, &fault) && strings.HasPrefix(fault.ErrorCode(), "AccessDenied"):
		return fmt.Errorf("invoke %s: %w; allow the caller lambda:InvokeFunction on it", f.name, err)
	case errors.As(err, &fault) && fault.ErrorFault() == smithy.FaultClient:
		return fmt.Errorf("invoke %s: %w", f.name, err)
	default: // Lambda's own faults, and the network's
		return &backfill.Failure{Class: report.Class(s3io.Transient), Reason: fmt.Sprintf("invoke %s: %v", f.name, err), Temporary: true}
	}
}
