// Package s3io reads and writes whole objects in S3, or in anything that speaks its protocol, for programs that work on
// an object while it arrives.
//
// The one idea: an object is read as a stream, and the stream does not break. [Client.Open] returns with the first
// bytes still on their way; large objects are fetched by ranges, the next on the wire while one is read; a connection
// that fails is replaced from the byte where it failed. Every range is pinned to the ETag of the first, so that what is
// read is one object, never the head of one upload and the tail of the next.
//
// It knows nothing of pictures or Lambda. Errors are of type [*Error]; its Class tells what went wrong.
package s3io

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
)

// dialTimeout bounds one attempt to connect. Inside a region that takes a millisecond; what takes seconds is not there.
const dialTimeout = 3 * time.Second

// Client reads and writes objects. Build one and keep it: it keeps its connections. It is safe for concurrent use.
type Client struct {
	s3    *s3.Client
	owner func(context.Context) (string, error)

	noConditionalDeletes, noConditionalPuts atomic.Bool // the S3 has said that it has none
}

// Options configure a Client.
type Options struct {
	// ExpectedOwner returns the id of the AWS account that must own every bucket that is read or written, or "" for
	// any; S3 denies a request for another account's. Nil means any. An error fails the request before it is sent.
	ExpectedOwner func(context.Context) (string, error)
	// Pace, if there is one, is asked before each request is sent.
	Pace Pace
}

// Pace says when requests may be sent. It is used by several at once.
type Pace interface {
	// Wait returns when the next request may be sent; the SDK's own second attempts ask, too.
	Wait(ctx context.Context) error
	// Throttled is called when S3 asks for fewer requests (503 Slow Down, 429).
	Throttled()
}

// LoadConfig reads the AWS SDK's own settings: the environment, the shared configuration files, the container's or
// machine's role.
func LoadConfig(ctx context.Context) (aws.Config, error) {
	client := awshttp.NewBuildableClient().WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout })
	options := []func(*config.LoadOptions) error{config.WithHTTPClient(client)}
	if os.Getenv("AWS_RESPONSE_CHECKSUM_VALIDATION") == "" {
		// TLS guards the way here, S3 its disks: a checksum of every byte read would cost 1 ms a MB for nothing.
		options = append(options, config.WithResponseChecksumValidation(aws.ResponseChecksumValidationWhenRequired))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("load the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return aws.Config{}, errors.New("no AWS region: set AWS_REGION (any, such as us-east-1, for an S3 that is not AWS's)")
	}
	return cfg, nil
}

// New makes a client. With an endpoint of one's own (AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3) buckets are addressed by
// path, which every S3 understands.
func New(cfg aws.Config, o Options) *Client {
	if o.ExpectedOwner == nil {
		o.ExpectedOwner = func(context.Context) (string, error) { return "", nil }
	}
	return &Client{owner: o.ExpectedOwner, s3: s3.NewFromConfig(cfg, func(s *s3.Options) {
		s.UsePathStyle = s.BaseEndpoint != nil
		s.HTTPClient = patient{s.HTTPClient, o.Pace}
		s.Logger = logging.Nop{} // what matters comes back as an error; the rest would stand between the log's JSON lines
	})}
}

// Info describes an object as S3 has it.
type Info struct {
	Bucket, Key  string
	ETag         string // without quotes
	VersionID    string // "" where the bucket has no versions
	Size         int64  // bytes
	ContentType  string
	CacheControl string
	Disposition  string            // Content-Disposition
	Metadata     map[string]string // user metadata, names in lower case
	Tags         int               // how many; S3 tells only who may read them, and there are S3s that tell nobody
}

// Head describes an object without reading it.
func (c *Client) Head(ctx context.Context, bucket, key string) (Info, error) {
	owner, err := c.expectedOwner(ctx, "head", bucket, key)
	if err != nil {
		return Info{}, err
	}
	out, err := c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: &key, ExpectedBucketOwner: owner})
	if err != nil {
		return Info{}, wrap("head", bucket, key, err)
	}
	return Info{
		Bucket: bucket, Key: key, ETag: unquote(out.ETag), VersionID: versionID(out.VersionId), Size: aws.ToInt64(out.ContentLength),
		ContentType: aws.ToString(out.ContentType), CacheControl: aws.ToString(out.CacheControl), Metadata: out.Metadata,
		Disposition: aws.ToString(out.ContentDisposition), Tags: int(aws.ToInt32(out.TagCount)),
	}, nil
}

// Upload is an object to write.
type Upload struct {
	Bucket, Key  string
	ContentType  string
	CacheControl string            // "" for none
	Disposition  string            // Content-Disposition; "" for none
	Tags         string            // as [Client.Tags] has them; "" for none
	Metadata     map[string]string // names in lower case; values in ASCII; [MaxMetadata] in all
	Data         []byte
	// Replaces, if it is not empty, is the ETag, without quotes, of the object that must still be there, or [Nothing] if there
	// must be none.
	Replaces string
}

// MaxMetadata is how many bytes S3 takes of user metadata: all names and values together.
const MaxMetadata = 2 << 10

// Nothing is what an object replaces that must be the first of its key.
const Nothing = "*"

// Put writes an object, whole or not at all, replacing what was there, and returns its ETag without quotes. What may
// pass is tried again by the SDK (AWS_MAX_ATTEMPTS, 3 by default); after an error the object may have been written all
// the same.
//
// If something else is there than what it is to replace, the error is [Changed], and nothing is written. It may also be that
// when an attempt whose answer was lost has written the object. An S3 that says it has no such condition is not asked for it
// again, and the object is written whatever is there; so it is by one that takes no notice and does not say so.
func (c *Client) Put(ctx context.Context, u Upload) (etag string, err error) {
	owner, err := c.expectedOwner(ctx, "put", u.Bucket, u.Key)
	if err != nil {
		return "", err
	}
	in := &s3.PutObjectInput{
		Bucket: &u.Bucket, Key: &u.Key, Body: bytes.NewReader(u.Data), ContentLength: aws.Int64(int64(len(u.Data))),
		ContentType: &u.ContentType, Metadata: u.Metadata, ExpectedBucketOwner: owner,
	}
	if u.CacheControl != "" {
		in.CacheControl = &u.CacheControl
	}
	if u.Disposition != "" {
		in.ContentDisposition = &u.Disposition
	}
	if u.Tags != "" {
		in.Tagging = &u.Tags
	}
	conditional := u.Replaces != "" && !c.noConditionalPuts.Load()
	switch {
	case conditional && u.Replaces == Nothing:
		in.IfNoneMatch = aws.String("*")
	case conditional:
		in.IfMatch = aws.String(`"` + u.Replaces + `"`)
	}
	out, err := c.s3.PutObject(ctx, in)
	if conditional && notImplemented(err) {
		c.noConditionalPuts.Store(true)
		u.Replaces = ""
		return c.Put(ctx, u)
	}
	if conditional && classify(err) == NotFound { // what was to be replaced is gone
		return "", &Error{Changed, "put", u.Bucket, u.Key, err}
	}
	if u.Tags != "" && classify(err) == Denied {
		err = fmt.Errorf("an object with tags wants s3:PutObjectTagging beside s3:PutObject: %w", err)
	}
	if err != nil {
		return "", wrap("put", u.Bucket, u.Key, err)
	}
	return unquote(out.ETag), nil
}

// MaxPut is the most bytes that S3 takes of an object at once.
const MaxPut = 5 << 30

// PutFile writes what is in a file, whole or not at all, as Put does.
func (c *Client) PutFile(ctx context.Context, bucket, key, contentType string, file *os.File) (etag string, err error) {
	owner, err := c.expectedOwner(ctx, "put", bucket, key)
	if err != nil {
		return "", err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	out, err := c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: file, ContentType: &contentType, ExpectedBucketOwner: owner})
	if err != nil {
		return "", wrap("put", bucket, key, err)
	}
	return unquote(out.ETag), nil
}

// expectedOwner is whose bucket is to be asked, nil where anybody's will do. The error is an [*Error]; it is one, too, for
// what no bucket can be called.
func (c *Client) expectedOwner(ctx context.Context, op, bucket, key string) (*string, error) {
	if !everName.MatchString(bucket) {
		return nil, &Error{Invalid, op, bucket, key, errBucketName}
	}
	owner, err := c.owner(ctx)
	if err != nil {
		return nil, &Error{Denied, op, bucket, key, fmt.Errorf("who must own the bucket is not known: %w", err)}
	}
	if owner == "" {
		return nil, nil
	}
	return &owner, nil
}

func unquote(etag *string) string { return strings.Trim(aws.ToString(etag), `"`) }

// versionID is "" for an object written before its bucket had versions, which S3 calls "null".
func versionID(id *string) string {
	if aws.ToString(id) == "null" {
		return ""
	}
	return aws.ToString(id)
}
