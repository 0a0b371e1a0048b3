package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"s3resizer/bench/compare/s3model"
	"s3resizer/bench/corpus"
)

// Start is what it takes to begin, in milliseconds; medians.
type Start struct {
	Side         string
	FirstPoll    float64 // from the start of the process to its first GET …/invocation/next
	FirstPicture float64 // to the last rendition of a picture, which waited for the process
}

// starts is how many starts are measured for each measurement of a picture.
const starts = 2

// starts starts every side, by turns. The files are in the page cache: what is measured is the processes' own work, not
// a disk.
func (c *comparison) starts(ctx context.Context, p corpus.Picture) ([]Start, error) {
	key := p.Name + filepath.Ext(p.Path)
	if err := c.s3.upload(ctx, key, p.Path); err != nil {
		return nil, err
	}
	sides := append(slices.Clone(c.sides[:2]), bundled(c.sides[1], c.options.root))
	polls, pictures := make([][]float64, len(sides)), make([][]float64, len(sides))
	for round := range starts*c.options.n + 1 {
		for _, i := range turn(len(sides), round) {
			poll, picture, err := c.startOnce(ctx, sides[i], key)
			if err != nil {
				return nil, fmt.Errorf("start of %s: %w", sides[i].name, err)
			}
			if round > 0 { // the first round fills the page cache
				polls[i], pictures[i] = append(polls[i], poll), append(pictures[i], picture)
			}
		}
	}
	out := make([]Start, len(sides))
	for i, s := range sides {
		out[i] = Start{s.name, median(polls[i]), median(pictures[i])}
	}
	return out, nil
}

func (c *comparison) startOnce(ctx context.Context, s side, key string) (poll, picture float64, err error) {
	f, err := startFunction(s.function.on(bothCores), c.s3, s3model.Model{})
	if err != nil {
		return 0, 0, err
	}
	defer f.close()
	done, err := f.invoke(ctx, key) // waits for the first poll
	if err != nil {
		return 0, 0, err
	}
	return milliseconds((<-f.firstPoll).Sub(f.began)), milliseconds(done.renditions.Sub(f.began)), nil
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }
