package handler

import (
	"context"
	"slices"

	"s3resizer/internal/naming"
	"s3resizer/internal/report"
	"s3resizer/resize"
	"s3resizer/s3io"
)

// gone is the result for a source that is not there. What was made of it stays or goes as the settings say; but it stays if it
// was us who deleted what it was made of, which the record says and an event of the removal does not.
func (r *run) gone(ctx context.Context) (report.Result, error) {
	if !r.settings.Delete && !r.settings.DeleteOriginal {
		return r.result(report.Gone), nil
	}
	recorded, info, err := r.readRecord(ctx)
	switch {
	case err != nil:
		return report.Result{}, err
	case r.kept(recorded, info):
		return r.skipped(keptReason), nil
	case r.settings.Delete:
		return r.remove(ctx, recorded)
	default:
		return r.result(report.Gone), nil
	}
}

const keptReason = "what was made of it stays: the original was deleted, as RESIZE_ORIGINAL said"

// remove takes away what was made of a source that is gone: of every rendition and of the record those that say of
// themselves that they are ours and of this source. The record goes last, because it may name what nothing else does;
// who comes after a run that died half-way reads it again.
//
// Each is removed only if it still is what was looked at. That spares the renditions of an upload that comes meanwhile,
// with an S3 that keeps to it; nothing depends on it, see [Handler.object].
func (r *run) remove(ctx context.Context, recorded report.Result) (report.Result, error) {
	for _, key := range r.removable(recorded) {
		info, err := r.h.store.Head(ctx, r.destination, key)
		if s3io.ClassOf(err) == s3io.NotFound || err == nil && !made(info, r.object) {
			continue
		}
		kept := false
		if err == nil {
			kept, err = r.keptMeanwhile(ctx)
		}
		if kept {
			return r.skipped(keptReason), nil
		}
		if err == nil {
			err = r.h.store.Delete(ctx, r.destination, key, info.ETag)
		}
		if err != nil {
			return report.Result{}, err
		}
		r.removed = append(r.removed, report.Removed{Bucket: r.destination, Key: key})
	}
	if len(r.removed) == 0 {
		return r.result(report.Gone), nil
	}
	out := r.result(report.Deleted)
	out.Removed = r.removed
	return out, nil
}

// removable lists the keys of what may have been made of the source, which can't tell its format any more: under the
// settings as they are, of any format, and what the record names.
func (r *run) removable(recorded report.Result) []string {
	var keys []string
	add := func(key string) {
		if len(key) <= naming.MaxKey && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	for _, format := range resize.Formats() {
		for _, alpha := range []bool{false, true} {
			source := resize.Source{Format: format, Alpha: alpha}
			for _, size := range r.settings.Sizes {
				for _, output := range source.Outputs(r.settings.Formats) {
					add(r.settings.Key.For(r.object.key, size.Name, output.Appended(format)))
				}
			}
		}
	}
	sets := [][]report.Rendition{recorded.Renditions}
	if recorded.Previous != nil {
		sets = append(sets, recorded.Previous.Renditions)
	}
	for _, rendition := range slices.Concat(sets...) {
		if rendition.Bucket == r.destination && rendition.Key != "" {
			add(rendition.Key)
		}
	}
	add(naming.SlowNote(r.object.key))
	record := naming.Record(r.object.key)
	keys = slices.DeleteFunc(keys, func(key string) bool { return key == record })
	add(record)
	return keys
}

// readRecord returns the commit record of the object, and the object that it is itself, or nothing if there is none.
func (r *run) readRecord(ctx context.Context) (report.Result, s3io.Info, error) {
	if !naming.HasRecord(r.object.key) {
		return report.Result{}, s3io.Info{}, nil
	}
	record, info, err := report.Read(ctx, r.h.store, r.destination, r.object.key)
	if s3io.ClassOf(err) == s3io.NotFound {
		return report.Result{}, s3io.Info{}, nil
	}
	return record, info, err
}

// made reports whether an object says that it was made of the source.
func made(output s3io.Info, o object) bool {
	label, _ := report.LabelOf(output)
	return label.Names(o.bucket, o.key)
}
