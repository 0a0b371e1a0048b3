// Package backfill does the pictures that are in a bucket already: those that have no renditions, and those whose
// renditions are of an older upload or of older settings.
//
// The one idea: two listings side by side say what is left to do, the source's and that of the commit
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
	"iter"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"s3resizer/internal/config"
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
	Settings config.Settings // that the renditions should be of
	Store    Store
	Resizer  Resizer
	Jobs     int // objects that are worked on at once
	// State is the file that a run leaves for the next one, or "".
	State            string
	RetryQuarantined bool
	// NotResized, if set, is called for each object that was rejected, failed, or is quarantined now. One call at a time.
	NotResized func(Outcome)
}

// Backfill is a job, as far as it has come.
type Backfill struct {
	Options
	state       *state
	fingerprint func(key string) string

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
	return newBackfill(o, state), nil
}

func newBackfill(o Options, state *state) *Backfill {
	return &Backfill{Options: o, state: state, fingerprint: o.Settings.Fingerprints()}
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
	return !FolderMarker(object) && !b.Settings.For(object.Key).Skip && !object.Modified.Before(b.Since)
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
