package handler

import (
	"context"
	"time"

	"s3resizer/internal/report"
	"s3resizer/resize"
)

// Stage is one of the four things that the work on a picture consists of.
type Stage string

// The stages of a [Step].
const (
	Download Stage = "download" // from the request for the source to the last byte read of it
	Decode   Stage = "decode"   // until the widest size is in memory; includes waiting for bytes
	Encode   Stage = "encode"   // from pixels in memory to a rendition's bytes, resizing and waiting for a core included
	Upload   Stage = "upload"   // from a rendition's bytes to its place
)

// Step is a stretch of the work on an object that has come to its end.
type Step struct {
	Stage     Stage
	Span      resize.Span
	Rendition report.Rendition // of Encode and Upload
}

type traceKey struct{}

// WithTrace returns a context with which [Handler.Handle] and [Handler.Respond] tell trace of each step as it ends, from
// several goroutines, as net/http/httptrace does for a request; [report.Timings] sum the same steps up. After an Upload, the
// rendition is in place. Download and Decode are told of when all renditions are. An object that is overwritten meanwhile
// goes through all its steps again.
func WithTrace(ctx context.Context, trace func(Step)) context.Context {
	return context.WithValue(ctx, traceKey{}, trace)
}

// traced tells of a step, if anybody wants to know.
func traced(ctx context.Context, stage Stage, start, end time.Time, of report.Rendition) {
	if trace, ok := ctx.Value(traceKey{}).(func(Step)); ok {
		trace(Step{stage, resize.Span{Start: start, End: end}, of})
	}
}
