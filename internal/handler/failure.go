package handler

import (
	"context"
	"errors"
	"fmt"

	"s3resizer/internal/report"
	"s3resizer/s3io"
)

var (
	errSameBucket  = errors.New("its renditions would raise events of their own")
	errOverwritten = fmt.Errorf("the object was overwritten %d times while it was resized", overwrites)
)

// newFailure finds the class of an error that came up in the work on o, and names the renditions written by then.
func newFailure(ctx context.Context, o object, written []report.Rendition, missing []string, err error) *report.Failure {
	f := &report.Failure{Class: report.ClassInternal, TraceID: o.trace, Bucket: o.bucket, Key: o.key, Missing: missing, Err: err}
	class := s3io.ClassOf(err)
	switch {
	case errors.Is(err, errSameBucket):
		f.Class = report.ClassSameBucket
	case errors.Is(err, errOverwritten):
		f.Class = report.Class(s3io.Changed)
	case errors.Is(ctx.Err(), context.DeadlineExceeded) && (class == s3io.Transient || class == ""):
		f.Class = report.ClassDeadline
	case class != "":
		f.Class = report.Class(class)
	}
	for _, r := range written {
		f.Written = append(f.Written, r.Key)
	}
	return f
}
