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

// backfillTurns is in how many parts the photos are done, so that both sides have the machine in the same moods.
const backfillTurns = 4

// backfills fills the bucket with photos, as many of each as of the others, and lets each side go over them: ours for the
// first time, so that it finds everything missing.
func (c *comparison) backfills(ctx context.Context, pictures []corpus.Picture) ([]Backfill, error) {
	pictures = slices.DeleteFunc(slices.Clone(pictures), func(p corpus.Picture) bool { return !slices.Contains(backfilled, p.Class) })
	if len(pictures) == 0 {
		return nil, nil
	}
	keys := map[string][]string{} // by prefix
	for i := range c.options.photos {
		p := pictures[i%len(pictures)]
		prefix := backfillPrefix(i / len(pictures))
		key := fmt.Sprintf("%s%06d-%s%s", prefix, i, p.Name, filepath.Ext(p.Path))
		if err := c.s3.upload(ctx, key, p.Path); err != nil {
			return nil, err
		}
		keys[prefix] = append(keys[prefix], key)
	}
	ours := command{path: filepath.Join(c.options.root, "bin", "s3resizer"), args: []string{"backfill", "--jobs", "2"}, env: plainEnvironment()}
	reference := c.sides[1].function
	reference.args = []string{filepath.Join(c.options.root, "bench", "reference", "backfill.mjs")}
	sides := []command{ours, reference}
	took := make([]time.Duration, len(sides))
	for round := range min(backfillTurns, len(keys)) {
		prefix := backfillPrefix(round)
		for _, i := range turn(len(sides), round) {
			if err := c.s3.empty(); err != nil {
				return nil, err
			}
			once, err := c.backfill(ctx, sides[i], prefix, keys[prefix])
			if err != nil {
				return nil, fmt.Errorf("backfill: %w", err)
			}
			took[i] += once
		}
	}
	perSecond := func(i int) float64 { return float64(c.options.photos) / took[i].Seconds() }
	return []Backfill{{oursName, c.options.photos, perSecond(0)}, {inTurnName, c.options.photos, perSecond(1)}}, nil
}

func backfillPrefix(i int) string { return fmt.Sprintf("backfill/%d/", i%backfillTurns) }

// backfill lets a side go over a prefix, and sees that all of it is there.
func (c *comparison) backfill(ctx context.Context, side command, prefix string, keys []string) (time.Duration, error) {
	side.args = append(slices.Clone(side.args), "s3://"+bucket+"/"+prefix)
	cmd := side.build()
	output := &tail{}
	cmd.Env, cmd.Stdout, cmd.Stderr = append(slices.Clone(side.env), c.s3.environment()...), output, output
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
