package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"

	"s3resizer/bench/compare/s3model"
	"s3resizer/bench/corpus"
)

// cores is what a function may run on, and the memory at which Lambda gives it that much (1769 MB for one).
type cores struct {
	pinned string // or "" for all
	memory int    // MB
}

var (
	bothCores = cores{"", 3538}
	oneCore   = cores{"0", 1769}
)

// handler measures the whole way of a picture, from the event to the last rendition in place: the function as it ships,
// driven through Lambda's Runtime API, before an S3 that is a process on this machine.
func (c *comparison) handler(ctx context.Context, p corpus.Picture, m s3model.Model, on cores) (map[string]Cost, error) {
	key := p.Name + filepath.Ext(p.Path)
	if err := c.s3.upload(ctx, key, p.Path); err != nil {
		return nil, err
	}
	runners := make([]runner, len(c.sides))
	for i, s := range c.sides {
		f, err := startFunction(s.function.on(on), c.s3, m)
		if err != nil {
			return nil, err
		}
		defer f.close()
		runners[i] = runner{f.process, func() (moments, error) {
			done, err := f.invoke(ctx, key)
			if err != nil {
				return moments{}, err
			}
			took := moments{wall: milliseconds(done.renditions.Sub(done.invoked))}
			if !done.record.IsZero() {
				took.record = milliseconds(done.record.Sub(done.invoked))
			}
			return took, nil
		}}
	}
	costs, err := byTurns(runners, c.rounds(p.Class), nil)
	if err != nil {
		return nil, err
	}
	return named(c.sides, costs), nil
}

// handlerOnOneCore leaves one core to the function alone; the S3 and this process make do with the other, as if they
// were somewhere else.
func (c *comparison) handlerOnOneCore(ctx context.Context, p corpus.Picture) (costs map[string]Cost, err error) {
	if err := c.move(ctx, "1"); err != nil {
		return nil, err
	}
	costs, err = c.handler(ctx, p, s3model.InRegion, oneCore)
	if back := c.move(ctx, twoCores); err == nil {
		err = back
	}
	return costs, err
}

// twoCores are those that everything runs on, on a machine with more too.
const twoCores = "0,1"

// move has the S3 and this process run on other cores from now on, and what they start.
func (c *comparison) move(ctx context.Context, list string) error {
	pids := []int{os.Getpid()}
	if c.s3 != nil {
		pids = append(pids, c.s3.cmd.Process.Pid)
	}
	for _, pid := range pids {
		output, err := exec.CommandContext(ctx, "taskset", "--all-tasks", "--pid", "--cpu-list", list, strconv.Itoa(pid)).CombinedOutput()
		if err != nil {
			return fmt.Errorf("move to the cores %s (two are needed): %w: %s", list, err, output)
		}
	}
	return nil
}

// on is a function's command where it has so many cores, with what Lambda tells it about itself.
func (f command) on(c cores) command {
	f.core = c.pinned
	f.env = append(slices.Clone(f.env), "AWS_LAMBDA_FUNCTION_NAME=s3resizer", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE="+strconv.Itoa(c.memory))
	return f
}
