package handler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"s3resizer/internal/naming"
	"s3resizer/internal/report"
	"s3resizer/resize"
	"s3resizer/s3io"
)

// A picture that takes all the time there is will do so again, and would be tried until the dead letters, at the price of a
// whole invocation each time. The first time is noted in an object of its own, which an ordinary upload neither asks for nor
// writes; the second time, the upload is rejected. It is not rejected at once, because a machine may have a bad minute. The
// event that tells of it may come once more even so, since a process in which something goes on that can't be stopped answers
// with an error, and ends: then it finds the rejection, without looking at the picture.
//
// The note stays. It says the same of the same upload again, goes with its source, and not every function may remove anything.

// anew is the age of an event that has not come for the first time, or a little less: Lambda tries again after a minute.
const anew = 50 * time.Second

// wasTooSlow returns the rejection of an upload that was too slow, as its record has it, if its event may have come before; else
// a result with no status. (Of a direct call, nobody knows.) Only a record of that very upload is read; it stays as it is.
func (r *run) wasTooSlow(ctx context.Context) (report.Result, error) {
	if !r.recorded() || !r.object.raised.IsZero() && time.Since(r.object.raised) < anew {
		return report.Result{}, nil
	}
	ofThis := func(record s3io.Info) bool {
		return made(record, r.object) && report.MadeOf(record, r.info.ETag, r.fingerprint)
	}
	if err := r.record.Wait(); err != nil || !ofThis(r.standing) {
		return report.Result{}, err
	}
	record, info, err := r.readRecord(ctx)
	if err != nil || record.Class != report.ClassTooSlow || !ofThis(info) {
		return report.Result{}, err
	}
	if record.Previous != nil {
		if whole, err := r.setInPlace(ctx, record.Previous); err != nil || !whole {
			return report.Result{}, err
		}
	}
	r.told = true
	return record, nil
}

// own is how much of the invocation's time a picture must have had for itself, without waiting for S3, to be what was slow.
const own = 0.75

// working counts how long a picture takes, from here to the call of what it returns.
func (r *run) working() (done func()) {
	begun := time.Now()
	return func() { r.worked += time.Since(begun) }
}

// waiting counts how long S3 takes.
func (r *run) waiting() (done func()) {
	begun := time.Now()
	return func() { r.waited.Add(int64(time.Since(begun))) }
}

// wasSlow reports whether the work ended at the deadline because of the picture's own bytes.
func (r *run) wasSlow(failure *report.Failure) bool {
	return failure != nil && failure.Class == report.ClassDeadline && r.object.allowed > 0 && r.recorded() &&
		(r.worked-time.Duration(r.waited.Load())).Seconds() >= own*r.object.allowed.Seconds()
}

// slow turns the failure of a slow picture into its rejection, if it was slow before, and else takes a note of it. It has the
// most of the margin for that, and if it is of no avail, the failure remains.
func (r *run) slow(ctx context.Context, failure *report.Failure) (report.Result, *report.Failure) {
	deadline, _ := ctx.Deadline()
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline.Add(r.settings.DeadlineMargin*3/4))
	defer cancel()
	key := naming.SlowNote(r.object.key)
	note, err := r.h.store.Head(ctx, r.destination, key)
	switch {
	case err == nil && made(note, r.object) && report.MadeOf(note, r.info.ETag, r.fingerprint):
		result, err := r.tooSlow(ctx)
		if err == nil && result.Status == report.Rejected {
			return result, nil
		}
		failure.Err = errors.Join(failure.Err, err)
	case err == nil || s3io.ClassOf(err) == s3io.NotFound:
		_, err = r.write(ctx, s3io.Upload{
			Bucket: r.destination, Key: key, ContentType: "text/plain", Metadata: r.label().Metadata(),
			Data: []byte("Once, this picture took all the time that there was to resize it. It is rejected if it does so again.\n"),
		})
		failure.Err = errors.Join(failure.Err, err)
	default:
		failure.Err = errors.Join(failure.Err, err)
	}
	return report.Result{}, failure
}

// tooSlow rejects the upload. The result has no status if the upload was resized before, under the same settings, or is not
// the newest any more.
func (r *run) tooSlow(ctx context.Context) (report.Result, error) {
	result, failure := r.failed(ctx, &resize.Rejection{Class: resize.Class(report.ClassTooSlow), Reason: fmt.Sprintf(
		"resizing it took all of the %v that there were, twice", r.object.allowed.Round(time.Second/10))})
	if failure != nil {
		return report.Result{}, failure.Err
	}
	if result.Status != report.Rejected { // but found resized
		return report.Result{}, nil
	}
	if err := r.putRecord(ctx, result); err != nil {
		return report.Result{}, err
	}
	if stands, err := r.stands(ctx, result); err != nil || !stands {
		return report.Result{}, err
	}
	return result, nil
}
