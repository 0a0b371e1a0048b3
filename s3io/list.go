package s3io

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Listed is an object as a listing has it.
type Listed struct {
	Key      string
	ETag     string // without quotes
	Size     int64  // bytes
	Modified time.Time
}

// List returns a page, of at most 1000, of the objects whose keys begin with prefix and come after the key after, and
// whether more follow. Keys are in the order of their UTF-8 bytes; an S3 that lists in another one (directory buckets
// do) gets an error, because whoever asks for a page after a key would miss some.
func (c *Client) List(ctx context.Context, bucket, prefix, after string) (page []Listed, more bool, err error) {
	owner, err := c.expectedOwner(ctx, "list", bucket, prefix)
	if err != nil {
		return nil, false, err
	}
	// XML has no way to write some characters that keys may have; in a URL's encoding they are all the same.
	in := &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix, EncodingType: types.EncodingTypeUrl, ExpectedBucketOwner: owner}
	if after != "" {
		in.StartAfter = &after
	}
	out, err := c.s3.ListObjectsV2(ctx, in)
	if err != nil {
		return nil, false, wrap("list", bucket, prefix, err)
	}
	for _, object := range out.Contents {
		key := aws.ToString(object.Key)
		if out.EncodingType == types.EncodingTypeUrl {
			if key, err = url.QueryUnescape(key); err != nil {
				return nil, false, &Error{Invalid, "list", bucket, prefix, err}
			}
		}
		if key <= after {
			err := fmt.Errorf("the server lists %q behind %q, not in the order of their UTF-8 bytes, as S3's general purpose buckets do", key, after)
			return nil, false, &Error{Invalid, "list", bucket, prefix, err}
		}
		after = key
		page = append(page, Listed{Key: key, ETag: unquote(object.ETag), Size: aws.ToInt64(object.Size), Modified: aws.ToTime(object.LastModified)})
	}
	more = aws.ToBool(out.IsTruncated)
	if more && len(page) == 0 {
		return nil, false, &Error{Invalid, "list", bucket, prefix, errors.New("the server says that there are more keys, and gives none")}
	}
	return page, more, nil
}
