package s3io

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Tags returns the tags of an object as the header x-amz-tagging has them: the form that [Upload] takes. The same tags are
// always the same text, and none are "".
func (c *Client) Tags(ctx context.Context, bucket, key string) (string, error) {
	owner, err := c.expectedOwner(ctx, "tags", bucket, key)
	if err != nil {
		return "", err
	}
	out, err := c.s3.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: &bucket, Key: &key, ExpectedBucketOwner: owner})
	if classify(err) == Denied {
		err = fmt.Errorf("reading them wants s3:GetObjectTagging: %w", err)
	}
	if err != nil {
		return "", wrap("tags", bucket, key, err)
	}
	tags := url.Values{}
	for _, tag := range out.TagSet {
		tags.Set(aws.ToString(tag.Key), aws.ToString(tag.Value))
	}
	return strings.ReplaceAll(tags.Encode(), "+", "%20"), nil // not everybody takes a plus for a space
}
