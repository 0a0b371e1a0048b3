package handler

import (
	"cmp"
	"context"
	"errors"

	"s3resizer/internal/naming"
	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// With RESIZE_ORIGINAL=delete nothing can be made anew of an upload that is done. A run that is slow must not write over what
// a newer upload has become, as it otherwise may, because the record tells it so and it goes again: by then the newer source is
// gone. So each rendition replaces only what stood there while the source was still what was read, and a rejection only such a
// record.
//
// As long as a source is there it is not done, whatever its record says: who wrote that has died, or is about to delete it.

// lookAtPlaces asks what stands where the renditions are to be, if the source is to be deleted, and whether that is still the
// upload which is being resized.
func (r *run) lookAtPlaces(ctx context.Context) {
	if !r.settings.DeleteOriginal {
		return
	}
	r.names.Go(func() error {
		if err := r.record.Wait(); err != nil {
			return err
		}
		r.places = map[string]string{}
		for _, key := range r.outputs() {
			if key == naming.Record(r.object.key) {
				continue
			}
			info, err := r.h.store.Head(ctx, r.destination, key)
			if err != nil && s3io.ClassOf(err) != s3io.NotFound {
				return err
			}
			r.places[key] = cmp.Or(info.ETag, s3io.Nothing)
		}
		return r.holds(ctx)
	})
}

// holds returns an error of the class [s3io.Changed] if the source is not what was read any more. So what was seen in the
// destination before stood there while it was.
func (r *run) holds(ctx context.Context) error {
	newest, err := r.h.store.Head(ctx, r.object.bucket, r.object.key)
	if s3io.ClassOf(err) == s3io.NotFound || err == nil && newest.ETag != r.info.ETag {
		return &s3io.Error{Class: s3io.Changed, Op: "head", Bucket: r.object.bucket, Key: r.object.key, Err: errors.New("it was overwritten or removed before anything was written")}
	}
	return err
}

// madeBeside returns the ETag of a rendition that could not be written because another one stands there by now, if that one is
// the same: from a run beside this one, or from this one, and its answer was lost. Otherwise it returns the error.
func (r *run) madeBeside(ctx context.Context, key string, refused error) (etag string, err error) {
	there, err := r.h.store.Head(ctx, r.destination, key)
	if err != nil || !r.upToDate(there) {
		return "", refused
	}
	return there.ETag, nil
}

// kept reports whether a record says that it was us who deleted what the set is of: the source or, if that was rejected, the one
// before.
func (r *run) kept(recorded report.Result, info s3io.Info) bool {
	return recorded.Kept() != nil && made(info, r.object)
}

// keptMeanwhile reports whether what was just seen of a source that is gone may be of an upload that came meanwhile, was resized
// and deleted. The error is of the class [s3io.Changed] if the source is there again.
func (r *run) keptMeanwhile(ctx context.Context) (bool, error) {
	if !r.settings.DeleteOriginal {
		return false, nil
	}
	_, err := r.h.store.Head(ctx, r.object.bucket, r.object.key)
	if err == nil {
		err = &s3io.Error{Class: s3io.Changed, Op: "head", Bucket: r.object.bucket, Key: r.object.key, Err: errors.New("it is there again")}
	}
	if s3io.ClassOf(err) != s3io.NotFound {
		return false, err
	}
	recorded, info, err := r.readRecord(ctx)
	return r.kept(recorded, info), err
}

// deleteOriginal deletes the source, if it still is what was read, and reports whether it was.
func (r *run) deleteOriginal(ctx context.Context) (bool, error) {
	err := r.h.store.Delete(ctx, r.object.bucket, r.object.key, r.info.ETag)
	if s3io.ClassOf(err) == s3io.Changed {
		return false, nil
	}
	return err == nil, err
}
