// Package verify looks at what was made of a bucket's pictures: at the renditions themselves, and not at the records
// alone.
//
// The one idea: what belongs together stands in the same order in every listing. The source's, the records' and those of
// the sizes (with a template such as "{size}-{key}", where each has a folder of its own) are read side by side, in one
// pass and in bounded memory; so which renditions there are costs no request, and neither does what no original claims.
// What an original's record and renditions say of themselves costs one request each. Whatever then seems to be wrong is
// looked at once more before it is reported, because the bucket is in use meanwhile.
//
// It changes nothing by itself. [backfill.Backfill.Redo] is for what can be made anew, [Verification.Remove] for what was
// made of originals that are gone.
package verify

import (
	"context"
	"iter"
	"maps"
	"sync"

	"golang.org/x/sync/errgroup"

	"s3resizer/internal/backfill"
	"s3resizer/internal/config"
	"s3resizer/s3io"
)

// Store is what is needed of S3. Its errors are [*s3io.Error].
type Store interface {
	backfill.Store
	// Open starts to read an object; all its bytes are of one upload.
	Open(ctx context.Context, bucket, key string) (*s3io.Object, error)
	// Delete removes an object unless, as far as the S3 looks at that, it is another one than that with the ETag by now.
	Delete(ctx context.Context, bucket, key, etag string) error
}

// Options say what to look at.
type Options struct {
	Bucket, Prefix string
	Settings       config.Settings // that the renditions should be of
	Store          Store
	// Quick trusts a rendition whose bytes, by size and ETag in the listing, are those that its record tells of: it is not
	// asked for its metadata. That takes a template whose sizes have folders of their own.
	Quick bool
	// Decode reads the header of each rendition's picture, too. The resize package must have been started.
	Decode bool
	// Found is called for each finding, one call at a time.
	Found func(Finding)
	// Redo, if set, is given each original that has a finding which making its set anew would mend. It is called by several
	// at once, and an error ends the run.
	Redo func(ctx context.Context, object s3io.Listed) error
}

// Verification is a run.
type Verification struct {
	Options
	destination string
	fingerprint func(key string) string // of the settings for an original

	mu       sync.Mutex
	progress Progress
	inARow   int // originals that could not be looked at
}

// Progress is what was looked at.
type Progress struct {
	Originals  int64 // all of them
	Rejected   int64 // that have nothing but their record
	Changed    int64 // that were overwritten or deleted while they were looked at; not looked at further
	Skipped    int64 // originals that a profile skips; not looked at
	NotOurs    int64 // objects of the destination that are nobody's here, and were left alone
	Renditions int64
	Findings   map[Kind]int64
	Broken     int64 // originals with a finding that making the set anew would mend
}

// Total is the number of findings.
func (p Progress) Total() int64 {
	var total int64
	for _, n := range p.Findings {
		total += n
	}
	return total
}

// New prepares a run.
func New(o Options) *Verification {
	v := &Verification{Options: o, destination: o.Settings.DestBucket.For(o.Bucket), progress: Progress{Findings: map[Kind]int64{}}}
	v.fingerprint = v.Settings.Fingerprints()
	return v
}

// Progress may be asked for at any time.
func (v *Verification) Progress() Progress {
	v.mu.Lock()
	defer v.mu.Unlock()
	p := v.progress
	p.Findings = maps.Clone(p.Findings)
	return p
}

// lookers is how many subjects are looked at at once. A request takes some 20 ms: that makes up to 1600 a second.
const lookers = 32

// Run looks at everything. The error is that of a listing that could not be had, or of ctx, or a
// [*backfill.StoppedError] because originals in a row could not be looked at.
func (v *Verification) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	subjects := make(chan subject)
	group.Go(func() error {
		defer close(subjects)
		for _, part := range []iter.Seq2[subject, error]{v.sweep(ctx), v.rest(ctx)} {
			for s, err := range part {
				if err != nil {
					return err
				}
				select {
				case subjects <- s:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
		return nil
	})
	for range lookers {
		group.Go(func() error {
			for s := range subjects {
				if err := v.look(ctx, s); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	return group.Wait()
}

// look looks at a subject. What can't be looked at is a finding, too.
func (v *Verification) look(ctx context.Context, s subject) error {
	if s.stray != nil {
		return v.failed(ctx, v.lookAtStray(ctx, *s.stray), s.stray.Key, "")
	}
	if v.Settings.For(s.original.Key).Skip {
		v.count(func(p *Progress) { p.Skipped++ })
		return nil
	}
	findings, err := v.lookAtOriginal(ctx, s.original)
	if err != nil {
		return v.failed(ctx, err, "", s.original.Key)
	}
	redo, foreign := false, false
	for _, f := range findings {
		v.tell(f)
		redo, foreign = redo || f.Kind.Redone(), foreign || f.Kind == Foreign
	}
	redo = redo && !foreign // that would be overwritten
	v.count(func(p *Progress) {
		p.Originals++
		p.Renditions += s.original.renditions
		if s.original.rejected {
			p.Rejected++
		}
		if redo {
			p.Broken++
		}
	})
	for key, f := range s.original.found {
		if f.closest && !s.original.claimed[key] {
			if err := v.failed(ctx, v.lookAtStray(ctx, f.Listed), key, s.original.Key); err != nil {
				return err
			}
		}
	}
	if redo && v.Redo != nil {
		return v.Redo(ctx, s.original.Listed)
	}
	return nil
}

// maxInARow is how many originals or strays in a row can't be looked at before it is of no use to go on.
const maxInARow = 20

// failed tells of an error. It is an error itself only if there have been too many, or ctx has ended.
func (v *Verification) failed(ctx context.Context, err error, key, original string) error {
	v.mu.Lock()
	if v.inARow++; err == nil {
		v.inARow = 0
	}
	inARow := v.inARow
	v.mu.Unlock()
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	failure := backfill.FailureOf(err)
	v.tell(Finding{Kind: Failed, Key: key, Original: original, Reason: string(failure.Class) + ": " + failure.Reason})
	if inARow >= maxInARow {
		return &backfill.StoppedError{InARow: inARow, Failures: inARow, Last: failure}
	}
	return nil
}

func (v *Verification) tell(f Finding) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.progress.Findings[f.Kind]++
	if v.Found != nil {
		v.Found(f)
	}
}

func (v *Verification) count(add func(*Progress)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	add(&v.progress)
}
