// Package wire adds an entry to the notification configuration of an S3 bucket that others use too, and takes it away
// again, with the permission that S3 needs.
//
// The one idea: S3 knows only the whole configuration, has no conditional write for it, and may show an old one for a
// while. So a change is a function from one configuration to the next; it is applied to what is there right now, written,
// and read back. What somebody else writes at the same time is then kept, or seen and told. (One gap is left: what
// somebody writes in the moment between the last read and our write is replaced, and only they can see it.)
//
// It knows nothing of objects, and the function is never given it: these are clients of control planes.
package wire

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const (
	defaultPatience = time.Minute
	attempts        = 3 // at a configuration that others write at the same time
)

// Options say which bucket, and where its events go.
type Options struct {
	Bucket string
	Target Target
	Owner  string // account id of the bucket's owner; empty is the caller's account
	// DryRun shows what would be done.
	DryRun bool
	// Patience is how long AWS may take to act on what it has accepted. 0 is a minute.
	Patience time.Duration
	// Out gets what is done, Warnings what the user may not expect.
	Out, Warnings io.Writer
}

// Wiring is a bucket and a target.
type Wiring struct {
	Options
	bucket     bucket
	permission permission // nil for EventBridge
	grant      grant
}

// Open finds out who asks, and in which region.
func Open(ctx context.Context, cfg aws.Config, o Options) (*Wiring, error) {
	cfg.Region = cmp.Or(o.Target.Region(), cfg.Region)
	if cfg.Region == "" {
		return nil, errors.New("no AWS region: set AWS_REGION to the bucket's")
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return nil, fmt.Errorf("no AWS credentials: %w; %s", err, credentialsHelp)
	}
	if o.Owner == "" {
		var err error
		if o.Owner, err = Account(ctx, cfg, o.Bucket); err != nil {
			return nil, err
		}
	}
	o.Patience = cmp.Or(o.Patience, defaultPatience)
	w := &Wiring{Options: o, bucket: newBucket(cfg, o.Bucket, o.Owner, o.Patience)}
	w.permission, w.grant = newPermission(cfg, o.Target, o.Bucket, o.Owner)
	return w, nil
}

// Account returns the id of the account that the credentials are of, which must own the bucket.
func Account(ctx context.Context, cfg aws.Config, bucket string) (string, error) {
	caller, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", explain(err, "find out whose account this is, who must own", "sts:GetCallerIdentity", "s3://"+bucket)
	}
	return aws.ToString(caller.Account), nil
}

// Show prints the bucket's configuration.
func (w *Wiring) Show(ctx context.Context) error {
	now, err := w.bucket.read(ctx)
	if err != nil {
		return err
	}
	w.printChange(now, now)
	return nil
}

// Add makes the bucket send its events to the target, and lets S3 call it. Doing it again does nothing.
func (w *Wiring) Add(ctx context.Context, f Filter) error {
	edit := w.adding(f)
	before, err := w.bucket.read(ctx)
	if err != nil {
		return err
	}
	after, err := edit(before)
	if err != nil {
		return err
	}
	has, err := w.standing(ctx)
	if err != nil {
		return err
	}
	give := has == missing || has == outdated

	w.warnOfCase(f.suffixes)
	w.printChange(before, after)
	if give {
		w.printf("Permission of S3, at %s:\n  + %s\n", w.Target, w.grant)
	}
	switch {
	case after.equal(before) && !give:
		w.printf("Nothing to do: s3://%s sends to %s already.\n", w.Bucket, w.Target)
		return nil
	case w.DryRun:
		w.printf("Dry run: nothing was changed.\n")
		return nil
	}

	if give {
		if err := w.permission.give(ctx); err != nil {
			return err
		}
	}
	err = w.replace(ctx, before, edit, func(c configuration) error { return w.write(ctx, c, give) })
	if err != nil && has == missing && w.permission != nil && surelyNotWritten(err) {
		return errors.Join(err, w.permission.withdraw(ctx))
	}
	if err != nil {
		return err
	}
	w.printf("Done: s3://%s sends to %s.\n", w.Bucket, w.Target)
	if w.Target.eventBridge() && !before.eventBridge {
		w.printf("It takes EventBridge about five minutes to see the bucket's events.\n")
	}
	return nil
}

// Remove takes away what Add has added for the target: all of it, or what the filter names; and S3's permission once
// nothing leads there. EventBridge stays on, for others may listen, unless it is to be disabled.
func (w *Wiring) Remove(ctx context.Context, f Filter, disableEventBridge bool) error {
	edit := w.removing(f, disableEventBridge)
	before, err := w.bucket.read(ctx)
	if err != nil {
		return err
	}
	after, _ := edit(before)
	withdraw := false
	if w.permission != nil && !after.leadsTo(w.Target) {
		has, err := w.standing(ctx)
		if err != nil && !errors.Is(err, errNoQueue) {
			return err
		}
		withdraw = has == inPlace || has == outdated
	}

	w.printChange(before, after)
	if withdraw {
		w.printf("Permission of S3, at %s:\n  - %s\n", w.Target, w.grant)
	}
	w.warnOfRest(after)
	switch {
	case after.equal(before) && !withdraw:
		w.printf("Nothing to do: nothing of s3wire's in s3://%s sends to %s.\n", w.Bucket, w.Target)
		return nil
	case w.DryRun:
		w.printf("Dry run: nothing was changed.\n")
		return nil
	}

	// Nothing new is asked for, so S3 has nothing to try; a target of somebody else's that is broken would be in the way.
	if err := w.replace(ctx, before, edit, func(c configuration) error { return w.bucket.write(ctx, c, false) }); err != nil {
		return err
	}
	if withdraw {
		if err := w.permission.withdraw(ctx); err != nil {
			return err
		}
	}
	w.printf("Done.\n")
	return nil
}

// edit makes the wanted configuration of the one that is there.
type edit func(configuration) (configuration, error)

func (w *Wiring) adding(f Filter) edit {
	if w.Target.eventBridge() {
		return func(c configuration) (configuration, error) { return configuration{c.entries, true}, nil }
	}
	wanted := f.entries(w.Target)
	return func(c configuration) (configuration, error) { return c.with(wanted) }
}

func (w *Wiring) removing(f Filter, disableEventBridge bool) edit {
	return func(c configuration) (configuration, error) {
		c = c.without(func(e entry) bool { return e.ours() && e.leadsTo(w.Target) && f.names(e) })
		c.eventBridge = c.eventBridge && !disableEventBridge
		return c, nil
	}
}

// replace changes the configuration by edit, and sees that the change is there afterwards. shown is the configuration that
// the user was shown.
func (w *Wiring) replace(ctx context.Context, shown configuration, edit edit, write func(configuration) error) error {
	for range attempts {
		now, next, err := w.rewrite(ctx, shown, edit, write)
		if err != nil || next.equal(now) {
			return err
		}
		found, err := w.bucket.readBack(ctx, now)
		if err != nil {
			return fmt.Errorf("the configuration was written, but can't be read back: %s", err.Error()) // not S3's answer to the write
		}
		if found.equal(next) {
			return nil
		}
		if again, err := edit(found); err == nil && again.equal(found) {
			w.warn("somebody else has changed the configuration at the same time. This change is in place; beside it there is another one:", next, found)
			return nil
		}
		w.warn("somebody else has written the configuration at the same time, over this change; trying again:", next, found)
		shown = found
	}
	return fmt.Errorf("s3://%s: the change was made %d times, and each time somebody else's was written over it: see what else manages the bucket's notifications (Terraform, CDK, another deployment), and run this again when it is at rest", w.Bucket, attempts)
}

// rewrite applies edit to what is there, and returns both. While S3 says that another operation is in progress on the
// bucket, it waits and begins anew: that operation may change what is there. A bucket that was just made, or gets a policy,
// is in this state for a while.
func (w *Wiring) rewrite(ctx context.Context, shown configuration, edit edit, write func(configuration) error) (now, next configuration, err error) {
	for n := range tries(ctx, w.Patience) {
		if now, err = w.bucket.read(ctx); err != nil {
			return now, next, err
		}
		if !now.equal(shown) {
			w.warn("somebody else has changed the configuration meanwhile; the change is made to what is there now:", shown, now)
			shown = now
		}
		if next, err = edit(now); err != nil || next.equal(now) {
			return now, next, err
		}
		if err = write(next); codeOf(err) != busy {
			return now, next, err
		}
		if n == 1 {
			w.warnf("S3 is at another change of s3://%s: trying again for up to %s", w.Bucket, w.Patience)
		}
	}
	return now, next, err
}

// write writes a configuration with the new target. A permission that is fresh may take S3 a while to see. Where S3
// can't reach the target of an entry that was there before, that is somebody else's to mend.
func (w *Wiring) write(ctx context.Context, c configuration, fresh bool) error {
	if w.Target.eventBridge() {
		return w.bucket.write(ctx, c, false)
	}
	patience := w.Patience
	if !fresh {
		patience = 0
	}
	var refused *targetError
	for range tries(ctx, patience) {
		err := w.bucket.write(ctx, c, true)
		if !errors.As(err, &refused) {
			return err
		}
		if _, ours := refused.reasons[w.Target.arn.String()]; !ours {
			for arn, reason := range refused.reasons {
				w.warnf("S3 can't send to %s, to which an entry led before: %s", arn, reason)
			}
			return w.bucket.write(ctx, c, false)
		}
	}
	help := ""
	if w.Target.kind == queue {
		help = "; if a KMS key encrypts the queue, the key's policy must allow s3.amazonaws.com kms:GenerateDataKey and kms:Decrypt"
	}
	return fmt.Errorf("S3 can't send to %s: %s%s (%w)", w.Target, refused.reasons[w.Target.arn.String()], help, refused)
}

// surelyNotWritten reports whether S3 has the configuration as it was: it said so, or was not asked.
func surelyNotWritten(err error) bool {
	status := statusOf(err)
	return errors.As(err, new(*ConflictError)) || status >= http.StatusBadRequest && status < http.StatusInternalServerError
}

func (w *Wiring) standing(ctx context.Context) (standing, error) {
	if w.permission == nil {
		return otherwise, nil
	}
	return w.permission.standing(ctx)
}

// warnOfCase names the suffixes whose other case is not asked for: cameras write IMG_0001.JPG.
func (w *Wiring) warnOfCase(suffixes []string) {
	for _, suffix := range suffixes {
		for _, other := range []string{strings.ToUpper(suffix), strings.ToLower(suffix)} {
			if !slices.Contains(suffixes, other) && other != suffix {
				w.warnf("suffixes are case-sensitive: with --suffix %s, %s raises no event; add --suffix %s, or leave suffixes out: the function knows pictures by their bytes", suffix, "IMG_0001"+other, other)
			}
		}
	}
}

// warnOfRest names what leads to the target still.
func (w *Wiring) warnOfRest(after configuration) {
	if w.Target.eventBridge() {
		if after.eventBridge {
			w.warnf("EventBridge stays on: it is one switch for the whole bucket, and others may listen; --disable-eventbridge turns it off")
		}
		return
	}
	for _, e := range after.entries {
		if e.leadsTo(w.Target) && !e.ours() {
			w.warnf("%q leads to %s too, and stays: s3wire has not added it", e.id, w.Target)
		}
	}
}

func (w *Wiring) printChange(before, after configuration) {
	w.printf("Notifications of s3://%s, of account %s:\n", w.Bucket, w.Owner)
	lines := diff(before.lines(), after.lines())
	if len(lines) == 0 {
		lines = []string{"  none"}
	}
	for _, line := range lines {
		w.printf("  %s\n", line)
	}
}

func (w *Wiring) printf(format string, args ...any) { fmt.Fprintf(w.Out, format, args...) }

func (w *Wiring) warnf(format string, args ...any) {
	fmt.Fprintf(w.Warnings, "warning: "+format+"\n", args...)
}

func (w *Wiring) warn(what string, before, after configuration) {
	lines := slices.DeleteFunc(diff(before.lines(), after.lines()), func(line string) bool { return strings.HasPrefix(line, "  ") })
	w.warnf("%s\n  %s", what, strings.Join(lines, "\n  "))
}
