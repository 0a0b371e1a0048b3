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
	fingerprint string
	log         *slog.Logger
}

// New makes a handler; it logs one line per object to log.
func New(store Store, settings config.Settings, log *slog.Logger) *Handler {
	return &Handler{store: store, settings: settings, fingerprint: settings.Fingerprint(), log: log}
}

// overwrites is how often one run follows a source that is replaced while it works.
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

// object brings one object's renditions up to date with its newest upload.
//
// Why it converges. Say that N is the newest upload, and that a delivery that fails or dies is followed by another one.
// Some write of something older than N, or removal of anything, is the last one; call it w. All that is written after w
// is of N, and nothing goes any more, so it is enough that all of N is written, or seen in place, after w.
//   - If w came before N: N's own event is delivered later than that, and to its end at least once. Its ETag is the
//     source's, so that this delivery takes no short cut and writes everything.
//   - If w came after N, and its run lives: a run that has written anything writes the record, and then looks at the
//     source; so does one that has removed anything, when there is no more to remove. It sees N, and does all again
//     before it is content.
//   - If w came after N, and its run fails or dies, or is the one that gives up: the delivery that follows begins after
//     w. It reads N, and either writes everything or, when its event is of an older upload or of a removal, finds
//     everything of N in place. It asks each rendition for that and not the record alone, because w may be one rendition,
//     put by a killed run over a set whose record had long been written, or removed by one.
//
// With RESIZE_DELETE=on, N may be a deletion as well. Then w is the last write of anything, and it is enough that after w
// everything is looked for and removed. The three cases are the same: the event of the removal comes after w; or w's run
// looks at the source and finds it gone; or the delivery that follows does. The last two are of events of uploads, so
// these remove, too. To remove a version that is not the newest changes nothing: the source is there, and everything in
// place. To remove the newest makes N of the one before it, whose own event is then that of the removal; what it does not
// find in place, it writes.
//
// That is why the look comes after the record: the other way round, N could come between the two, be done, and then get
// an older record, with nobody left to notice. A newest upload that is rejected is no different: what is written of it
// is the record, and what that says of an older set is looked at, after the record, as the source is.
//
// What this leans on: S3 reads what was written last, and a request whose answer is no longer waited for takes effect
// before the next attempt or never. An upload is told by its ETag: one of the same bytes is the same upload.
func (h *Handler) object(ctx context.Context, o object) (report.Result, *report.Failure) {
	if o.err != nil {
		return report.Result{}, &report.Failure{Class: report.ClassUnknownEvent, TraceID: o.trace, Err: o.err}
	}
	started := time.Now()
	var written []report.Rendition
	var missing []string
	var removed []report.Removed
	for range overwrites {
		run := newRun(h, o, started)
		run.removed = removed
		result, failure := run.bringUpToDate(ctx)
		removed = run.removed
		if run.wasSlow(failure) {
			return run.slow(ctx, failure)
		}
		if failure != nil && failure.Class == report.Class(s3io.Changed) {
			written = run.inOrder()
			missing = run.missing(written)
			continue
		}
		if failure != nil || !result.Final() && result.Status != report.Deleted {
			return result, failure
		}
		written, missing = result.Renditions, nil
		if result.Final() {
			if err := run.putRecord(ctx, result); err != nil {
				return report.Result{}, newFailure(ctx, o, written, []string{naming.Record(o.key)}, err)
			}
		}
		if stands, err := run.stands(ctx, result); err != nil {
			return report.Result{}, newFailure(ctx, o, written, missing, err)
		} else if stands {
			return result, nil
		}
	}
	return report.Result{}, newFailure(ctx, o, written, missing, errOverwritten)
}

// bringUpToDate resizes the object as it is now, whatever the event says of it; if it is gone, what was made of it goes
// too, if the settings say so.
func (r *run) bringUpToDate(ctx context.Context) (report.Result, *report.Failure) {
	if r.object.skip != "" {
		return r.skipped(r.object.skip), nil
	}
	if r.object.removal != "" && !r.h.settings.Delete {
		return r.skipped(r.object.removal + ": what was made of it stays, as RESIZE_DELETE is off"), nil
	}
	if r.destination == r.object.bucket {
		return r.failed(ctx, errSameBucket)
	}
	body, err := r.h.store.Open(ctx, r.object.bucket, r.object.key)
	if err != nil {
		return r.failed(ctx, err)
	}
	defer body.Close()
	r.info = body.Info
	_, ours := report.LabelOf(body.Info)
	switch {
	case ours:
		return r.skipped("a rendition that we made"), nil
	case body.Size == 0 && strings.HasSuffix(r.object.key, "/"):
		return r.skipped("a folder marker"), nil
	case body.Size > r.h.settings.MaxBytes:
		return r.failed(ctx, &resize.Rejection{Class: resize.ClassTooLarge, Reason: fmt.Sprintf("%d bytes; the limit is %d", body.Size, r.h.settings.MaxBytes)})
	}

	if result, err := r.wasTooSlow(ctx); err != nil {
		return r.failed(ctx, err)
	} else if result.Status != "" {
		return result, nil
	}
	worked := r.working()
	source, err := resize.Open(ctx, r.reading(body), r.h.settings.Limits)
	worked()
	if err != nil {
		return r.failed(ctx, err)
	}
	defer source.Close()
	r.source = source
	if err := r.checkKeys(); err != nil {
		return r.failed(ctx, err)
	}
	if r.object.removal != "" || r.object.etag != "" && r.object.etag != body.ETag {
		if done, err := r.alreadyDone(ctx); err != nil {
			return r.failed(ctx, err)
		} else if done {
			return r.result(report.Superseded), nil
		}
	}
	worked = r.working()
	r.summary, err = source.Render(ctx, r.h.settings.Spec(), r.emit(ctx))
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
