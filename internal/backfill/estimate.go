package backfill

import (
	"context"
	"fmt"
	"iter"
	"math"
	"time"

	"golang.org/x/sync/errgroup"

	"s3resizer/s3io"
)

// Estimate says what a run would do, and about what it would take.
type Estimate struct {
	Todo     Count // objects, and their bytes, to be resized
	TooLarge Count // of these: they are beyond the limit on bytes, and will be rejected unread
	Complete Count // nothing to do
	Time     time.Duration
	Requests float64 // US dollars for S3's requests
	Storage  float64 // US dollars a month for what is made
	Transfer float64 // US dollars for what is read, from a machine outside of the bucket's region; within, it is 0
}

// What a picture takes, measured with `make compare` on 2026-11-23 (bench/results/compare.md: CPU per picture, the whole
// handler, S3 on loopback, an AMD EPYC vCPU): a straight line through the baseline JPEGs of 4 to 42 MB. Progressive ones
// take half as much again, PNGs and WebPs two to three times as much.
const (
	timePerPicture = 90 * time.Millisecond
	timePerMB      = 13 * time.Millisecond
	bytesPerSet    = 300_000 // three JPEGs, on average; never more than the source, about
)

// Amazon S3's list prices in us-east-1, S3 Standard, in US dollars, as of November 2026: https://aws.amazon.com/s3/pricing/
const (
	priceOfReads    = 0.0004 / 1000 // a GET or HEAD
	priceOfWrites   = 0.005 / 1000  // a PUT or LIST
	priceOfStorage  = 0.023 / 1e9   // a byte a month
	priceOfTransfer = 0.09 / 1e9    // a byte to the internet, in the first 10 TB
)

// DryRun finds out what a run would do. It reads listings and asks for records, as a run would, and changes nothing.
// Each, if it is not nil, is given every object that there is something to do for, one after the other, in an order that is
// always the same.
func DryRun(ctx context.Context, o Options, each func(s3io.Listed) error) (*Estimate, error) {
	state, err := openState(o.State, o.Job, true)
	if err != nil {
		return nil, err
	}
	first, err := state.begin(o.RetryQuarantined)
	if err != nil {
		return nil, err
	}
	b := newBackfill(o, state)
	b.start()
	e := &Estimate{}
	var work time.Duration
	var made float64
	writes := 0
	err = b.inOrder(ctx, b.left(ctx, first), func(item Item, due bool) error {
		b.state.pass(item.Listed)
		if !due {
			b.tick(item)
			return nil
		}
		e.Todo = e.Todo.plus(1, item.Size)
		if each != nil {
			if err := each(item.Listed); err != nil {
				return err
			}
		}
		settings := b.Settings.For(item.Key)
		writes += len(settings.Sizes)*len(settings.Formats) + 1
		if item.Size > settings.MaxBytes {
			e.TooLarge = e.TooLarge.plus(1, item.Size)
			return nil
		}
		work += timePerPicture + time.Duration(float64(item.Size)/1e6*float64(timePerMB))
		made += math.Min(bytesPerSet, float64(item.Size))
		return nil
	})
	if err != nil {
		return nil, err
	}
	all := b.Progress().Counts[Complete]
	e.Complete = Count{all.Objects - e.Todo.Objects, all.Bytes - e.Todo.Bytes}
	e.Time = work / time.Duration(max(1, o.Jobs))
	looks := float64(b.done.Objects + e.Todo.Objects)
	pages := 2 * (looks/1000 + 1)
	e.Requests = float64(e.Todo.Objects)*2*priceOfReads + float64(writes)*priceOfWrites + looks*priceOfReads + pages*priceOfWrites
	e.Storage = made * priceOfStorage
	e.Transfer = float64(e.Todo.Bytes-e.TooLarge.Bytes) * priceOfTransfer
	return e, nil
}

// inOrder calls do for one item after the other, with whether it is to be done; several records are asked for at once.
func (b *Backfill) inOrder(ctx context.Context, items iter.Seq2[Item, error], do func(item Item, due bool) error) error {
	type looked struct {
		item Item
		due  bool
		err  error
	}
	group, ctx := errgroup.WithContext(ctx)
	all := make(chan chan looked, lookers)
	group.Go(func() error {
		defer close(all)
		for item, err := range items {
			if err != nil {
				return err
			}
			one := make(chan looked, 1)
			select {
			case all <- one:
			case <-ctx.Done():
				return ctx.Err()
			}
			go func() {
				due, err := b.due(ctx, item)
				one <- looked{item, due, err}
			}()
		}
		return nil
	})
	group.Go(func() error {
		for one := range all {
			l := <-one
			if l.err != nil {
				return fmt.Errorf("ask for the record of %s: %w", l.item.Key, l.err)
			}
			if err := do(l.item, l.due); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	return group.Wait()
}
