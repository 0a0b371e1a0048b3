package verify

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"s3resizer/internal/naming"
	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// lookAtStray looks at an object of the destination that no original's set has. It is a finding only if it says itself that
// it is ours and of this source, and if its name may be one that a template gave it: whatever else somebody keeps in the
// bucket, copies of renditions too, is not ours to judge.
func (v *Verification) lookAtStray(ctx context.Context, object s3io.Listed) error {
	info, err := v.head(ctx, v.destination, object.Key)
	if s3io.ClassOf(err) == s3io.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	label, _ := report.LabelOf(info)
	key := v.originalOf(object.Key, label)
	if key == "" || !plausible(object.Key, key, label) {
		v.count(func(p *Progress) { p.NotOurs++ })
		return nil
	}
	if !strings.HasPrefix(key, v.Prefix) {
		return nil
	}
	source, err := v.head(ctx, v.Bucket, key)
	switch {
	case s3io.ClassOf(err) == s3io.NotFound:
		return v.lookAtLeft(ctx, info, key, label)
	case err != nil:
		return err
	case v.Settings.For(key).Skip: // what was made of it before it was skipped is left alone, like the original
		return nil
	case report.MadeOf(info, source.ETag, v.fingerprint(key)): // it came meanwhile, or is looked at with its original
		return nil
	}
	record, _, err := v.record(ctx, key)
	if s3io.ClassOf(err) == s3io.NotFound || err == nil && record.Source.ETag != source.ETag {
		return nil // which renditions the original should have is not known before its set is made anew
	}
	if err != nil {
		return err
	}
	set, _, _ := v.set(record, &original{Listed: s3io.Listed{Key: key, ETag: source.ETag}})
	if object.Key == naming.Record(key) || object.Key == naming.SlowNote(key) || slices.ContainsFunc(set, func(r report.Rendition) bool { return r.Key == object.Key }) {
		return nil // looked at with its original
	}
	reason := fmt.Sprintf("it is of the upload %s and the settings %s; the newest set has no such rendition", label.ETag, label.Settings)
	v.tell(Finding{Leftover, object.Key, key, reason, info.ETag, info.Size})
	return nil
}

// lookAtLeft looks at what was made of an original that is gone: an orphan, unless the record says that it was us who deleted
// the original. Then the set is looked at once, with its record, and what it does not name is left over.
func (v *Verification) lookAtLeft(ctx context.Context, info s3io.Info, key string, label report.Label) error {
	set, err := v.kept(ctx, key)
	if err != nil {
		return err
	}
	if set == nil {
		v.tell(Finding{Orphan, info.Key, key, fmt.Sprintf("s3://%s/%s is gone", v.Bucket, key), info.ETag, info.Size})
		return nil
	}
	named := slices.ContainsFunc(set.Renditions, func(r report.Rendition) bool { return r.Key == info.Key })
	switch {
	case info.Key == naming.Record(key):
		return v.lookAtKept(ctx, set)
	case !named && info.Key != naming.SlowNote(key):
		reason := fmt.Sprintf("it is of the upload %s and the settings %s; the set that is kept has no such rendition", label.ETag, label.Settings)
		v.tell(Finding{Leftover, info.Key, key, reason, info.ETag, info.Size})
	}
	return nil
}

// kept returns the set of an original that we have deleted, or nil.
func (v *Verification) kept(ctx context.Context, key string) (*report.Set, error) {
	record, info, err := v.record(ctx, key)
	label, _ := report.LabelOf(info)
	if s3io.ClassOf(err) == s3io.NotFound || err == nil && !label.Names(v.Bucket, key) {
		return nil, nil
	}
	return record.Kept(), err
}

// lookAtKept looks at the set of an original that we have deleted. What is wrong with it can't be made anew.
func (v *Verification) lookAtKept(ctx context.Context, set *report.Set) error {
	for _, want := range set.Renditions {
		finding, err := v.rendition(ctx, want, set.Source.Key, set.Source.ETag, "", true)
		if err != nil {
			return err
		}
		if finding.Kind != "" {
			finding.Kind, finding.Reason = Lost, finding.Reason+"; and the original was deleted, as RESIZE_ORIGINAL said"
			v.tell(finding)
		}
	}
	v.count(func(p *Progress) {
		p.Kept++
		p.Renditions += int64(len(set.Renditions))
	})
	return nil
}

// originalOf returns the key of what an object was made of, or "" if that is not known to be of this bucket. Where the
// label has no room for all of a key, that has to be in the object's own name.
func (v *Verification) originalOf(object string, label report.Label) string {
	candidates := []string{label.Key(v.Bucket), naming.Recorded(object), strings.TrimPrefix(object, naming.SlowNotes)}
	folders, _ := v.sizeFolders()
	for _, folder := range folders {
		if name, ok := strings.CutPrefix(object, folder); ok {
			for _, ending := range extensions() {
				candidates = append(candidates, strings.TrimSuffix(name, ending))
			}
		}
	}
	for _, key := range candidates {
		if key != "" && label.Names(v.Bucket, key) {
			return key
		}
	}
	return ""
}

// plausible tells whether an object with the label may have been given its name by a template: every one has the size and
// all parts of the original's key in it.
func plausible(key, original string, label report.Label) bool {
	if label.Size == "" {
		return key == naming.Record(original) || key == naming.SlowNote(original)
	}
	if !strings.Contains(key, label.Size) {
		return false
	}
	slash := strings.LastIndex(original, "/") + 1
	dot := strings.LastIndex(original, ".")
	if dot < slash {
		dot = len(original)
	}
	for _, part := range []string{original[:slash], original[slash:dot], original[dot:]} { // in that order
		at := strings.Index(key, part)
		if at < 0 {
			return false
		}
		key = key[at+len(part):]
	}
	return true
}

// Remove removes an orphan. It returns false if there is no reason to any more: its original, or another object in its
// place, has come meanwhile.
//
// The original is asked for right before. An upload may still come between that and the removal, and be done: so the
// original is asked for once more afterwards, and if it is there then, it is returned: its set has to be made anew. So the
// end of ctx comes too late once the removal has begun.
func (v *Verification) Remove(ctx context.Context, orphan Finding) (removed bool, back *s3io.Listed, err error) {
	if _, err := v.head(ctx, v.Bucket, orphan.Original); s3io.ClassOf(err) != s3io.NotFound {
		return false, nil, err
	}
	if set, err := v.kept(ctx, orphan.Original); err != nil || set != nil {
		return false, nil, err // it came, was resized, and was deleted
	}
	if err := ctx.Err(); err != nil {
		return false, nil, err
	}
	ctx = context.WithoutCancel(ctx)
	err = v.Store.Delete(ctx, v.destination, orphan.Key, orphan.ETag)
	if s3io.ClassOf(err) == s3io.Changed {
		return false, nil, nil
	}
	info, gone := v.head(ctx, v.Bucket, orphan.Original)
	if gone == nil { // whatever came of the removal
		back = &s3io.Listed{Key: info.Key, ETag: info.ETag, Size: info.Size}
	} else if s3io.ClassOf(gone) != s3io.NotFound {
		err = cmp.Or(err, gone)
	}
	return err == nil, back, err
}
