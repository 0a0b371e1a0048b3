package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"s3resizer/internal/backfill"
	"s3resizer/internal/verify"
	"s3resizer/resize"
)

// verifyOptions are what the command line says.
type verifyOptions struct {
	bucketOptions
	report        string
	fix, yes      bool
	quick, decode bool
}

func verifyCommand() *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify s3://BUCKET[/PREFIX]",
		Short: "Look whether the renditions of a bucket's pictures are there, right, and of the newest uploads",
		Long: `verify looks at the renditions themselves: whether each picture has all that the settings ask for, of its newest upload,
with the dimensions, the type and the length that they should have; and whether there are renditions and records whose
original is gone. Each finding is a line, here or in --report FILE:

  missing-record, missing-rendition   a set is not complete
  older-upload, older-settings        it is complete, and not of what it should be of
  wrong-size, wrong-type, wrong-bytes it is not what its original, its format, its record say
  wrong-record, unreadable            what is there is none (unreadable: with --decode)
  unlabelled                          a rendition that was copied without its metadata
  foreign                             somebody else's object is in a rendition's place
  leftover                            a rendition of an older set, under a name that the newest one does not have; or the
                                      set of an original over which another one's rendition was copied
  orphan                              a rendition or a record of this bucket whose original is gone
  failed                              it could not be looked at

The listings say which renditions there are. Beside these, a picture takes a GET of its record and a HEAD of each
rendition: with three sizes 4 requests, $1.60 for a million pictures. With --quick, the HEADs are left out where the
listing has the size and the ETag that the record has: 1 request. With a RESIZE_KEY_TEMPLATE that puts anything but
the size before the key, renditions are not in the order of their originals: --quick saves nothing then, and telling
orphans takes two more for each rendition. With a prefix, leftovers and orphans are looked for under the names that the
settings give now.

--fix makes anew what can be mended by that, as backfill does, in processes of its own; and removes orphans, after it
has asked. An orphan has this bucket in its metadata, not only a rendition's name, and its original is asked for once
more right before. Foreign objects and leftovers are left alone: pages may still show them.

It needs s3:ListBucket and s3:GetObject on both buckets; with --fix s3:PutObject and s3:DeleteObject on the destination.
Pictures that were uploaded in the last seconds may be found before the function has done them.

Exit status: 0 if all is right, or was put right; 1 if something is not; 2 if the command was used wrongly; 3 if it
could not start or go on; 130 if it was interrupted.`,
		Example: `  s3resizer verify s3://holiday
  s3resizer verify s3://holiday/2026/ --quick --report findings.csv
  s3resizer verify s3://holiday --decode --fix
  s3resizer verify s3://holiday --fix --yes --jobs 8`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: noFiles,
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0]) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	o.defineDest(f)
	f.StringVar(&o.report, "report", "", "CSV `file` for the findings, instead of a line here for each")
	f.BoolVar(&o.quick, "quick", false, "do not ask renditions for their metadata whose size and ETag are the record's")
	f.BoolVar(&o.decode, "decode", false, "read the header of each rendition, too: a GET instead of its HEAD")
	f.BoolVar(&o.fix, "fix", false, "make anew what can be mended by that; remove orphans, after asking")
	f.BoolVar(&o.yes, "yes", false, "with --fix: remove orphans without asking")
	o.defineWork(f, "with --fix: ", "")
	cmd.MarkFlagsMutuallyExclusive("quick", "decode")
	return cmd
}

func (o verifyOptions) run(ctx context.Context, location string) error {
	bucket, prefix, err := splitLocation(location)
	switch {
	case err != nil:
		return err
	case o.yes && !o.fix:
		return errors.New("--yes is for --fix: nothing is removed without it")
	}
	if err := o.check(); err != nil {
		return err
	}
	settings, environ, err := o.settings(bucket)
	if err != nil {
		return err
	}
	if !settings.Record {
		return errors.New("with RESIZE_RECORD=off nothing tells what the renditions should be: leave it on, and backfill once")
	}
	job := backfill.Job{Bucket: bucket, Prefix: prefix, Destination: settings.DestBucket.For(bucket), Fingerprint: settings.FingerprintWithin(prefix), Only: backfill.All}
	if o.decode {
		if err := resize.Startup(1); err != nil {
			return statusError{err, couldNot}
		}
	}
	pace := backfill.NewPace(o.requests)
	store, owner, err := connect(ctx, job, settings.BucketOwner, pace)
	if err != nil {
		return statusError{err, couldNot}
	}
	findings, err := o.openFindings(job)
	if err != nil {
		return statusError{err, couldNot}
	}
	defer findings.close()
	v := verify.New(verify.Options{Bucket: bucket, Prefix: prefix, Settings: settings, Store: store, Quick: o.quick, Decode: o.decode, Found: findings.add})
	if !o.fix {
		return o.look(ctx, v, findings)
	}
	jobs := cmp.Or(o.jobs, settings.Processors)
	workers := &backfill.Workers{Limit: o.limit, Pace: pace, Command: func() *exec.Cmd { return workerProcess(environ, settings, owner, jobs) }}
	defer workers.Close()
	b, err := backfill.Open(backfill.Options{Job: job, Settings: settings, Store: store, Resizer: workers, Jobs: jobs, NotResized: findings.notMended})
	if err != nil {
		return statusError{err, couldNot}
	}
	return o.mend(ctx, v, b, findings)
}

// look verifies, and changes nothing.
func (o verifyOptions) look(ctx context.Context, v *verify.Verification, findings *findings) error {
	progress := startProgress(os.Stdout, verifyLine(v))
	findings.progress = progress
	err := v.Run(ctx)
	progress.end()
	printVerified(os.Stdout, v.Progress())
	if err != nil {
		return o.stopped(ctx, err)
	}
	if total := v.Progress().Total(); total > 0 {
		return statusError{fmt.Errorf("%s%s; --fix mends what can be mended", counted(total, "finding"), o.whereToLook()), someFailed}
	}
	return findings.failed()
}

func (o verifyOptions) whereToLook() string {
	if o.report == "" {
		return ""
	}
	return ", see " + o.report
}

// stopped says why a run ended early, and what to do.
func (o verifyOptions) stopped(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) {
		return interrupted(ctx, "the next run begins anew")
	}
	failure := backfill.FailureOf(err)
	if s := (*backfill.StoppedError)(nil); errors.As(err, &s) {
		failure = s.Last
	}
	return statusError{withRemedy(err, failure), couldNot}
}

// counted is "1 orphan", "2 orphans".
func counted[N int | int64](n N, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// verifyLine is the line of a verification: "12000 originals, 35992 renditions, 8 findings, 310 a second".
func verifyLine(v *verify.Verification) func(terminal bool) string {
	started := time.Now()
	return func(bool) string {
		p := v.Progress()
		return fmt.Sprintf("%d originals, %d renditions, %d findings, %.0f a second", p.Originals, p.Renditions, p.Total(), float64(p.Originals)/time.Since(started).Seconds())
	}
}

// printVerified is the table at the end.
func printVerified(out io.Writer, p verify.Progress) {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
	row := func(text string, n int64) {
		if n > 0 {
			fmt.Fprintf(w, "%s\t%d\t\n", text, n)
		}
	}
	fmt.Fprintf(w, "originals\t%d\t\n", p.Originals)
	row("of these rejected", p.Rejected)
	row("changed meanwhile", p.Changed)
	row("skipped by a profile", p.Skipped)
	fmt.Fprintf(w, "renditions\t%d\t\n", p.Renditions)
	row("objects of others", p.NotOurs)
	for _, kind := range verify.Kinds() {
		row(string(kind), p.Findings[kind])
	}
	fmt.Fprintf(w, "findings\t%d\t\n", p.Total())
	row("sets to be made anew", p.Broken)
	_ = w.Flush()
}
