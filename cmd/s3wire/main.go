// Command s3wire sends an S3 bucket's events to a function, a queue or EventBridge, and leaves
// everybody else's entries in the bucket's notification configuration alone.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/spf13/cobra"

	"s3resizer/internal/wire"
)

var version = "dev" // set by the linker

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the process as if nobody listened
	err := run(ctx, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "s3wire:", err)
		os.Exit(exitCode(err))
	}
}

func run(ctx context.Context, args []string) error {
	root := &cobra.Command{
		Use:   "s3wire",
		Short: "Wire an S3 bucket's uploads to a function, a queue or EventBridge",
		Long: `s3wire adds an entry to a bucket's notification configuration, and takes it away again, with the permission that S3
needs. The entries of others stay as they are. It shows what it will change before it does, and reads back what it wrote.

Region, credentials and endpoint are the AWS SDK's own settings (AWS_PROFILE, AWS_REGION …); with a function or a queue
the region is that of its ARN. The caller needs
  s3:GetBucketNotification, s3:PutBucketNotification, and sts:GetCallerIdentity unless --bucket-owner is given;
  for a function  lambda:GetPolicy, lambda:AddPermission, lambda:RemovePermission;
  for a queue     sqs:GetQueueUrl, sqs:GetQueueAttributes, sqs:SetQueueAttributes.
Exit status: 0 if all went well, 1 if something did not, 2 if the command was used wrongly.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(addCommand(), removeCommand(), showCommand(), &cobra.Command{
		Use:   "version",
		Short: "Print the versions of s3wire and Go",
		Args:  cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			fmt.Fprintf(cmd.OutOrStdout(), "s3wire %s, %s\n", version, runtime.Version())
		},
	})
	root.SetArgs(args)
	return root.ExecuteContext(ctx)
}

// workError is a failure at the work, not in how the command was called.
type workError struct{ error }

func (e workError) Unwrap() error { return e.error }

func exitCode(err error) int {
	if errors.As(err, new(workError)) {
		return 1
	}
	return 2 // cobra's own errors, and those about arguments
}

func addCommand() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "add s3://bucket[/prefix] --function ARN | --queue ARN | --eventbridge",
		Short: "Send a bucket's uploads somewhere",
		Long: `add sends the events of every upload to the bucket, or to keys with the prefix, to a function, a queue or EventBridge.
Each prefix with each suffix is an entry of its own, because S3 takes one of either in an entry. S3 is permitted to call the function, or to send to the queue, for this bucket of this account alone. To add what is there
already does nothing. Without --suffix the function gets every upload; it knows pictures by their bytes.`,
		Example: `  s3wire add s3://photos --function arn:aws:lambda:eu-central-1:123456789012:function:s3resizer --dry-run
  s3wire add s3://photos/holiday/ --queue arn:aws:sqs:eu-central-1:123456789012:uploads --suffix .jpg --suffix .JPG
  s3wire add s3://photos --queue arn:aws:sqs:eu-central-1:123456789012:uploads --prefix avatars/ --prefix holiday/
  s3wire add s3://photos --eventbridge`,
		RunE: f.work(func(ctx context.Context, w *wire.Wiring, filter wire.Filter) error { return w.Add(ctx, filter) }),
	}
	f.define(cmd)
	cmd.Flags().BoolVar(&f.deletions, "delete", false, "tell of deletions too (s3:ObjectRemoved:*), and of what expires (s3:LifecycleExpiration:*)")
	cmd.MarkFlagsMutuallyExclusive("eventbridge", "delete")
	cmd.MarkFlagsOneRequired("function", "queue", "eventbridge")
	return cmd
}

func removeCommand() *cobra.Command {
	var f flags
	var disable bool
	cmd := &cobra.Command{
		Use:   "remove s3://bucket[/prefix] --function ARN | --queue ARN | --eventbridge",
		Short: "Undo add",
		Long: `remove takes away what add has added for the function or the queue: with a prefix or suffixes, the entries that have
them; otherwise all. S3's permission goes with the last one. EventBridge is one switch for the whole bucket, to whose events
others may listen: it stays on unless --disable-eventbridge says otherwise.`,
		Example: `  s3wire remove s3://photos --function arn:aws:lambda:eu-central-1:123456789012:function:s3resizer
  s3wire remove s3://photos --disable-eventbridge`,
		RunE: f.work(func(ctx context.Context, w *wire.Wiring, filter wire.Filter) error {
			return w.Remove(ctx, filter, disable)
		}),
	}
	f.define(cmd)
	cmd.Flags().BoolVar(&disable, "disable-eventbridge", false, "turn EventBridge off for the whole bucket")
	cmd.MarkFlagsOneRequired("function", "queue", "eventbridge", "disable-eventbridge")
	return cmd
}

func showCommand() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:     "show s3://bucket",
		Short:   "Print a bucket's notification configuration; ids that begin with s3wire- are s3wire's own",
		Example: `  s3wire show s3://photos`,
		RunE:    f.work(func(ctx context.Context, w *wire.Wiring, _ wire.Filter) error { return w.Show(ctx) }),
	}
	f.defineOwner(cmd)
	return cmd
}

// flags are those of add and remove; show has the owner's alone.
type flags struct {
	function, queue   string
	eventBridge       bool
	prefixes          []string
	suffixes          []string
	deletions, dryRun bool
	owner             string
}

func (f *flags) define(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.function, "function", "", "`ARN` of a Lambda function, or of a version or an alias of one")
	cmd.Flags().StringVar(&f.queue, "queue", "", "`ARN` of an SQS queue")
	cmd.Flags().BoolVar(&f.eventBridge, "eventbridge", false, "every event of the bucket to EventBridge, whose rules choose")
	cmd.Flags().StringArrayVar(&f.prefixes, "prefix", nil, "what keys begin with, `avatars/` for one, if not s3://bucket/prefix says it; may be repeated (default: every key)")
	cmd.Flags().StringArrayVar(&f.suffixes, "suffix", nil, "what keys end with, `.jpg` for one, upper and lower case apart; may be repeated (default: every key)")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "show what would be changed, and change nothing")
	cmd.MarkFlagsMutuallyExclusive("function", "queue", "eventbridge")
	cmd.MarkFlagsMutuallyExclusive("eventbridge", "suffix")
	cmd.MarkFlagsMutuallyExclusive("eventbridge", "prefix")
	f.defineOwner(cmd)
}

func (f *flags) defineOwner(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.owner, "bucket-owner", "", "`account` that must own the bucket (default: the caller's)")
}

// accountID is the form of an account's id.
var accountID = regexp.MustCompile(`^[0-9]{12}$`)

// work makes a function that starts with a bucket and a target that can be right the body of a command.
func (f *flags) work(do func(context.Context, *wire.Wiring, wire.Filter) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("want one bucket, s3://bucket, not %d arguments", len(args))
		}
		bucket, prefix, err := parsePlace(args[0])
		if err != nil {
			return err
		}
		target, err := f.target(cmd)
		if err != nil {
			return err
		}
		if prefix != "" && len(f.prefixes) > 0 {
			return fmt.Errorf("%s has a prefix, and so has --prefix: name all of them by --prefix, behind s3://%s", args[0], bucket)
		}
		if prefix != "" {
			f.prefixes = []string{prefix}
		}
		filter, err := wire.NewFilter(f.prefixes, f.suffixes, f.deletions)
		if err != nil {
			return err
		}
		if len(f.prefixes) > 0 && target == (wire.Target{}) {
			return fmt.Errorf("%s: EventBridge and show are for the whole bucket, s3://%s; an EventBridge rule has its own filters", args[0], bucket)
		}
		if f.owner != "" && !accountID.MatchString(f.owner) {
			return fmt.Errorf("--bucket-owner %q: want an account id of twelve digits", f.owner)
		}
		return workOn(cmd, do, filter, wire.Options{
			Bucket: bucket, Target: target, Owner: f.owner, DryRun: f.dryRun, Out: cmd.OutOrStdout(), Warnings: cmd.ErrOrStderr(),
		})
	}
}

func workOn(cmd *cobra.Command, do func(context.Context, *wire.Wiring, wire.Filter) error, filter wire.Filter, o wire.Options) error {
	cfg, err := config.LoadDefaultConfig(cmd.Context())
	if err != nil {
		return workError{fmt.Errorf("load the AWS configuration: %w", err)}
	}
	wiring, err := wire.Open(cmd.Context(), cfg, o)
	if err == nil {
		err = do(cmd.Context(), wiring, filter)
	}
	if err != nil {
		return workError{err}
	}
	return nil
}

// target is the function or the queue that was named, if only by an empty variable of a script; else EventBridge.
func (f *flags) target(cmd *cobra.Command) (target wire.Target, err error) {
	switch {
	case cmd.Flags().Changed("function"):
		if target, err = wire.Function(f.function); err != nil {
			err = fmt.Errorf("--function %q: %w", f.function, err)
		}
	case cmd.Flags().Changed("queue"):
		if target, err = wire.Queue(f.queue); err != nil {
			err = fmt.Errorf("--queue %q: %w", f.queue, err)
		}
	}
	return target, err
}

// bucketName is the form of a bucket's name, those from before 2018 included.
var bucketName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{2,254}$`)

// parsePlace reads s3://bucket/prefix.
func parsePlace(place string) (bucket, prefix string, err error) {
	rest, ok := strings.CutPrefix(place, "s3://")
	bucket, prefix, _ = strings.Cut(rest, "/")
	if !ok || !bucketName.MatchString(bucket) {
		return "", "", fmt.Errorf("%q is no bucket: want s3://bucket or s3://bucket/prefix", place)
	}
	return bucket, prefix, nil
}
