// Package backfill does the pictures that are in a bucket already: those that have no renditions, and those whose
// renditions are of an older upload or of older settings.
//
// The one idea: what is left to do is told by two listings that are laid side by side, the source's and that of the commit
// records, which S3 gives in the same order. An object without a record costs no request; one that has a record costs a
// HEAD, because only the record's metadata says of which upload and of which settings it is. (That it is newer than the
// object proves nothing: S3 dates a large upload from its beginning, and a record may have been written for the upload
// before, by a run that is about to look again.) The listings are read as fast as the work goes on, so that what is in
// memory are the pictures being worked on and what has failed, however many there are.
//
// What is then done is the function's own handler, in processes of their own ([Workers]), so that a codec that crashes
// takes one picture with it. It does not look at the renditions themselves, which verifying them does.
package backfill

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"s3resizer/internal/naming"
	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// Store is what is needed of S3 beside the work itself. Its errors are [*s3io.Error].
type Store interface {
	// List returns a page of the objects whose keys begin with prefix and come after the key after, in the order of
	// their bytes, and whether more follow.
	List(ctx context.Context, bucket, prefix, after string) (page []s3io.Listed, more bool, err error)
	// Head describes an object.
	Head(ctx context.Context, bucket, key string) (s3io.Info, error)
}

// Resizer does one object, as the function does when it is called with {"bucket","key"}. It is called by several at once.
// Its error is a [*Failure], or any other one if it can do nothing at all.
type Resizer interface {
	Resize(ctx context.Context, bucket, key string) (report.Result, error)
}

// Options are those of a run.
type Options struct {
	Job
	Store   Store
	Resizer Resizer
	Jobs    int // objects that are worked on at once
	// State is the file that a run leaves for the next one, or "".
	State            string
	RetryQuarantined bool
	// NotResized, if set, is told of each object that was rejected, failed, or is quarantined now. One call at a time.
	NotResized func(Outcome)
}

// Backfill is a job, as far as it has come.
type Backfill struct {
	Options
	state *state

	mu       sync.Mutex
	counted  Count // of the whole listing, so far
	whole    bool  // that is all
	done     Count // by this run, whatever came of it
	inARow   int   // failures
	failures int   // of this run
	started  time.Time
}

// Open prepares a run. What the state file says of an earlier one is taken up; that of another job is an [*OtherJobError].
func Open(o Options) (*Backfill, error) {
	state, err := openState(o.State, o.Job, false)
	if err != nil {
		return nil, err
	}
	return &Backfill{Options: o, state: state}, nil
}

// Run does what is left to do. When ctx ends, nothing more is begun, what is being worked on is finished, and the error
// is that of ctx. Objects that fail are no error of Run's, unless so many do that it is of no use to go on: a
// [*StoppedError].
func (b *Backfill) Run(ctx context.Context) error {
	first, err := b.state.begin(b.RetryQuarantined)
	if err != nil {
		return err
	}
	b.start()
	group, ctx := errgroup.WithContext(ctx)
	counting, counted := context.WithCancel(ctx)
	group.Go(func() error { return b.count(counting) })
	group.Go(func() error { return b.keep(counting) })
	group.Go(func() error {
		defer counted()
		return b.each(ctx, b.left(ctx, first), b.Jobs, b.resize)
	})
	err = group.Wait()
	return errors.Join(err, b.state.end(err == nil))
}

// Redo does the objects that are given, whatever their records say, instead of what is left to do. Otherwise it is as Run.
func (b *Backfill) Redo(ctx context.Context, objects iter.Seq[s3io.Listed]) error {
	b.start()
	items := func(yield func(Item, error) bool) {
		for object := range objects {
			if !yield(Item{Listed: object, Again: true}, nil) {
				return
			}
		}
	}
	return b.each(ctx, items, b.Jobs, b.resize)
}

func (b *Backfill) start() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.started = time.Now()
}

// keep brings the state file up to date every few seconds.
func (b *Backfill) keep(ctx context.Context) error {
	for sleep(ctx, checkpointEvery) {
		if err := b.state.checkpoint(); err != nil {
			return err
		}
	}
	return nil
}

const checkpointEvery = 5 * time.Second

// left gives all objects that there may be something to do for: first, and then what is left of the listing.
func (b *Backfill) left(ctx context.Context, first []Item) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for _, item := range first {
			if !yield(item, nil) {
				return
			}
		}
		if b.state.current.Listed {
			return
		}
		for item, err := range b.listed(ctx, b.state.current.Position) {
			if !yield(item, err) {
				return
			}
		}
	}
}

// listed gives what comes behind a key.
func (b *Backfill) listed(ctx context.Context, after string) iter.Seq2[Item, error] {
	source := b.noted(Listing(ctx, b.Store, b.Bucket, b.Prefix, after))
	if b.Only == All { // whatever there is
		return func(yield func(Item, error) bool) {
			for object, err := range source {
				if !yield(Item{Listed: object}, err) {
					return
				}
			}
		}
	}
	// A record's key is its object's and more, so that none is left out.
	start := ""
	if after != "" {
		start = naming.Records + after
	}
	return beside(source, Listing(ctx, b.Store, b.Destination, naming.Records+b.Prefix, start))
}

// noted gives what the job is about of a listing of the source, and keeps the state at its side.
func (b *Backfill) noted(objects iter.Seq2[s3io.Listed, error]) iter.Seq2[s3io.Listed, error] {
	return func(yield func(s3io.Listed, error) bool) {
		for object, err := range objects {
			if err == nil && (!b.wants(object) || !b.state.read(object)) {
				continue
			}
			if !yield(object, err) {
				return
			}
		}
	}
}

// wants tells whether the job is about an object, as far as the listing tells.
func (b *Backfill) wants(object s3io.Listed) bool {
	return !FolderMarker(object) && !object.Modified.Before(b.Since)
}

// FolderMarker tells whether an object only stands for a folder: nothing is ever made of it.
func FolderMarker(object s3io.Listed) bool {
	return object.Size == 0 && strings.HasSuffix(object.Key, "/")
}

// count counts the whole listing, for those who want to know how much there is: the other one is only ever as far as the
// work.
func (b *Backfill) count(ctx context.Context) error {
	for object, err := range Listing(ctx, b.Store, b.Bucket, b.Prefix, "") {
		if err != nil || ctx.Err() != nil {
			return nil // whoever needs the listing will say what is wrong with it
		}
		if b.wants(object) {
			b.mu.Lock()
			b.counted = b.counted.plus(1, object.Size)
			b.mu.Unlock()
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.whole = ctx.Err() == nil
	return nil
}

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
		return b.Only != Missing && !report.MadeOf(record, item.ETag, b.Settings), nil
	}
}

// attempts is how often an object is tried whose failure may pass, as Lambda does.
const attempts = 3

// resize does one object. What is begun is finished, even if ctx ends; between two attempts it is given up, and is then
// pending for the next run.
func (b *Backfill) resize(ctx context.Context, item Item) error {
	for attempt := 1; ; attempt++ {
		result, err := b.Resizer.Resize(context.WithoutCancel(ctx), b.Bucket, item.Key)
		var failure *Failure
		switch {
		case err == nil:
			return b.finished(item, result)
		case !errors.As(err, &failure):
			return err
		case !failure.Temporary || attempt == attempts:
			return b.failed(item, *failure)
		case !sleep(ctx, time.Second<<(2*(attempt-1))):
			return ctx.Err()
		}
	}
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

// Progress is how far a job is.
type Progress struct {
	Counts  map[Status]Count // of the job, with all its runs
	Listed  Count            // how much there is, as far as it has been counted
	Whole   bool             // it has been, to the end
	Done    Count            // by this run
	Running time.Duration    // this run
}

// Progress may be asked for at any time.
func (b *Backfill) Progress() Progress {
	p := Progress{Counts: b.state.counts()}
	b.mu.Lock()
	defer b.mu.Unlock()
	p.Listed, p.Whole, p.Done = b.counted, b.whole, b.done
	if !b.started.IsZero() {
		p.Running = time.Since(b.started)
	}
	return p
}

// Total is the sum of all statuses.
func (p Progress) Total() Count {
	var total Count
	for _, c := range p.Counts {
		total = total.plus(c.Objects, c.Bytes)
	}
	return total
}
