package s3io

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	// partSize is the length of a range, in bytes. The first streams to the reader as it arrives, so that most photos
	// take one request; the others are whole in memory before they are read.
	partSize = 8 << 20
	// readAhead is how many parts are on the wire while one is read. A connection within the region brings some 75 MB/s,
	// more than a decoder takes: one is enough to hide the time to first byte.
	readAhead = 1
)

// Object is an open object: its description and its bytes. Reading fails with an [*Error], and gives io.EOF only after
// the last byte. Close it.
type Object struct {
	Info
	io.ReadCloser
}

// Open starts to read an object. It returns once S3 has answered; the bytes follow.
func (c *Client) Open(ctx context.Context, bucket, key string) (*Object, error) {
	ctx, cancel := context.WithCancel(ctx)
	object, err := c.open(ctx, cancel, bucket, key)
	if err != nil {
		cancel()
		return nil, wrap("open", bucket, key, err)
	}
	return object, nil
}

func (c *Client) open(ctx context.Context, cancel context.CancelFunc, bucket, key string) (*Object, error) {
	out, err := c.get(ctx, bucket, key, "", fmt.Sprintf("bytes=0-%d", partSize-1))
	if statusOf(err) == http.StatusRequestedRangeNotSatisfiable { // an empty object has no range
		out, err = c.get(ctx, bucket, key, "", "")
	}
	if err != nil {
		return nil, err
	}
	first := span{
		client: c, ctx: ctx, bucket: bucket, key: key, etag: aws.ToString(out.ETag),
		end: aws.ToInt64(out.ContentLength), body: out.Body,
	}
	size := first.end
	if out.ContentLength == nil && out.ContentRange == nil {
		return nil, errors.Join(errors.New("the server does not say how long the object is"), out.Body.Close())
	}
	if out.ContentRange != nil {
		if _, size, err = parseContentRange(*out.ContentRange); err != nil {
			return nil, errors.Join(err, out.Body.Close())
		}
	}
	return &Object{ReadCloser: &body{cancel: cancel, first: &first, current: &first, next: first.end, size: size}, Info: Info{
		Bucket: bucket, Key: key, ETag: unquote(out.ETag), VersionID: versionID(out.VersionId), Size: size,
		ContentType: aws.ToString(out.ContentType), CacheControl: aws.ToString(out.CacheControl), Metadata: out.Metadata,
		Disposition: aws.ToString(out.ContentDisposition), Tags: int(aws.ToInt32(out.TagCount)),
	}}, nil
}

// get asks for a range, or for all if byteRange is empty, of the object with the given ETag, or any if that is empty.
func (c *Client) get(ctx context.Context, bucket, key, etag, byteRange string) (*s3.GetObjectOutput, error) {
	owner, err := c.expectedOwner(ctx, "open", bucket, key)
	if err != nil {
		return nil, err
	}
	in := &s3.GetObjectInput{Bucket: &bucket, Key: &key, ExpectedBucketOwner: owner}
	if etag != "" {
		in.IfMatch = &etag
	}
	if byteRange != "" {
		in.Range = &byteRange
	}
	out, err := c.s3.GetObject(ctx, in)
	if err == nil && etag != "" && aws.ToString(out.ETag) != etag { // by an S3 that takes no notice of the condition
		err = &Error{Changed, "read", bucket, key, fmt.Errorf("its ETag is %s by now, not %s", aws.ToString(out.ETag), etag)}
		return nil, errors.Join(err, out.Body.Close())
	}
	return out, err
}

// body reads an object part by part, in order, with the next parts on the wire. One goroutine reads it.
type body struct {
	cancel  context.CancelFunc
	first   *span
	current io.Reader
	ahead   []*part
	next    int64 // where the next part to ask for begins
	size    int64
}

type part struct {
	data []byte
	err  error
	done chan struct{}
}

func (b *body) Read(p []byte) (int, error) {
	for {
		b.fill()
		n, err := b.current.Read(p)
		if err != io.EOF || n > 0 {
			return n, err
		}
		if len(b.ahead) == 0 {
			return 0, io.EOF
		}
		part := b.ahead[0]
		<-part.done
		if part.err != nil {
			return 0, part.err
		}
		b.current, b.ahead = bytes.NewReader(part.data), b.ahead[1:]
	}
}

// fill keeps readAhead parts on the wire, from the first Read on: of some objects no more is wanted than what they are.
func (b *body) fill() {
	for len(b.ahead) < readAhead && b.next < b.size {
		from := *b.first
		from.offset, from.end, from.body, from.failures, from.slow = b.next, min(b.next+partSize, b.size), nil, 0, 0
		b.next = from.end
		p := &part{done: make(chan struct{})}
		b.ahead = append(b.ahead, p)
		go func() {
			defer close(p.done)
			defer from.close()
			p.data = make([]byte, from.end-from.offset)
			_, p.err = io.ReadFull(&from, p.data)
		}()
	}
}

func (b *body) Close() error {
	b.cancel()
	for _, p := range b.ahead {
		<-p.done
	}
	b.first.close()
	return nil
}
