package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"s3resizer/internal/backfill"
	"s3resizer/internal/config"
	"s3resizer/internal/naming"
	"s3resizer/internal/wire"
	"s3resizer/s3io"
)

// bucketOptions are what the command line says of the buckets and of the work on them.
type bucketOptions struct {
	dest           string
	jobs, requests int
	limit          time.Duration
}

func (o *bucketOptions) defineDest(f *pflag.FlagSet) {
	f.StringVar(&o.dest, "dest", "", "destination `bucket` (default: RESIZE_DEST_BUCKET, and that is {bucket}-resized)")
}

// defineWork defines the flags about the work; when and jobs say what else there is to say of them.
func (o *bucketOptions) defineWork(f *pflag.FlagSet, when, jobs string) {
	f.IntVar(&o.jobs, "jobs", 0, when+"pictures at a time (default: one for each processor, as far as there are 1.8 GB of memory for it"+jobs+")")
	f.DurationVar(&o.limit, "time-limit", 5*time.Minute, when+"for one picture")
	f.IntVar(&o.requests, "max-requests-per-second", 1000, "requests to S3, of all processes together; S3 takes 3500 writes and 5500 reads a second for each prefix,\nand the bucket's other users have theirs among them")
}

// check says what is wrong, and what would be right.
func (o *bucketOptions) check() error {
	switch {
	case o.jobs < 0:
		return fmt.Errorf("--jobs %d: want at least 1", o.jobs)
	case o.requests < 1:
		return fmt.Errorf("--max-requests-per-second %d: want at least 1", o.requests)
	case o.limit < time.Second:
		return fmt.Errorf("--time-limit %v: want at least 1s", o.limit)
	}
	return nil
}

// settings are the environment's, with the destination of the command line, and that environment.
func (o *bucketOptions) settings(source string) (config.Settings, []string, error) {
	settings, environ, err := loadSettings(&setByFlag{"dest", "RESIZE_DEST_BUCKET", o.dest})
	if err != nil {
		return config.Settings{}, nil, err
	}
	if settings.DestBucket.For(source) == source {
		return config.Settings{}, nil, fmt.Errorf("source and destination are both %s: name another bucket with --dest", source)
	}
	return settings, environ, nil
}

// splitLocation reads s3://bucket/prefix.
func splitLocation(location string) (bucket, prefix string, err error) {
	rest, ours := strings.CutPrefix(location, "s3://")
	bucket, prefix, _ = strings.Cut(rest, "/")
	if !ours || bucket == "" {
		return "", "", fmt.Errorf("%q: want s3://bucket or s3://bucket/prefix", location)
	}
	return bucket, prefix, nil
}

// connect makes a client, sees whether both buckets can be listed, and returns who must own them.
func connect(ctx context.Context, job backfill.Job, owner string, pace s3io.Pace) (*s3io.Client, string, error) {
	aws, err := s3io.LoadConfig(ctx)
	if err != nil {
		return nil, "", err
	}
	if _, err := aws.Credentials.Retrieve(ctx); err != nil {
		return nil, "", fmt.Errorf("no AWS credentials: %w; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in again (aws sso login)", err)
	}
	switch {
	case owner != "":
	case os.Getenv("AWS_ENDPOINT_URL_S3") != "" || os.Getenv("AWS_ENDPOINT_URL") != "":
		owner = config.AnyOwner // an S3 that is not AWS's knows no accounts
	default:
		if owner, err = wire.Account(ctx, aws, job.Bucket); err != nil {
			return nil, "", err
		}
	}
	store := s3io.New(aws, s3io.Options{ExpectedOwner: ownedBy(owner), Pace: pace})
	for _, place := range []struct{ bucket, prefix string }{{job.Bucket, job.Prefix}, {job.Destination, naming.Records + job.Prefix}} {
		if _, _, err := store.List(ctx, place.bucket, place.prefix, ""); err != nil {
			return nil, "", withRemedy(err, backfill.FailureOf(err))
		}
	}
	return store, owner, nil
}

func withRemedy(err error, f backfill.Failure) error {
	if remedy := f.Remedy(); remedy != "" {
		return fmt.Errorf("%w; %s", err, remedy)
	}
	return err
}

// ownedBy is for s3io.
func ownedBy(owner string) func(context.Context) (string, error) {
	if owner == config.AnyOwner {
		owner = ""
	}
	return func(context.Context) (string, error) { return owner, nil }
}
