package backfill

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"sync"
	"time"

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
// Writes is how many objects are written for a picture, maxBytes the limit on one. Each, if it is not nil, is given every
// object that there is something to do for, one at a time.
func DryRun(ctx context.Context, o Options, writes int, maxBytes int64, each func(s3io.Listed) error) (*Estimate, error) {
	state, err := openState(o.State, o.Job, true)
	if err != nil {
		return nil, err
	}
	first, err := state.begin(o.RetryQuarantined)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var unseen error
	o.NotResized = func(o Outcome) { unseen = fmt.Errorf("ask for the record of %s: %s", o.Key, o.Reason) }
	b := &Backfill{Options: o, state: state, started: time.Now()}
	e := &Estimate{}
	var work time.Duration
	var made float64
	err = b.each(ctx, b.left(ctx, first), 1, func(_ context.Context, item Item) error {
		mu.Lock()
		defer mu.Unlock()
		e.Todo = e.Todo.plus(1, item.Size)
		b.state.pass(item.Listed)
		if each != nil {
			if err := each(item.Listed); err != nil {
				return err
			}
		}
		if item.Size > maxBytes {
			e.TooLarge = e.TooLarge.plus(1, item.Size)
			return nil
		}
		work += timePerPicture + time.Duration(float64(item.Size)/1e6*float64(timePerMB))
		made += math.Min(bytesPerSet, float64(item.Size))
		return nil
	})
	if err := cmp.Or(err, unseen); err != nil {
		return nil, err
	}
	all := b.Progress().Counts[Complete]
	e.Complete = Count{all.Objects - e.Todo.Objects, all.Bytes - e.Todo.Bytes}
	e.Time = work / time.Duration(max(1, o.Jobs))
	looks := float64(b.done.Objects + e.Todo.Objects)
	pages := 2 * (looks/1000 + 1)
	e.Requests = float64(e.Todo.Objects)*(2*priceOfReads+float64(writes)*priceOfWrites) + looks*priceOfReads + pages*priceOfWrites
	e.Storage = made * priceOfStorage
	e.Transfer = float64(e.Todo.Bytes-e.TooLarge.Bytes) * priceOfTransfer
	return e, nil
}
