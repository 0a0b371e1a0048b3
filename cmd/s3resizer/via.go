package main

import (
	"bufio"
	"context"
	"crypto/md5" // S3's own digest of an object
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"s3resizer/internal/backfill"
	"s3resizer/internal/batchjob"
	"s3resizer/internal/invoke"
	"s3resizer/s3io"
)

// Who does the pictures of a backfill.
const (
	viaLocal  = "local"
	viaLambda = "lambda"
	viaBatch  = "batch"
)

// batchOptions are what the command line says of a job of S3 Batch Operations.
type batchOptions struct {
	role, manifest string
	priority       int32
	start          bool
}

func (o *batchOptions) define(f *pflag.FlagSet) {
	f.StringVar(&o.role, "role", "", "with --via batch: `ARN` of the role that S3 Batch Operations takes on")
	f.StringVar(&o.manifest, "manifest", "", "with --via batch: `s3://bucket/prefix` for the list of what is to be done, and for the report of what failed")
	f.Int32Var(&o.priority, "priority", 10, "with --via batch: of two jobs, the higher goes first")
	f.BoolVar(&o.start, "start", false, "with --via batch: begin at once, not when somebody has confirmed the job")
}

// checkVia says which of the flags do not go together.
func (o backfillOptions) checkVia(job backfill.Job) error {
	switch {
	case !slices.Contains([]string{viaLocal, viaLambda, viaBatch}, o.via):
		return fmt.Errorf("--via %s: want local, lambda or batch", o.via)
	case o.via == viaLocal && o.function != "":
		return errors.New("--function is for --via lambda and --via batch")
	case o.via != viaLocal && o.function == "":
		return fmt.Errorf("--via %s: say which function, with --function", o.via)
	case o.via != viaBatch && (o.batch.role != "" || o.batch.manifest != "" || o.batch.start):
		return errors.New("--role, --manifest and --start are for --via batch")
	case o.via == viaBatch && (o.state != "" || o.failures != "" || o.retry):
		return errors.New("--via batch: the job has a state and a report of its own, so --state, --failures and --retry-quarantined are of no use")
	case o.via == viaBatch && (o.batch.role == "" || o.batch.manifest == ""):
		return errors.New("--via batch: say with which role (--role), and where the manifest is to be (--manifest s3://bucket/prefix)")
	case o.via == viaBatch:
		bucket, _, err := splitLocation(o.batch.manifest)
		if err == nil && bucket == job.Bucket {
			err = fmt.Errorf("it would be among the pictures of s3://%s, whose uploads raise events: name another bucket", bucket)
		}
		if err != nil {
			return fmt.Errorf("--manifest %s: %w", o.batch.manifest, err)
		}
	}
	return nil
}

// defaultInvocations is how many pictures the function does at a time: a hundredth of what an account's functions may do
// together, by default.
const defaultInvocations = 10

// invoker has pictures done by the function.
func (o backfillOptions) invoker(ctx context.Context, job backfill.Job) (backfill.Resizer, error) {
	aws, err := s3io.LoadConfig(ctx)
	if err != nil {
		return nil, err
	}
	return invoke.New(aws, o.function, job.Destination), nil
}

// handOver makes a job of S3 Batch Operations of what is left to do, or shows it.
func (o backfillOptions) handOver(ctx context.Context, options backfill.Options, store *s3io.Client) error {
	aws, err := s3io.LoadConfig(ctx)
	if err != nil {
		return statusError{err, couldNot}
	}
	bucket, folder, _ := splitLocation(o.batch.manifest) // see checkVia
	job := batchjob.Job{
		Region: aws.Region, Function: o.function, Role: o.batch.role, Bucket: bucket, Priority: o.batch.priority, Confirmation: !o.batch.start,
		Description: fmt.Sprintf("s3resizer backfill: %s of s3://%s, settings %s", options.Only, options.Bucket, options.Fingerprint),
	}
	if err := job.Check(); err != nil {
		return err
	}
	manifest, err := writeManifest(ctx, options)
	if err != nil {
		return o.stopped(ctx, err)
	}
	defer manifest.close()
	if manifest.size > s3io.MaxPut {
		return statusError{fmt.Errorf("the manifest would have %s, and S3 takes 5.4 GB at once: do one prefix after the other (s3://%s/…)", sizeText(manifest.size), options.Bucket), couldNot}
	}
	printEstimate(os.Stdout, options.Job, *manifest.estimate, options.Jobs)
	fmt.Println(" Lambda and S3 Batch Operations have prices of their own.")
	if manifest.estimate.Todo.Objects == 0 {
		fmt.Println("There is nothing to hand over.")
		return nil
	}
	if folder != "" && !strings.HasSuffix(folder, "/") {
		folder += "/"
	}
	job.ETag = manifest.md5 // but for buckets whose key is a KMS one
	job.Manifest, job.Reports = folder+"manifest-"+job.ETag[:12]+".csv", folder+"report-"+job.ETag[:12]
	if o.dryRun {
		fmt.Printf("The manifest would be s3://%s/%s, %s; the job, as a command:\n\n%s\n\n%s", bucket, job.Manifest, sizeText(manifest.size), job.Command(), roleText(job))
		fmt.Println("Nothing was changed.")
		return nil
	}
	if job.ETag, err = store.PutFile(ctx, bucket, job.Manifest, "text/csv", manifest.file); err != nil {
		return o.stopped(ctx, err)
	}
	fmt.Printf("The manifest is s3://%s/%s, %s.\n", bucket, job.Manifest, sizeText(manifest.size))
	id, err := job.Create(ctx, aws)
	if err != nil {
		fmt.Printf("No job was created. This command creates it:\n\n%s\n\n%s", job.Command(), roleText(job))
		return statusError{err, couldNot}
	}
	fmt.Printf("The job %s is created; what fails will be in s3://%s/%s/.\n", id, bucket, job.Reports)
	if job.Confirmation {
		fmt.Printf("It waits to be confirmed:\n\n%s\n", job.Confirm(id))
	}
	return nil
}

func roleText(job batchjob.Job) string {
	return fmt.Sprintf("The role %s must trust S3 Batch Operations:\n\n%s\n\nand be allowed\n\n%s\n", job.Role, job.Trust(), job.Permissions())
}

// manifest is the list of what is to be done, in a file of this machine.
type manifest struct {
	file     *os.File
	size     int64
	md5      string
	estimate *backfill.Estimate
}

func writeManifest(ctx context.Context, options backfill.Options) (*manifest, error) {
	file, err := os.CreateTemp("", "s3resizer-manifest-")
	if err != nil {
		return nil, err
	}
	m := &manifest{file: file}
	digest := md5.New()
	out := bufio.NewWriter(io.MultiWriter(file, digest))
	m.estimate, err = backfill.DryRun(ctx, options, func(object s3io.Listed) error {
		n, err := out.WriteString(batchjob.Line(options.Bucket, object.Key))
		m.size += int64(n)
		return err
	})
	if err = errors.Join(err, out.Flush()); err != nil {
		m.close()
		return nil, err
	}
	m.md5 = hex.EncodeToString(digest.Sum(nil))
	return m, nil
}

func (m *manifest) close() {
	_ = m.file.Close()
	_ = os.Remove(m.file.Name()) // it was for this run
}
