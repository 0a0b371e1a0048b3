package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"s3resizer/internal/backfill"
)

// backfillOptions are what the command line says.
type backfillOptions struct {
	bucketOptions
	via                          string
	since, only, state, failures string
	dryRun, retry                bool
	function                     string
	batch                        batchOptions
}

func backfillCommand() *cobra.Command {
	var o backfillOptions
	cmd := &cobra.Command{
		Use:   "backfill s3://BUCKET[/PREFIX]",
		Short: "Resize the pictures that are in a bucket already",
		Long: `backfill resizes what is in a bucket already, as the function would: pictures without renditions, and those whose
renditions are of an older upload or of other settings. The commit records say what is done, so that running
it again does only what is new. It needs s3:ListBucket and s3:GetObject on both buckets, and s3:PutObject on the
destination.

Pictures are resized in processes of their own. One that such a process crashes at, or takes longer for than
--time-limit, is quarantined: it is not tried again, with the same state file, but with --retry-quarantined.
Ctrl-C finishes the pictures that are being worked on; with --state, the same command then goes on behind them, after
kill -9 too. (Without, it goes through the listing again, and does what has no record yet.) It stops by itself after
20 failures in a row, or 10000 in all.

With --via lambda the pictures are done by the function, --jobs invocations at a time; it must have the same RESIZE_
settings as there are here, and the caller needs lambda:InvokeFunction. With --via batch a list of what is left to do is
written to --manifest, and a job of S3 Batch Operations is created, which invokes the function for each line and leaves
a report of what failed or was rejected: for hundreds of millions of pictures, with nothing running here. It waits to be
confirmed, unless --start is given. The caller needs s3:PutObject for the manifest, s3:CreateJob, and iam:PassRole on
the role; --dry-run shows the command that would create the job, and which policies the role needs:
  trust          sts:AssumeRole for batchoperations.s3.amazonaws.com
  permissions    s3:GetObject on the manifest, s3:PutObject for the report, lambda:InvokeFunction on the function

Exit status: 0 if all is done, or the job is created (rejected pictures, too: that is in their record), 1 if some failed
or were quarantined, 2 if the command was used wrongly, 3 if it could not start or go on, 130 if it was interrupted.`,
		Example: `  s3resizer backfill --dry-run s3://holiday
  s3resizer backfill s3://holiday --state holiday.state --failures failed.csv
  s3resizer backfill s3://holiday/2026/ --since 2026-06-01 --jobs 8
  RESIZE_SIZES=small=400,large=1600 s3resizer backfill s3://holiday --only stale
  s3resizer backfill s3://holiday --via lambda --function s3resizer --jobs 50
  s3resizer backfill s3://holiday --via batch --function arn:aws:lambda:eu-central-1:123456789012:function:s3resizer \
    --role arn:aws:iam::123456789012:role/batch --manifest s3://holiday-jobs/backfill --dry-run`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: noFiles,
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0]) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	o.defineDest(f)
	f.StringVar(&o.since, "since", "", "only what was last modified at that `time` or later: 2026-06-01, or 2026-06-01T12:00:00Z")
	f.StringVar(&o.only, "only", "", "missing: what has no record, without a request for each object that has one;\nstale: what has one of an older upload or of other settings; all: everything again (default: missing and stale)")
	f.BoolVar(&o.dryRun, "dry-run", false, "say how many pictures, how long, how much; change nothing")
	f.StringVar(&o.state, "state", "", "`file` that lets the next run go on where this one ends, however it does")
	f.StringVar(&o.failures, "failures", "", "CSV `file` to which what was not resized is added, with class and reason")
	f.BoolVar(&o.retry, "retry-quarantined", false, "try what is quarantined once more")
	o.defineWork(f, "", ";\nwith --via lambda 10")
	f.StringVar(&o.via, "via", viaLocal, "local: processes of this machine; lambda: the function is invoked for each picture;\nbatch: S3 Batch Operations invokes it")
	f.StringVar(&o.function, "function", "", "with --via lambda or batch: `ARN` (or, with lambda, name) of the function")
	o.batch.define(f)
	completes(cmd, "only", string(backfill.Missing), string(backfill.Stale), string(backfill.All))
	completes(cmd, "via", viaLocal, viaLambda, viaBatch)
	return cmd
}

func (o backfillOptions) run(ctx context.Context, location string) error {
	job, err := o.job(location)
	if err != nil {
		return err
	}
	settings, environ, err := o.settings(job.Bucket)
	if err != nil {
		return err
	}
	job.Destination, job.Fingerprint = settings.DestBucket.For(job.Bucket), settings.FingerprintWithin(job.Prefix)
	if !settings.Record && job.Only != backfill.All {
		return errors.New("with RESIZE_RECORD=off nothing tells which pictures are done: leave it on, or do all of them again (--only all)")
	}
	for _, apply := range settings.Within(job.Prefix) {
		if apply.Skip {
			fmt.Printf("Left alone, by a profile: s3://%s/%s\n", job.Bucket, printable(apply.Prefix))
		}
	}
	if o.jobs == 0 && o.via == viaLambda {
		o.jobs = defaultInvocations
	}
	o.jobs = cmp.Or(o.jobs, settings.Processors)

	owner, pace := settings.BucketOwner, backfill.NewPace(o.requests)
	store, owner, err := connect(ctx, job, owner, pace)
	if err != nil {
		return statusError{err, couldNot}
	}
	options := backfill.Options{Job: job, Settings: settings, Store: store, Jobs: o.jobs, State: o.state, RetryQuarantined: o.retry}
	if o.via == viaBatch {
		return o.handOver(ctx, options, store)
	}
	if o.dryRun {
		return o.show(ctx, options)
	}
	if o.via == viaLambda {
		if options.Resizer, err = o.invoker(ctx, job); err != nil {
			return statusError{err, couldNot}
		}
		return o.resize(ctx, options, pace)
	}
	workers := &backfill.Workers{Limit: o.limit, Pace: pace, Command: func() *exec.Cmd { return workerProcess(environ, settings, owner, o.jobs) }}
	defer workers.Close()
	options.Resizer = workers
	return o.resize(ctx, options, pace)
}

// job is what the command line says of it, every mistake with what would be right.
func (o backfillOptions) job(location string) (backfill.Job, error) {
	job := backfill.Job{Only: backfill.MissingAndStale}
	var err error
	if job.Bucket, job.Prefix, err = splitLocation(location); err != nil {
		return job, err
	}
	if o.only != "" {
		job.Only = backfill.Only(o.only)
		if !slices.Contains([]backfill.Only{backfill.Missing, backfill.Stale, backfill.All}, job.Only) {
			return job, fmt.Errorf("--only %s: want missing, stale or all", o.only)
		}
	}
	if o.since != "" {
		if job.Since, err = time.Parse(time.RFC3339, o.since); err != nil {
			if job.Since, err = time.Parse(time.DateOnly, o.since); err != nil {
				return job, fmt.Errorf("--since %s: want a day such as 2026-06-01 (from its beginning, UTC), or a time such as 2026-06-01T12:00:00Z", o.since)
			}
		}
	}
	if o.state != "" && filepath.Clean(o.state) == filepath.Clean(o.failures) {
		return job, fmt.Errorf("--state and --failures are both %s: want two files", o.state)
	}
	if err := o.checkVia(job); err != nil {
		return job, err
	}
	return job, o.check()
}

// show is the dry run.
func (o backfillOptions) show(ctx context.Context, options backfill.Options) error {
	e, err := backfill.DryRun(ctx, options, nil)
	if err != nil {
		return o.stopped(ctx, err)
	}
	printEstimate(os.Stdout, options.Job, *e, options.Jobs)
	fmt.Println(" Nothing was changed.")
	return nil
}

// resize does the work.
func (o backfillOptions) resize(ctx context.Context, options backfill.Options, pace *backfill.Pace) error {
	if o.failures != "" {
		file, err := os.OpenFile(o.failures, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return statusError{err, couldNot}
		}
		defer file.Close()
		options.NotResized = failuresTo(file, options.Bucket)
	}
	b, err := backfill.Open(options)
	if err != nil {
		return o.stopped(ctx, err)
	}
	progress := startProgress(os.Stdout, backfillLine(b, pace))
	finishes.Store(true)
	undo := context.AfterFunc(ctx, func() {
		progress.say("Interrupted: the pictures that are being worked on will be finished. Ctrl-C once more ends it at once.")
	})
	err = b.Run(ctx)
	undo()
	progress.end()
	printSummary(os.Stdout, b.Progress(), pace)
	if err != nil {
		return o.stopped(ctx, err)
	}
	counts := b.Progress().Counts
	if failed, quarantined := counts[backfill.Failed].Objects, counts[backfill.Quarantined].Objects; failed+quarantined > 0 {
		return statusError{fmt.Errorf("%d failed and %d quarantined%s", failed, quarantined, o.whereToLook()), someFailed}
	}
	return nil
}

func (o backfillOptions) whereToLook() string {
	if o.failures == "" {
		return "; --failures FILE has the reasons"
	}
	return "; see " + o.failures
}

// Exit statuses beside 0, 2 and those of interruptions.
const (
	someFailed = 1
	couldNot   = 3
)

// stopped says why a run ended early, and what to do.
func (o backfillOptions) stopped(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) {
		next := "the same command goes on from here"
		if o.state == "" {
			next = "the same command does what has no record yet; it would not have to look for that with --state FILE, without which --only all starts over"
		}
		return interrupted(ctx, next)
	}
	if other := (*backfill.OtherJobError)(nil); errors.As(err, &other) {
		return err // wrong use
	}
	failure := backfill.FailureOf(err)
	if s := (*backfill.StoppedError)(nil); errors.As(err, &s) {
		failure = s.Last
	}
	return statusError{withRemedy(err, failure), couldNot}
}

// failuresTo adds lines to a CSV file; a new one gets a heading.
func failuresTo(file *os.File, bucket string) func(backfill.Outcome) {
	w := csv.NewWriter(file)
	if info, err := file.Stat(); err == nil && info.Size() == 0 {
		_ = w.Write([]string{"time", "status", "class", "bucket", "key", "bytes", "reason"})
	}
	return func(o backfill.Outcome) {
		_ = w.Write([]string{time.Now().UTC().Format(time.RFC3339), string(o.Status), string(o.Class), bucket, o.Key, fmt.Sprint(o.Bytes), o.Reason})
		w.Flush() // each line, whatever happens next
	}
}
