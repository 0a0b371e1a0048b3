package backfill

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"s3resizer/internal/naming"
	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// lookers is how many records are asked for at once. A HEAD takes some 20 ms: that makes up to 800 a second.
const lookers = 16

// each calls do, jobs at a time, for those of the items that there is something to do for. It ends early when ctx does.
func (b *Backfill) each(ctx context.Context, items iter.Seq2[Item, error], jobs int, do func(context.Context, Item) error) error {
	group, ctx := errgroup.WithContext(ctx)
	found, todo := make(chan Item), make(chan Item)
	group.Go(func() error {
		defer close(found)
		for item, err := range items {
			if err != nil {
				return err
			}
			if !send(ctx, found, item) {
				break
			}
		}
		return ctx.Err()
	})
	var looking sync.WaitGroup
	looking.Add(lookers)
	for range lookers {
		group.Go(func() error {
			defer looking.Done()
			return b.look(ctx, found, todo)
		})
	}
	group.Go(func() error {
		looking.Wait()
		close(todo)
		return nil
	})
	for range jobs {
		group.Go(func() error {
			for item := range todo {
				if ctx.Err() != nil {
					break
				}
				if err := do(ctx, item); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	return group.Wait()
}

func send(ctx context.Context, to chan<- Item, item Item) bool {
	select {
	case to <- item:
		return true
	case <-ctx.Done():
		return false
	}
}

// look hands on what there is something to do for.
func (b *Backfill) look(ctx context.Context, found <-chan Item, todo chan<- Item) error {
	for item := range found {
		due, err := b.due(ctx, item)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			if err := b.failed(item, FailureOf(err)); err != nil {
				return err
			}
		case !due:
			b.state.pass(item.Listed)
			b.tick(item)
		case !send(ctx, todo, item):
			return ctx.Err()
		}
	}
	return nil
}

// due tells whether an object is to be done. Where its record is asked for, that takes one HEAD.
func (b *Backfill) due(ctx context.Context, item Item) (bool, error) {
	switch {
	case b.Only == All || item.Again:
		return true, nil
	case item.Record == Absent:
		return b.Only != Stale, nil
	case item.Record == Present && b.Only == Missing:
		return false, nil
	}
	var record s3io.Info
	err := Patiently(ctx, func() (err error) {
		record, err = b.Store.Head(ctx, b.Destination, naming.Record(item.Key))
		return err
	})
	switch {
	case s3io.ClassOf(err) == s3io.NotFound:
		return b.Only != Stale, nil
	case err != nil:
		return false, err
	default:
		return b.Only != Missing && !report.MadeOf(record, item.ETag, b.fingerprint(item.Key)), nil
	}
}

// attempts is how often an object is tried whose failure may pass, as Lambda does.
const attempts = 3

// resize does one object. What is begun is finished, even if ctx ends; between two attempts it is given up, and is then
// pending for the next run.
func (b *Backfill) resize(ctx context.Context, item Item) error {
	if err := b.state.start(item.Listed); err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		result, err := b.Resizer.Resize(context.WithoutCancel(ctx), b.Bucket, item.Key)
		var failure *Failure
		switch {
		case err == nil:
			return b.finished(item, result)
		case !errors.As(err, &failure):
			return err
		case failure.Fatal && attempt < attempts && b.replaced(ctx, &item):
			continue // it was another upload that the process died of, maybe in the middle of its set
		case !failure.Temporary || attempt == attempts:
			return b.failed(item, *failure)
		case !sleep(ctx, time.Second<<(2*(attempt-1))):
			return ctx.Err()
		}
	}
}

// replaced reports whether another object is in the place of the one that was listed, and makes it the item's.
func (b *Backfill) replaced(ctx context.Context, item *Item) bool {
	now, err := b.Store.Head(ctx, b.Bucket, item.Key)
	if err != nil || item.ETag == "" || now.ETag == item.ETag {
		return false
	}
	item.ETag, item.Size = now.ETag, now.Size
	return true
}

func (b *Backfill) finished(item Item, r report.Result) error {
	o := Outcome{Key: item.Key, Bytes: item.Size, Status: Status(r.Status)}
	if r.Status == report.Rejected {
		o.Class, o.Reason = r.Class, r.Reason
		b.tell(o)
	}
	b.tick(item)
	b.mu.Lock()
	b.inARow = 0
	b.mu.Unlock()
	return b.state.finish(o)
}

// The failures with which a run ends: so many one behind the other have the same cause, most likely, and so many in all
// should be looked at before there are more.
const (
	maxInARow   = 20
	maxFailures = 10_000
)

func (b *Backfill) failed(item Item, f Failure) error {
	o := Outcome{Key: item.Key, Bytes: item.Size, Status: Failed, Class: f.Class, Reason: f.Reason}
	if f.Fatal {
		o.Status = Quarantined
	}
	b.tell(o)
	b.tick(item)
	if err := b.state.finish(o); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inARow++
	b.failures++
	if b.inARow >= maxInARow || b.failures >= maxFailures {
		return &StoppedError{InARow: b.inARow, Failures: b.failures, Last: f}
	}
	return nil
}

func (b *Backfill) tell(o Outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.NotResized != nil {
		b.NotResized(o)
	}
}

func (b *Backfill) tick(item Item) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done = b.done.plus(1, item.Size)
}

// StoppedError says that so much failed that it was of no use to go on.
type StoppedError struct {
	InARow, Failures int
	Last             Failure
}

func (e *StoppedError) Error() string {
	if e.InARow >= maxInARow {
		return fmt.Sprintf("stopped, because %d pictures in a row failed; the last one: %v", e.InARow, &e.Last)
	}
	return fmt.Sprintf("stopped, because %d pictures failed; the last one: %v", e.Failures, &e.Last)
}
