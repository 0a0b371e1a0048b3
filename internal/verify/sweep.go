package verify

import (
	"context"
	"iter"
	"slices"
	"strings"

	"s3resizer/internal/backfill"
	"s3resizer/internal/naming"
	"s3resizer/resize"
	"s3resizer/s3io"
)

// subject is something to look at. One field is set.
type subject struct {
	original *original    // an object of the source
	stray    *s3io.Listed // an object of the destination that has no original by its name
}

// original is an object of the source, and what the destination has under the names that its renditions may have.
type original struct {
	s3io.Listed
	found   map[string]found // by key
	claimed map[string]bool  // keys of its set

	rejected   bool
	renditions int64 // that were looked at
}

// found is an object of the destination.
type found struct {
	s3io.Listed
	// closest tells that no other original's name is more like it. For one that is nobody's, that one answers.
	closest bool
}

// listing is one of the bucket's, and where in it stands what.
type listing struct {
	next    func() (s3io.Listed, error, bool)
	stop    func()
	before  string   // what its keys have before that of the original
	endings []string // what they may have behind it
	ours    bool     // it is the source's: its keys are the originals'

	object s3io.Listed // the first one that was not worked through
	there  bool
}

func (l *listing) advance() (err error) {
	l.object, err, l.there = l.next()
	return err
}

// name is the key without what stands before the original's.
func (l *listing) name() string { return l.object.Key[len(l.before):] }

// extensions are what may stand behind an original's key in that of a rendition.
func extensions() []string {
	endings := []string{""}
	for _, format := range resize.Formats() {
		endings = append(endings, format.Extension())
	}
	return endings
}

// sweep gives all originals, each with what was found under its names, and what was found under none.
//
// The listings of the source, of the records and, where the template allows it, of each size are read side by side, in
// the order of the originals' keys and what stands behind them. An original is complete when nothing more can come that
// is its key with an ending: not before the last ending, and until then everything that comes begins with its key, so
// that those which wait are beginnings of one another. A key of 1024 bytes has no more than 1023.
func (v *Verification) sweep(ctx context.Context) iter.Seq2[subject, error] {
	return func(yield func(subject, error) bool) {
		listings := v.listings(ctx)
		defer func() {
			for _, l := range listings {
				l.stop()
			}
		}()
		var last string // of all endings
		for _, l := range listings {
			last = max(last, slices.Max(l.endings))
			if err := l.advance(); err != nil {
				yield(subject{}, err)
				return
			}
		}
		var waiting []*original
		for l := first(listings); l != nil; l = first(listings) {
			over := func(o *original) bool { return !strings.HasPrefix(l.name(), o.Key) || l.name() > o.Key+last }
			for n := len(waiting); n > 0 && over(waiting[n-1]); n-- {
				if !yield(subject{original: waiting[n-1]}, nil) {
					return
				}
				waiting = waiting[:n-1]
			}
			object := l.object
			switch {
			case l.ours && !backfill.FolderMarker(object):
				waiting = append(waiting, &original{Listed: object, found: map[string]found{}})
			case !l.ours && !l.belongs(waiting):
				if !yield(subject{stray: &object}, nil) {
					return
				}
			}
			if err := l.advance(); err != nil {
				yield(subject{}, err)
				return
			}
		}
		for _, original := range slices.Backward(waiting) {
			if !yield(subject{original: original}, nil) {
				return
			}
		}
	}
}

// first returns the listing whose object comes first; of two, that of the source.
func first(listings []*listing) *listing {
	var first *listing
	for _, l := range listings {
		if l.there && (first == nil || l.name() < first.name()) {
			first = l
		}
	}
	return first
}

// belongs gives an object to the originals whose it may be, and tells whether there are any.
func (l *listing) belongs(waiting []*original) bool {
	closest := true
	for _, original := range slices.Backward(waiting) {
		if ending, ok := strings.CutPrefix(l.name(), original.Key); ok && slices.Contains(l.endings, ending) {
			original.found[l.object.Key] = found{l.object, closest}
			closest = false
		}
	}
	return !closest
}

// listings are those that can be read side by side, the source's first.
func (v *Verification) listings(ctx context.Context) []*listing {
	of := func(bucket, before string, endings []string) *listing {
		next, stop := iter.Pull2(backfill.Listing(ctx, v.Store, bucket, before+v.Prefix, ""))
		return &listing{next: next, stop: stop, before: before, endings: endings, ours: bucket == v.Bucket}
	}
	records := naming.Record("")[len(naming.Records):]
	all := []*listing{of(v.Bucket, "", []string{""}), of(v.destination, naming.Records, []string{records}), of(v.destination, naming.SlowNotes, []string{""})}
	folders, _ := v.sizeFolders()
	for _, before := range folders {
		all = append(all, of(v.destination, before, extensions()))
	}
	return all
}

// sizeFolders are what the renditions' keys have before those of their originals, a size each, and whether those are all
// that there may be: a template that puts anything else around the original's key has none.
func (v *Verification) sizeFolders() (folders []string, all bool) {
	all = true
	for _, settings := range v.Settings.Within(v.Prefix) {
		for _, size := range settings.Sizes {
			before, only := settings.Key.Before(size.Name)
			all = all && only
			if only && !slices.Contains(folders, before) {
				folders = append(folders, before)
			}
		}
	}
	for _, folder := range folders {
		if slices.ContainsFunc(folders, func(other string) bool { return other != folder && strings.HasPrefix(other, folder) }) {
			return nil, false // of two profiles; listed side by side, the inner one's would come twice
		}
	}
	return folders, all
}

// rest gives what else there is in the destination: with a template whose sizes stand first, everything outside of the
// listings above; with another one, all but the records. With a prefix, it is what may be of it.
func (v *Verification) rest(ctx context.Context) iter.Seq2[subject, error] {
	return func(yield func(subject, error) bool) {
		folders, all := v.sizeFolders()
		if v.Prefix != "" && all {
			return // the sizes' own folders are all that can be told of by the prefix
		}
		swept, prefix := slices.Concat(folders, []string{naming.Records, naming.SlowNotes}), ""
		if v.Prefix != "" {
			prefix = v.commonFolder()
		}
		for after, more := "", true; more; {
			more = false
			for object, err := range backfill.Listing(ctx, v.Store, v.destination, prefix, after) {
				i := slices.IndexFunc(swept, func(folder string) bool { return strings.HasPrefix(object.Key, folder) })
				if err == nil && i >= 0 {
					after = swept[i] + behind
					swept = slices.Delete(swept, i, i+1)
					more = true
					break
				}
				if !yield(subject{stray: &object}, err) {
					return
				}
			}
		}
	}
}

// commonFolder is what the keys of all renditions begin with, as far as the templates and the prefix tell.
func (v *Verification) commonFolder() string {
	var folders []string
	for _, settings := range v.Settings.Within(v.Prefix) {
		folders = append(folders, settings.Key.Folder(v.Prefix))
	}
	if slices.Max(folders) != slices.Min(folders) {
		return ""
	}
	return folders[0]
}

// behind comes after everything that is added to a key, but for itself: no character is above it.
const behind = "\U0010FFFF"
