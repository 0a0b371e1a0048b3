package backfill

import (
	"context"
	"iter"
	"strings"
	"time"

	"s3resizer/internal/naming"
	"s3resizer/s3io"
)

// Item is an object of the source, and what the listings tell of its commit record.
type Item struct {
	s3io.Listed
	Record Presence
	Again  bool // it failed before, or was being resized when a run was killed: it is done whatever its record says
}

// Presence tells whether there is a commit record, of whatever upload.
type Presence int

// What is known of a record.
const (
	Unknown Presence = iota
	Absent
	Present
)

// Listing gives all objects of a bucket whose keys begin with prefix and come after the key after, in the order of their
// UTF-8 bytes. One page is being fetched while another one is worked through; no more are held.
func Listing(ctx context.Context, store Store, bucket, prefix, after string) iter.Seq2[s3io.Listed, error] {
	type page struct {
		objects []s3io.Listed
		err     error
	}
	return func(yield func(s3io.Listed, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		pages := make(chan page)
		go func() {
			defer close(pages)
			for more := true; more; {
				var p page
				p.objects, more, p.err = listPage(ctx, store, bucket, prefix, after)
				if len(p.objects) > 0 {
					after = p.objects[len(p.objects)-1].Key
				}
				select {
				case pages <- p:
				case <-ctx.Done():
					return
				}
			}
		}()
		for p := range pages {
			if p.err != nil {
				yield(s3io.Listed{}, p.err)
				return
			}
			for _, object := range p.objects {
				if !yield(object, nil) {
					return
				}
			}
		}
	}
}

// listPage lists a page, patiently.
func listPage(ctx context.Context, store Store, bucket, prefix, after string) (objects []s3io.Listed, more bool, err error) {
	err = Patiently(ctx, func() error {
		objects, more, err = store.List(ctx, bucket, prefix, after)
		return err
	})
	return objects, more, err
}

// Patiently asks S3 again, for half a minute, for what it could not be asked for: a job of days should not end with that.
func Patiently(ctx context.Context, ask func() error) error {
	for pause := time.Second; ; pause *= 2 {
		err := ask()
		if s3io.ClassOf(err) != s3io.Transient || pause > longestPause || !sleep(ctx, pause) {
			return err
		}
	}
}

const longestPause = 16 * time.Second

// sleep waits, and tells whether it was for so long: ctx may end it.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// beside lays the listing of the records beside that of the source, and so tells of every object whether it has one, with
// no request for it.
//
// Both are in the order of their keys' bytes, but the records' have ".json" behind them, which is another order where
// one key begins with another: a, a-b, but a-b.json, a.json. See [inRecordOrder].
func beside(source, records iter.Seq2[s3io.Listed, error]) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		next, stop := iter.Pull2(records)
		defer stop()
		record, err, there := next()
		for object, failed := range inRecordOrder(source) {
			if failed != nil {
				yield(Item{}, failed)
				return
			}
			key := naming.Record(object.Key)
			for there && err == nil && record.Key < key { // of an object that is gone, or not asked for
				record, err, there = next()
			}
			if err != nil {
				yield(Item{}, err)
				return
			}
			item := Item{Listed: object, Record: Absent}
			if there && record.Key == key {
				item.Record = Present
			}
			if !yield(item, nil) {
				return
			}
		}
	}
}

// inRecordOrder gives objects that are in the order of their keys in that of their records' keys.
//
// An object can wait no longer than until its record's key is behind none of the keys that come: those of their records
// are longer still. Until then, what comes begins with its key (if it differed anywhere in there, it would be behind the
// record's key, too), and so do all that wait meanwhile with each other's, the last one being the first to go. A key of
// 1024 bytes has 1023 such beginnings: no more ever wait.
func inRecordOrder(objects iter.Seq2[s3io.Listed, error]) iter.Seq2[s3io.Listed, error] {
	return func(yield func(s3io.Listed, error) bool) {
		var waiting []s3io.Listed
		release := func(due func(s3io.Listed) bool) bool {
			for len(waiting) > 0 && due(waiting[len(waiting)-1]) {
				first := waiting[len(waiting)-1]
				waiting = waiting[:len(waiting)-1]
				if !yield(first, nil) {
					return false
				}
			}
			return true
		}
		for object, err := range objects {
			if err != nil {
				yield(s3io.Listed{}, err)
				return
			}
			if !release(func(w s3io.Listed) bool {
				return !strings.HasPrefix(object.Key, w.Key) || naming.Record(w.Key) <= naming.Records+object.Key
			}) {
				return
			}
			waiting = append(waiting, object)
		}
		release(func(s3io.Listed) bool { return true })
	}
}
