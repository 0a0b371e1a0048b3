package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"s3resizer/internal/backfill"
	"s3resizer/internal/verify"
	"s3resizer/s3io"
)

// mend verifies, makes anew what is not right, as it is found, and then removes orphans.
func (o verifyOptions) mend(ctx context.Context, v *verify.Verification, b *backfill.Backfill, findings *findings) error {
	progress := startProgress(os.Stdout, verifyLine(v))
	findings.progress = progress
	finishes.Store(true)
	undo := context.AfterFunc(ctx, func() {
		progress.say("Interrupted: the pictures that are being worked on will be finished. Ctrl-C once more ends it at once.")
	})
	group, working := errgroup.WithContext(ctx)
	broken := make(chan s3io.Listed)
	v.Redo = func(ctx context.Context, object s3io.Listed) error {
		select {
		case broken <- object:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	group.Go(func() error {
		defer close(broken)
		return v.Run(working)
	})
	group.Go(func() error { return b.Redo(working, all(broken)) })
	err := group.Wait()
	undo()
	progress.end()
	printVerified(os.Stdout, v.Progress())
	if err != nil {
		return o.stopped(ctx, err)
	}
	left, err := o.removeOrphans(ctx, v, b, findings)
	if err != nil {
		return o.stopped(ctx, err)
	}
	counts, found := b.Progress().Counts, v.Progress().Findings
	notMended := counts[backfill.Failed].Objects + counts[backfill.Quarantined].Objects
	if done := b.Progress().Done.Objects; done > 0 {
		fmt.Printf("Made anew: %s.\n", counted(done-notMended, "set"))
	}
	if notMended += left + found[verify.Foreign] + found[verify.Leftover] + found[verify.Failed]; notMended > 0 {
		return statusError{fmt.Errorf("not mended: %s%s", counted(notMended, "finding"), o.whereToLook()), someFailed}
	}
	return findings.failed()
}

// all gives what comes over a channel.
func all[T any](from <-chan T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for item := range from {
			if !yield(item) {
				return
			}
		}
	}
}

// removeOrphans removes them if it may, and returns how many there still are. An original that came at the same time is
// done again, even if ctx has ended: what it lost may have been its own.
func (o verifyOptions) removeOrphans(ctx context.Context, v *verify.Verification, b *backfill.Backfill, findings *findings) (left int64, err error) {
	orphans := v.Progress().Findings[verify.Orphan]
	if orphans == 0 {
		return 0, nil
	}
	if may, why := o.mayRemove(ctx, orphans, findings); !may {
		fmt.Printf("Not removed: %s%s.\n", counted(orphans, "orphan"), why)
		return orphans, ctx.Err()
	}
	var mu sync.Mutex
	var back []s3io.Listed
	removed, spared := int64(0), int64(0)
	group, removing := errgroup.WithContext(ctx)
	group.SetLimit(removers)
	for orphan, failed := range findings.orphans() {
		if err = cmp.Or(failed, removing.Err()); err != nil {
			break
		}
		group.Go(func() error {
			gone, original, err := v.Remove(removing, orphan)
			mu.Lock()
			defer mu.Unlock()
			if original != nil {
				back = append(back, *original)
			}
			switch {
			case gone:
				removed++
			case err == nil:
				spared++
			}
			return err
		})
	}
	err = errors.Join(err, group.Wait())
	fmt.Printf("Removed: %s.\n", counted(removed, "orphan"))
	if spared > 0 {
		fmt.Printf("Spared: %d; their originals, or newer objects in their places, have come meanwhile.\n", spared)
	}
	return orphans - removed - spared, errors.Join(err, b.Redo(context.WithoutCancel(ctx), slices.Values(back)))
}

// removers is how many orphans are removed at once. One takes three requests, of some 20 ms each.
const removers = 16

// mayRemove asks, if there is somebody to be asked.
func (o verifyOptions) mayRemove(ctx context.Context, orphans int64, findings *findings) (may bool, whyNot string) {
	if o.yes {
		return true, ""
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return false, ", because there is no terminal to ask on; --yes removes them without asking"
	}
	fmt.Printf("Remove %s (%s) from s3://%s? [y/N] ", counted(orphans, "orphan"), sizeText(findings.orphanBytes), findings.job.Destination)
	answers := make(chan string, 1)
	go func() {
		answer, _ := bufio.NewReader(os.Stdin).ReadString('\n') // no answer is no
		answers <- strings.ToLower(strings.TrimSpace(answer))
	}()
	select {
	case answer := <-answers:
		return answer == "y" || answer == "yes", ""
	case <-ctx.Done(): // Ctrl-C is no answer either
		fmt.Println()
		return false, ""
	}
}
