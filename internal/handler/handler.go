// Package handler answers one event with one report: every object that the event names is fetched, resized and
// uploaded, and what came of it is told.
//
// The one idea: an event is a hint, the object is the truth. What is resized is the object as it is now, whatever ETag
// or version the event carries; what says that it is done is the commit record, written after the last rendition and
// checked against the source once more. So events may come twice, late and out of order, and a run may die anywhere:
// the last one through leaves renditions of the newest upload.
//
// It knows nothing of how S3 is spoken to or how pictures are made: that is s3io's and resize's.
package handler

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"s3resizer/internal/config"
	"s3resizer/internal/naming"
	"s3resizer/internal/report"
	"s3resizer/resize"
	"s3resizer/s3io"
)

// Store is what the handler needs of S3. Its errors are [*s3io.Error], in one of s3io's classes; what may pass has been
// tried again already. [s3io.Client] is one.
type Store interface {
	// Open starts to read an object; all its bytes are of one upload.
	Open(ctx context.Context, bucket, key string) (*s3io.Object, error)
	// Head describes an object.
	Head(ctx context.Context, bucket, key string) (s3io.Info, error)
	// Put writes an object, whole or not at all; after an error it may have been written all the same.
	Put(ctx context.Context, u s3io.Upload) (etag string, err error)
	// Tags returns an object's tags, in the form in which [s3io.Upload] has them.
	Tags(ctx context.Context, bucket, key string) (string, error)
	// Delete removes an object unless, as far as the S3 looks at that, it is another one than that with the ETag by now.
	// One that is not there is removed. After an error it may have been removed all the same.
	Delete(ctx context.Context, bucket, key, etag string) error
}

// Handler answers events. It is safe for concurrent use.
type Handler struct {
	// Observe, if set, is told what came of each object: a result, or else a failure. Several may be told at once.
	Observe func(report.Result, *report.Failure)

	store       Store
	settings    config.Settings
	fingerprint func(key string) string // of the settings for a source
	tagged      sync.Map                // the source buckets whose S3 tells us whether objects have tags
	log         *slog.Logger
}

// New makes a handler; it logs one line per object to log.
func New(store Store, settings config.Settings, log *slog.Logger) *Handler {
	h := &Handler{store: store, settings: settings, log: log}
	h.fingerprint = h.settings.Fingerprints()
	return h
}

// overwrites is how often an object is attempted that others write while we work.
const overwrites = 3

// Respond works on all objects of an event, a few at a time, and answers in the form that the event's source expects: a
// [report.Report] to whoever invokes the function itself (S3, SNS, EventBridge, a direct call), a partial batch response to
// SQS, results by task to S3 Batch Operations.
//
// The error, a [*report.Failure], is for the first of these alone: it tells of the objects that should be tried again or that
// somebody has to mend something for; the report has the others.
//
// With a deadline in ctx, work stops the margin of the settings before it.
func (h *Handler) Respond(ctx context.Context, event json.RawMessage) (any, error) {
	request, err := decode(event)
	if err != nil {
		return nil, h.unknown(ctx, err)
	}
	return request.respond(h.all(ctx, request.objects))
}

// Handle does the same, and reports whatever the event's source.
func (h *Handler) Handle(ctx context.Context, event json.RawMessage) (report.Report, error) {
	request, err := decode(event)
	if err != nil {
		return report.Report{}, h.unknown(ctx, err)
	}
	outcomes := h.all(ctx, request.objects)
	return reportOf(outcomes), join(outcomes)
}

// all works on the objects and returns what came of them in their order.
func (h *Handler) all(ctx context.Context, objects []object) []outcome {
	var allowed time.Duration
	if deadline, ok := ctx.Deadline(); ok {
		deadline = deadline.Add(-h.settings.DeadlineMargin)
		allowed = time.Until(deadline)
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	invocation := invocationID(ctx)
	outcomes := make([]outcome, len(objects))
	group := errgroup.Group{} // one object's failure leaves the others alone
	group.SetLimit(h.settings.Processors)
	for i, o := range objects {
		o.trace, o.allowed = cmp.Or(o.trace, invocation), allowed
		group.Go(func() error {
			result, failure := h.object(ctx, o)
			outcomes[i] = outcome{o, result, failure}
			h.tell(ctx, o, result, failure)
			return nil
		})
	}
	_ = group.Wait()
	return outcomes
}

// object brings one object's renditions up to date with its newest upload. docs/protocol.md says why it converges.
func (h *Handler) object(ctx context.Context, o object) (report.Result, *report.Failure) {
	if o.err != nil {
		return report.Result{}, &report.Failure{Class: report.ClassUnknownEvent, TraceID: o.trace, Err: o.err}
	}
	run := newRun(h, o, time.Now())
	if reason := run.idle(); reason != "" {
		return run.skipped(reason), nil
	}
	for range overwrites {
		result, failure, settled := run.attempt(ctx)
		if settled {
			return result, failure
		}
		run = run.again(result)
	}
	return report.Result{}, newFailure(ctx, o, run.written, run.lacking, errOverwritten)
}

// attempt does what there is to do, writes down what came of it, and then looks whether the source is still what it was read
// as. It reports whether that settles it: not if somebody has written the record or the source meanwhile.
func (r *run) attempt(ctx context.Context) (result report.Result, failure *report.Failure, settled bool) {
	looking, stop := context.WithCancel(ctx)
	defer func() { _, _, _ = r.record.Wait(), r.names.Wait(), r.tags.Wait() }() // whoever needed to know has the error
	defer stop()
	r.lookAtRecord(looking)
	result, failure = r.bringUpToDate(ctx, looking)
	if r.wasSlow(failure) {
		result, failure = r.slow(ctx, failure)
		return result, failure, true
	}
	if failure != nil {
		return result, failure, failure.Class != report.Class(s3io.Changed)
	}
	if r.told {
		return result, nil, true
	}
	record := result
	if result.Status == report.Superseded {
		record = r.done
	}
	switch {
	case record.Final():
		if err := r.putRecord(ctx, record); err != nil {
			failure := newFailure(ctx, r.object, result.Renditions, []string{naming.Record(r.object.key)}, err)
			if failure.Class == report.Class(s3io.Changed) {
				return result, nil, false
			}
			return report.Result{}, failure, true
		}
	case result.Status != report.Deleted:
		return result, nil, true
	}
	stands, err := r.stands(ctx, result)
	if err != nil {
		return report.Result{}, newFailure(ctx, r.object, result.Renditions, nil, err), true
	}
	return result, nil, stands
}

// bringUpToDate resizes the object as it is now, whatever the event says of it; if it is gone, what was made of it goes
// too, if the settings say so. Looking ends with the attempt.
func (r *run) bringUpToDate(ctx, looking context.Context) (report.Result, *report.Failure) {
	if r.destination == r.object.bucket {
		return r.failed(ctx, errSameBucket)
	}
	body, err := r.h.store.Open(ctx, r.object.bucket, r.object.key)
	if err != nil {
		return r.failed(ctx, err)
	}
	defer body.Close()
	r.info, r.carried = body.Info, carriedOf(body.Info, r.settings.Copy)
	switch {
	case ours(body.Info):
		return r.skipped("a rendition that we made"), nil
	case body.Size == 0 && strings.HasSuffix(r.object.key, "/"):
		return r.skipped("a folder marker"), nil
	case body.Size > r.settings.MaxBytes:
		return r.failed(ctx, &resize.Rejection{Class: resize.ClassTooLarge, Reason: fmt.Sprintf("%d bytes; the limit is %d", body.Size, r.settings.MaxBytes)})
	}

	if result, err := r.wasTooSlow(ctx); err != nil {
		return r.failed(ctx, err)
	} else if result.Status != "" {
		return result, nil
	}
	r.lookAtTags(looking)
	worked := r.working()
	source, err := resize.Open(ctx, r.reading(body), r.settings.Limits)
	worked()
	if err != nil {
		return r.failed(ctx, err)
	}
	defer source.Close()
	r.source = source
	if err := cmp.Or(r.checkKeys(), r.checkMetadata()); err != nil {
		return r.failed(ctx, err)
	}
	r.lookAtNames(looking)
	if r.second || r.object.removal != "" || r.object.etag != "" && r.object.etag != body.ETag {
		if done, err := r.alreadyDone(ctx); err != nil {
			return r.failed(ctx, err)
		} else if done && r.recorded() && r.made.Status == report.Resized && r.made.Source.ETag == r.info.ETag {
			return r.made, nil // somebody has made the same beside us, or the answer to our record was lost
		} else if done {
			return r.result(report.Superseded), nil
		}
	}
	worked = r.working()
	r.summary, err = source.Render(ctx, r.settings.Spec(), r.emit(ctx))
	worked()
	if err != nil {
		return r.failed(ctx, err)
	}
	traced(ctx, Download, r.opening, r.lastByte, report.Rendition{})
	traced(ctx, Decode, r.summary.Decode.Start, r.summary.Decode.End, report.Rendition{})
	return r.resized(), nil
}

// unknown is the failure of an event that names no objects, because it can't be read.
func (h *Handler) unknown(ctx context.Context, err error) *report.Failure {
	o := object{trace: invocationID(ctx)}
	f := &report.Failure{Class: report.ClassUnknownEvent, TraceID: o.trace, Err: err}
	h.tell(ctx, o, report.Result{}, f)
	return f
}

// tell logs one line for an object, at a level by what it asks for: nothing, a look at the upload, or somebody to mend
// something.
func (h *Handler) tell(ctx context.Context, o object, r report.Result, f *report.Failure) {
	if h.Observe != nil {
		h.Observe(r, f)
	}
	where := []slog.Attr{slog.String("traceId", o.trace), slog.String("bucket", o.bucket), slog.String("key", o.key)}
	if n := resize.LeftBehind(); n > 0 { // of this object, or of others
		where = append(where, slog.Int("leftBehind", n))
	}
	if f != nil {
		h.log.LogAttrs(ctx, slog.LevelError, "failed", append(where,
			slog.String("class", string(f.Class)), slog.Any("written", f.Written), slog.Any("missing", f.Missing), slog.String("error", f.Err.Error()))...)
		return
	}
	level := slog.LevelInfo
	if r.Status == report.Rejected {
		level = slog.LevelWarn
	}
	h.log.LogAttrs(ctx, level, string(r.Status), append(where, slog.Any("result", r))...)
}
