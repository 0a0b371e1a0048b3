package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"s3resizer/bench/compare/s3model"
	"s3resizer/bench/corpus"
)

// comparison is what the parts of a run share.
type comparison struct {
	options options
	sides   []side
	s3      *s3 // nil where no part needs one
	folder  string
	log     io.Writer
}

// prepare brings up what the parts wanted need. Close it.
func prepare(ctx context.Context, o options, log io.Writer) (*comparison, error) {
	c := &comparison{options: o, log: log}
	var err error
	if c.sides, err = sides(o.root); err != nil {
		return nil, err
	}
	for _, needed := range []string{c.sides[0].function.path, c.sides[0].compute.path, filepath.Join(o.root, "bench/reference/node_modules/sharp")} {
		if _, err := os.Stat(needed); err != nil {
			return nil, fmt.Errorf("%w (`make compare` makes it)", err)
		}
	}
	if c.folder, err = os.MkdirTemp("", "compare-"); err != nil {
		return nil, err
	}
	if o.wants(partHandler) || o.wants(partModel) || o.wants(partStart) || o.wants(partBackfill) {
		if c.s3, err = startS3(ctx, c.folder, filepath.Join(o.cache, "bin")); err != nil {
			c.close()
			return nil, err
		}
	}
	return c, nil
}

func (c *comparison) close() {
	if c.s3 != nil {
		c.s3.stop()
	}
	_ = os.RemoveAll(c.folder)
}

// measure takes every picture through every part that is wanted.
func (c *comparison) measure(ctx context.Context, pictures []corpus.Picture) (*Results, error) {
	results := &Results{Rows: make([]*Row, len(pictures))}
	for i, p := range pictures {
		started := time.Now()
		row, err := c.picture(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		results.Rows[i] = row
		fmt.Fprintf(c.log, "%s: %s\n", p.Name, time.Since(started).Round(time.Second))
	}
	if c.options.wants(partStart) {
		var err error
		if results.Starts, err = c.starts(ctx, pictures[0]); err != nil {
			return nil, err
		}
	}
	if c.options.wants(partBackfill) {
		var err error
		if results.Backfills, err = c.backfills(ctx, pictures); err != nil {
			return nil, err
		}
	}
	return results, nil
}

func (c *comparison) picture(ctx context.Context, p corpus.Picture) (*Row, error) {
	row, err := newRow(ctx, p)
	if err != nil {
		return nil, err
	}
	if c.options.wants(partCompute) || c.options.wants(partFloor) {
		if err := c.compute(ctx, row, p); err != nil {
			return nil, fmt.Errorf("compute: %w", err)
		}
	}
	if c.options.wants(partPair) && p.Class == corpus.Baseline {
		if row.Pairs, err = c.pairs(p); err != nil {
			return nil, fmt.Errorf("two at a time: %w", err)
		}
	}
	// The reference refuses every other format, and takes the file's type from its name.
	if !slices.Contains([]string{".jpg", ".png"}, filepath.Ext(p.Path)) {
		return row, nil
	}
	if c.options.wants(partHandler) {
		if row.Loopback, err = c.handler(ctx, p, s3model.Model{}, bothCores); err != nil {
			return nil, fmt.Errorf("handler: %w", err)
		}
	}
	if c.options.wants(partModel) && p.Class != corpus.Huge {
		if row.TwoCores, err = c.handler(ctx, p, s3model.InRegion, bothCores); err != nil {
			return nil, fmt.Errorf("handler, modelled S3: %w", err)
		}
		if row.OneCore, err = c.handlerOnOneCore(ctx, p); err != nil {
			return nil, fmt.Errorf("handler, modelled S3, one core: %w", err)
		}
	}
	return row, nil
}

// rounds is how often a picture is measured.
func (c *comparison) rounds(class corpus.Class) int {
	if class == corpus.Huge {
		return min(c.options.n, 3) // it is there for its memory, and takes seconds
	}
	return c.options.n
}
