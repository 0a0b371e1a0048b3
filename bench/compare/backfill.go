package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"s3resizer/bench/corpus"
)

// Backfill is what it takes to resize what is in a bucket already, two pictures at a time, from the start of the command
// to its end: listings included.
type Backfill struct {
	Side      string
	Pictures  int
	PerSecond float64
}

// backfilled are the classes of the photos that a bucket is full of.
var backfilled = []corpus.Class{corpus.Baseline, corpus.Progressive, corpus.LowDetail}

const backfillPrefix = "backfill/"

// backfills fills the bucket with photos, as many of each as of the others, and lets each side go over them: ours for the
// first time, so that it finds everything missing.
func (c *comparison) backfills(ctx context.Context, pictures []corpus.Picture) ([]Backfill, error) {
	pictures = slices.DeleteFunc(slices.Clone(pictures), func(p corpus.Picture) bool { return !slices.Contains(backfilled, p.Class) })
	if len(pictures) == 0 {
		return nil, nil
	}
	var keys []string
	for i := range c.options.photos {
		p := pictures[i%len(pictures)]
		keys = append(keys, fmt.Sprintf("%s%06d-%s%s", backfillPrefix, i, p.Name, filepath.Ext(p.Path)))
		if err := c.s3.upload(ctx, keys[i], p.Path); err != nil {
			return nil, err
		}
	}
	environment := append(plainEnvironment(), c.s3.environment()...)
	reference := c.sides[1].function
	sides := map[string]command{
		oursName:   {path: filepath.Join(c.options.root, "bin", "s3resizer"), args: []string{"backfill", "--jobs", "2", "s3://" + bucket + "/" + backfillPrefix}},
		inTurnName: {path: reference.path, args: []string{filepath.Join(c.options.root, "bench", "reference", "backfill.mjs"), bucket, backfillPrefix}},
	}
	var out []Backfill
	for _, side := range []string{oursName, inTurnName} {
		if err := c.s3.empty(); err != nil {
			return nil, err
		}
		took, err := c.backfill(ctx, sides[side], environment, keys)
		if err != nil {
			return nil, fmt.Errorf("backfill, %s: %w", side, err)
		}
		out = append(out, Backfill{side, len(keys), float64(len(keys)) / took.Seconds()})
		fmt.Fprintf(c.log, "backfill of %d photos, %s: %s\n", len(keys), side, took.Round(time.Second))
	}
	return out, nil
}

func (c *comparison) backfill(ctx context.Context, side command, environment, keys []string) (time.Duration, error) {
	side.env = environment
	cmd := side.build()
	output := &tail{}
	cmd.Env, cmd.Stdout, cmd.Stderr = environment, output, output
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("%w\n%s", err, output)
	}
	took := time.Since(began)
	for _, key := range keys { // the reference prints what goes wrong, and goes on
		for _, size := range []string{"small", "medium", "large"} {
			if _, err := c.s3.store.Head(ctx, bucket+"-resized", size+"-"+key); err != nil {
				return 0, fmt.Errorf("%w\n%s", err, output)
			}
		}
	}
	return took, nil
}

// environment is what a client of the gateway needs.
func (s *s3) environment() []string {
	return []string{"AWS_ENDPOINT_URL_S3=" + s.url, "AWS_REGION=" + region, "AWS_ACCESS_KEY_ID=" + accessKey, "AWS_SECRET_ACCESS_KEY=" + secretKey}
}

// empty removes all that was made.
func (s *s3) empty() error {
	for _, folder := range []string{s.objects, s.sidecar} {
		made := filepath.Join(folder, bucket+"-resized")
		entries, err := os.ReadDir(made)
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		for _, entry := range entries {
			if err := os.RemoveAll(filepath.Join(made, entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
