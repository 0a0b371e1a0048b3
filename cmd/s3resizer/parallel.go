package main

import (
	"iter"

	"golang.org/x/sync/errgroup"
)

// inOrder calls do for every item, jobs at a time, and gives the outcomes in the order of the items, each as soon as it
// and those before it are there.
func inOrder[T, R any](jobs int, items []T, do func(T) R) iter.Seq[R] {
	return func(yield func(R) bool) {
		outcomes := make([]chan R, len(items))
		for i := range outcomes {
			outcomes[i] = make(chan R, 1)
		}
		workers := errgroup.Group{}
		workers.SetLimit(jobs)
		go func() {
			for i, item := range items {
				workers.Go(func() error {
					outcomes[i] <- do(item)
					return nil
				})
			}
		}()
		for _, outcome := range outcomes {
			if !yield(<-outcome) {
				return
			}
		}
	}
}
