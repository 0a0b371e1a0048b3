package s3io

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Delete removes an object if it is still the one with the ETag, without quotes, and is [Changed] if it is not; "" is any.
// What is not there is removed. In a bucket with versions the older ones stay, under a delete marker. After an error the
// object may have been removed all the same.
//
// S3 looks and removes in one. One that says it can't (LocalStack) is not asked for it again: the object is looked at, then
// removed, and what is written in the moment between the two goes with it. One that takes no notice of the condition and
// does not say so removes whatever is there.
func (c *Client) Delete(ctx context.Context, bucket, key, etag string) error {
	owner, err := c.expectedOwner(ctx, "delete", bucket, key)
	if err != nil {
		return err
	}
	in := &s3.DeleteObjectInput{Bucket: &bucket, Key: &key, ExpectedBucketOwner: owner}
	if etag != "" && !c.noConditionalDeletes.Load() {
		in.IfMatch = aws.String(`"` + etag + `"`)
		err := c.delete(ctx, in)
		if !notImplemented(err) {
			return err
		}
		c.noConditionalDeletes.Store(true)
		in.IfMatch = nil
	}
	if etag != "" {
		info, err := c.Head(ctx, bucket, key)
		switch {
		case ClassOf(err) == NotFound:
			return nil
		case err != nil:
			return err
		case info.ETag != etag:
			return &Error{Changed, "delete", bucket, key, fmt.Errorf("its ETag is %s by now, not %s", info.ETag, etag)}
		}
	}
	return c.delete(ctx, in)
}

func (c *Client) delete(ctx context.Context, in *s3.DeleteObjectInput) error {
	if _, err := c.s3.DeleteObject(ctx, in); err != nil && classify(err) != NotFound {
		return wrap("delete", *in.Bucket, *in.Key, err)
	}
	return nil
}
