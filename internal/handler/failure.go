package handler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"s3resizer/s3io"
)

// Failure says that something other than the picture's bytes was in the way. The platform tries again and, when that
// is of no use, hands the event to the dead-letter destination.
type Failure struct {
	Class       string   // one of s3io's classes, or one of those below
	TraceID     string   // as in a [Result]
	Bucket, Key string   // of the source; empty if no event could be read
	Written     []string // the keys of the renditions that are in place already
	Missing     []string // the keys of the set, record included, that may not be; sizes, if no key was known yet; none of a set that is to go
	Err         error

	others []error
}

// Classes of a [Failure] beside those of s3io.
const (
	ClassUnknownEvent = "unknown-event" // of a shape that is not handled
	ClassSameBucket   = "same-bucket"   // source and destination are one: refused
	ClassDeadline     = "deadline"      // the time limit came too close
	ClassInternal     = "internal"      // a fault of ours, or of libvips
)

var (
	errSameBucket  = errors.New("source and destination are the same bucket, where renditions would raise events of their own: set RESIZE_DEST_BUCKET to another one")
	errOverwritten = fmt.Errorf("the object was overwritten %d times while it was resized", overwrites)
)

// newFailure finds the class of an error that came up in the work on o, and names the renditions written by then.
func newFailure(ctx context.Context, o object, written []Rendition, missing []string, err error) *Failure {
	f := &Failure{Class: ClassInternal, TraceID: o.trace, Bucket: o.bucket, Key: o.key, Missing: missing, Err: err}
	class := s3io.ClassOf(err)
	switch {
	case errors.Is(err, errSameBucket):
		f.Class = ClassSameBucket
	case errors.Is(err, errOverwritten):
		f.Class = string(s3io.Changed)
	case errors.Is(ctx.Err(), context.DeadlineExceeded) && (class == s3io.Transient || class == ""):
		f.Class = ClassDeadline
	case class != "":
		f.Class = string(class)
	}
	for _, r := range written {
		f.Written = append(f.Written, r.Key)
	}
	return f
}

func (f *Failure) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ", f.Class)
	if f.Bucket != "" {
		fmt.Fprintf(&b, "resize s3://%s/%s: ", f.Bucket, f.Key)
	}
	fmt.Fprint(&b, f.Err)
	if len(f.Written)+len(f.Missing) > 0 {
		fmt.Fprintf(&b, " (written: %s; missing: %s)", list(f.Written), list(f.Missing))
	}
	fmt.Fprintf(&b, " (trace %s)", f.TraceID)
	for _, other := range f.others {
		fmt.Fprintf(&b, "\n%v", other)
	}
	return b.String()
}

func list(keys []string) string { return cmp.Or(strings.Join(keys, ", "), "nothing") }

func (f *Failure) Unwrap() []error { return append([]error{f.Err}, f.others...) }

// Temporary tells whether the same event may fare better without anybody mending anything.
func (f *Failure) Temporary() bool {
	switch f.Class {
	case string(s3io.Transient), string(s3io.Changed), ClassDeadline:
		return true
	default:
		return false
	}
}

// join makes one error of several objects' failures, or nil if there are none.
func join(outcomes []outcome) error {
	var first *Failure
	for _, o := range outcomes {
		switch {
		case o.failure == nil:
		case first == nil:
			first = o.failure
		default:
			first.others = append(first.others, o.failure)
		}
	}
	if first == nil {
		return nil
	}
	return first
}
